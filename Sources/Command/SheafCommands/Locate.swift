import ArgumentParser
import ArrayFiles
import FaultLocation
import Foundation
import LinearAlgebra
import NeuralSheaves

struct Locate: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Find the layer of a deployed network whose outputs are not those of its reference.",
    discussion: """
      For a network that changed on its way to a device: quantised, converted, pruned, ported. From the reference's \
      outputs on 20 to 200 probes alone, without its weights, activations or labels, layers are ranked by learned stiffness: the variance that \
      noise of each would have to have to explain the differences. --fine-tune also trains each layer alone towards the \
      reference and ranks by the stiffness score over the loss that is left. The p-value is that of no layer being off by more than the others, from networks in which \
      all are. With the reference network at hand its activations are compared layer by layer, which is better.

      Examples:
      sheaf locate deployed.onnx --input probes.npy --reference outputs.npy --fine-tune
      sheaf locate deployed.onnx --input probes.npy --reference-model original.onnx --json
      """)

  @OptionGroup var network: NetworkOptions
  @OptionGroup var arrays: ArrayOptions
  @Option(
    help: "The probes, an ARRAY: file.npy, file.npz#key, file.safetensors#name or file.csv#columns."
  )
  var input: String
  @Option(
    help:
      "The reference's outputs on the probes, an ARRAY: logits or, of a classifier, probabilities.")
  var reference: String?
  @Option(help: "The reference network, to compare activations with.") var referenceModel: String?
  @Flag(help: "Train each layer alone as well, 200 steps of Adam on three quarters of the probes.")
  var fineTune = false
  @Option(help: "How many draws the p-value is from; 0 for none.") var draws = 99
  @Option(help: "The seed of the draws, and of the choice of probes for --fine-tune.") var seed:
    UInt64 = 0
  @Flag(help: "Print one JSON object.") var json = false

  func validate() throws {
    guard (reference == nil) != (referenceModel == nil) else {
      throw ValidationError(
        "\(reference == nil ? "neither" : "both") of --reference and --reference-model, expected one"
      )
    }
    guard draws >= 0 else { throw ValidationError("--draws is \(draws), expected 0 or more") }
  }

  func run() throws {
    var files = CallFiles()
    network.declare(in: &files)
    files.reads("--input", input)
    files.reads("--reference", reference)
    files.reads("--reference-model", referenceModel)
    files.prints("--json", json)
    try files.check()
    let deployed = try network.load()
    let x = try arrays.readInput(input, for: deployed)
    let report =
      try referenceModel.map { try compared(deployed, x, with: $0) }
      ?? located(deployed, x, try arrays.read(reference!))
    var delivery = Delivery()
    if json {
      delivery.put { try JSONOutput.print(report.json) }
    } else {
      delivery.print(report.text)
    }
    try delivery.end()
  }

  private func compared(
    _ deployed: Network, _ x: Matrix, with path: String
  ) throws -> FaultReport {
    let reference = try network.reading.load(path, like: deployed, in: network.network)
    do {
      let comparison = try ActivationComparison(deployed, reference: reference, input: x)
      if fineTune { Note.say("--fine-tune: not needed where activations are compared") }
      return FaultReport(
        ranking: FaultRanking(deployed, comparison), test: nil, isCompared: true, network: deployed)
    } catch FaultError.structure(let found, let expected) {
      Note.say("\(path) has \(found), not \(expected): outputs are compared, not activations")
      return try located(deployed, x, reference.logits(x))
    }
  }

  private func located(
    _ deployed: Network, _ x: Matrix, _ outputs: Matrix
  ) throws -> FaultReport {
    let probes = try FaultProbes(deployed, input: x, reference: outputs)
    if probes.difference.scale != .values {
      Note.say("--reference: taken for probabilities, compared by their logarithms")
    }
    let model = try probes.varianceModel()
    let stiffness = try model.layerStiffness()
    var settings = FineTuningSettings()
    settings.seed = seed
    var losses: [Double]?
    if fineTune {
      let bar = ProgressBar()
      let count = bar.counter(of: probes.layers.count, "layers")
      losses = try probes.fineTunedLosses(settings) { _ in count(1) }
      bar.end()
    }
    var generator = RandomGenerator(seed: seed)
    var test: FaultTest?
    if draws > 0 && probes.layers.count > 1 {
      do throws(FaultError) {
        test = try probes.test(model, draws: draws, using: &generator)
      } catch {
        switch error {
        case .notFinite:
          Note.say("no p-value: outputs do not answer to small changes of the weights")
        default: throw error
        }
      }
    }
    return FaultReport(
      ranking: FaultRanking(probes, stiffness, fineTuneLosses: losses), test: test,
      isCompared: false, network: deployed)
  }
}

/// What `sheaf locate` says.
struct FaultReport {
  let ranking: FaultRanking
  let test: FaultTest?
  /// Whether activations were compared.
  let isCompared: Bool
  let network: Network

  private var note: String {
    let doubts = ranking.doubts
    let weak = doubts.isEmpty ? "" : "the answer is weak: " + doubts.joined(separator: "; ")
    guard isCompared else { return weak }
    let how = "by the reference's activations, which is better than by outputs alone"
    return weak.isEmpty ? how : how + "; " + weak
  }

  /// The file's name of what a layer determines.
  private func tensor(_ entry: FaultRanking.Entry) -> String? {
    network.aliases.isEmpty
      ? nil
      : (try? network.vertex(named: entry.layer)).flatMap { network.tensorNames(of: $0).first }
  }

  var json: [String: Any] {
    [
      "layers": ranking.entries.map { entry in
        [
          "layer": entry.layer, "index": entry.index,
          "tensor": tensor(entry) as Any? ?? NSNull(),
          "stiffness": JSONOutput.number(entry.stiffness),
          "fineTuneLoss": JSONOutput.number(entry.fineTuneLoss),
          "rankSum": entry.rankSum as Any? ?? NSNull(),
          "discrepancy": JSONOutput.number(entry.discrepancy),
        ] as [String: Any]
      },
      "pValue": JSONOutput.number(test?.pValue), "note": note,
    ]
  }

  var text: String {
    let n = TextOutput.number
    let entries = ranking.entries
    let hasTensors = entries.contains { tensor($0) != nil }
    let isTuned = entries.contains { $0.rankSum != nil }
    var rows = [
      ["layer"] + (isCompared ? ["discrepancy"] : ["stiffness score"])
        + (isTuned ? ["loss when tuned", "rank sum"] : []) + (hasTensors ? ["in the file"] : [])
    ]
    for entry in entries {
      rows.append(
        [entry.layer, n(isCompared ? entry.discrepancy : entry.stiffness)]
          + (isTuned ? [n(entry.fineTuneLoss), entry.rankSum.map { "\($0)" } ?? "-"] : [])
          + (hasTensors ? [tensor(entry) ?? ""] : []))
    }
    var lines = ["suspect: \(entries[0].layer)", "", TextOutput.table(rows)]
    if let test {
      lines += ["", "p = \(n(test.pValue)) that no layer is off by more than the others"]
    }
    if !note.isEmpty { lines += ["", note] }
    return lines.joined(separator: "\n")
  }
}
