import ArgumentParser
import ArrayFiles
import Foundation
import LinearAlgebra
import ModelFormats
import NeuralSheaves
import SheafTraining

extension Optimizer.Rule: ExpressibleByArgument {}

struct Train: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Train a network: by local discrepancy, or by backpropagation.",
    discussion: """
      Methods: equilibrium relaxes the stalks with the output clamped, then steps the weights; \
      flow is the paper's joint flow; backpropagation is the baseline.
      Example: sheaf train --layers 64,128,64,10 --data digits --epochs 20 --history history.csv
      """)

  enum Method: String, CaseIterable, ExpressibleByArgument {
    case flow, equilibrium, backpropagation
  }

  @Option(help: "Widths of a new network, such as 64,128,10.") var layers: String?
  @Option(help: "Start from a network: .onnx, .safetensors or .npz.") var network: String?
  @Option(help: "The prefix of the network's keys in an .npz file.") var prefix = ""
  @Option(help: "The output activation; default by the data.")
  var outputActivation: OutputActivation?
  @OptionGroup var source: TrainingSource
  @OptionGroup var arrays: ArrayOptions
  @OptionGroup var initial: InitialOptions
  @Option(help: "The method.") var method: Method = .equilibrium
  @Option(help: "The optimiser of equilibrium and backpropagation: gradient, momentum or adam.")
  var optimizer: Optimizer.Rule = .adam
  @Option(help: "The optimiser's rate; default 0.001 for adam, 0.01 otherwise.") var rate: Double?
  @Option(help: "flow: the diffusivity α of the stalks.") var alpha = 1.0
  @Option(help: "flow: the rate β of the weights; default 1/(samples per step).")
  var beta: Double?
  @Option(help: "flow: the step dt.") var step = 0.005
  @Option(help: "flow: steps per epoch; default 1000, or one pass over the data in batches.")
  var stepsPerEpoch: Int?
  @Option(help: "Epochs.") var epochs = 20
  @Option(help: "Samples per step; default all for flow and data of 300, else 32.")
  var batch: Int?
  @Option(help: "equilibrium: the weight κ of the clamp.") var coupling = 0.1
  @Flag(help: "flow: stalks start from the forward pass in every epoch.") var coldStart = false
  @Option(help: "Write a record of each epoch to a .csv file.") var history: String?
  @Option(help: "Write the trained network to an .onnx, .safetensors or .npz file.") var out:
    String?
  @Flag(help: "Print one JSON object.") var json = false

  func validate() throws {
    guard (layers == nil) != (network == nil) else {
      throw ValidationError("expected either --layers or --network")
    }
    let positive = [
      ("--rate", rate ?? 1), ("--alpha", alpha), ("--beta", beta ?? 1), ("--step", step),
      ("--coupling", coupling),
    ]
    for (name, value) in positive where !(value > 0 && value.isFinite) {
      throw ValidationError("\(name) is \(value), expected a positive finite number")
    }
    let counts = [
      ("--epochs", epochs), ("--batch", batch ?? 1), ("--steps-per-epoch", stepsPerEpoch ?? 1),
    ]
    for (name, value) in counts where value < 1 {
      throw ValidationError("\(name) is \(value), expected at least 1")
    }
    if method != .flow && (initial.initial != nil || coldStart) {
      throw ValidationError(
        "--initial and --cold-start are for --method flow; \(method.rawValue) starts every step from "
          + "the forward pass")
    }
  }

  func run() throws {
    let network = try start()
    let (train, test) = try source.load(for: network, arrays, seed: initial.seed)
    try checkWritable(history, extensions: ["csv"])
    try checkWritable(out, extensions: NetworkFile.extensions)
    if let out { try NetworkFile.check(network, fits: out) }
    let bar = ProgressBar(total: epochs)
    var records: [EpochRecord] = []
    let onEpoch = { (record: EpochRecord) in
      records.append(record)
      bar.show(record.epoch, "loss \(TextOutput.number(record.train.loss))")
    }
    let status: TrainingStatus
    let trained: Network
    if method == .flow {
      let flow = try JointFlow(
        network, data: train,
        initial: initial.state(
          NeuralSheaf(network), input: train.input, default: "forward", arrays: arrays,
          hasOutput: false),
        settings: .init(
          step: step, alpha: alpha, beta: beta, batch: batch, stepsPerEpoch: stepsPerEpoch,
          isColdStart: coldStart, seed: initial.seed))
      status = flow.run(epochs: epochs, test: test, onEpoch: onEpoch)
      trained = flow.sheaf.network
    } else {
      var descent = try GradientTraining(
        network,
        rule: method == .equilibrium
          ? EquilibriumRule(coupling: coupling) : Backpropagation(),
        optimizer: optimizer, rate: rate ?? (optimizer == .adam ? 0.001 : 0.01),
        batch: batch ?? (train.count <= 300 ? nil : 32), seed: initial.seed)
      status = try descent.run(epochs: epochs, data: train, test: test, onEpoch: onEpoch)
      trained = descent.network
    }
    if let history {
      let lines = [EpochRecord.csvHeader] + records.map(\.csv)
      try ArrayFile.write(Data((lines.joined(separator: "\n") + "\n").utf8), to: history)
    }
    // A network that is not finite could not be read again, and an older file may be better.
    if let out, status == .completed { try NetworkFile.write(trained, to: out) }
    try report(status, records)
    if status == .diverged {
      throw WorkFailure(
        description: "training diverged in epoch \(records.last!.epoch): the loss is not finite; "
          + "use a smaller \(method == .flow ? "--step or --beta" : "--rate")"
          + (out == nil ? "" : "; \(out!) was not written"))
    }
  }

  private func start() throws -> Network {
    let activation = outputActivation ?? source.defaultActivation
    if let network {
      var start = try NetworkFile.read(
        network, prefix: prefix, outputActivation: outputActivation)
      if outputActivation == nil && start.outputActivation == .identity {
        start.outputActivation = activation
      }
      return start
    }
    let widths = try layers!.split(separator: ",", omittingEmptySubsequences: false).map {
      guard let n = Int($0) else {
        throw ValidationError("--layers \(layers!): \"\($0)\" is not a whole number")
      }
      return n
    }
    var generator = RandomGenerator(seed: initial.seed)
    do {
      return try Network(widths: widths, outputActivation: activation, using: &generator)
    } catch {
      throw ValidationError("--layers \(layers!): \(error)")
    }
  }

  private func report(_ status: TrainingStatus, _ records: [EpochRecord]) throws {
    let last = records.last!
    let rate = last.seconds > 0 ? Double(last.step) / last.seconds : nil
    if json {
      func list(_ value: (EpochRecord) -> Double?) -> Any {
        records.map { JSONOutput.number(value($0)) }
      }
      return try JSONOutput.print([
        "status": status.rawValue, "method": method.rawValue,
        "history": [
          "step": records.map(\.step), "epoch": records.map(\.epoch),
          "trainLoss": list(\.train.loss), "testLoss": list(\.test?.loss),
          "trainAccuracy": list(\.train.accuracy), "testAccuracy": list(\.test?.accuracy),
          "seconds": list(\.seconds),
          "unsettledFraction": list(\.relaxation.unsettledFraction),
          "medianResidual": list(\.relaxation.medianResidual),
        ] as [String: Any],
        "trainLoss": JSONOutput.number(last.train.loss),
        "testLoss": JSONOutput.number(last.test?.loss),
        "trainAccuracy": JSONOutput.number(last.train.accuracy),
        "testAccuracy": JSONOutput.number(last.test?.accuracy),
        "seconds": last.seconds, "stepsPerSecond": JSONOutput.number(rate),
        "unsettledFraction": JSONOutput.number(last.relaxation.unsettledFraction),
        "medianResidual": JSONOutput.number(last.relaxation.medianResidual),
      ])
    }
    let n = TextOutput.number
    print("\(method.rawValue): \(status.rawValue) after \(last.step) steps in \(n(last.seconds)) s")
    print(
      TextOutput.table([
        ["", "train", "test"],
        ["loss", n(last.train.loss), n(last.test?.loss)],
        ["accuracy", n(last.train.accuracy), n(last.test?.accuracy)],
      ]))
    if let unsettled = last.relaxation.unsettledFraction {
      print(
        "last epoch: \(n(100 * unsettled)) % of the samples unsettled, median stationarity "
          + "residual \(n(last.relaxation.medianResidual))")
    }
  }
}
