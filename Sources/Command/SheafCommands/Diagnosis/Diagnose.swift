import ArgumentParser
import ArrayFiles
import Foundation
import LinearAlgebra
import NetworkDiagnosis
import NeuralSheaves

extension DiagnosisPart: ExpressibleByArgument {}

struct Diagnose: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "What is wrong with a network, with these data, and where.",
    discussion: """
      Parts, each done or skipped with the reason: fit (loss, accuracy, calibration, worst samples); suspects (labels that look wrong: \
      networks are trained without each fifth of the samples); unfamiliar (inputs unlike those of training); neurons (dead, duplicate, \
      vanishing, bottlenecks, weights); discord (of each edge with the outputs clamped to their targets, beside its expectation); \
      spectra; robustness (derivatives, distances to the decision boundary, counterfactuals by pins); changed (the layer in which outputs \
      left a reference's); compared (with another network).
      The report is one HTML file that needs nothing else. What each part can show and what it cannot is in Docs/Diagnosis.md.

      Examples:
      sheaf diagnose network.onnx --input test.csv#1:65 --labels test.csv#0 --report report.html
      sheaf diagnose network.onnx --input x.npy --labels y.npy --train-input train.npy --json
      sheaf diagnose deployed.onnx --input probes.npy --reference outputs.npy --parts changed
      """)

  @OptionGroup var network: NetworkOptions
  @OptionGroup var arrays: ArrayOptions
  @Option(
    help:
      "The samples, an ARRAY: file.npy, file.npz#key, file.safetensors#name or file.csv#columns.")
  var input: String
  @Option(help: "What the outputs should be, an ARRAY.") var target: String?
  @Option(help: "The classes of the samples, an ARRAY: numbers from 0 or words.")
  var labels: String?
  @Option(
    help: "Inputs that the network was trained on, an ARRAY, to tell which samples are unlike them."
  )
  var trainInput: String?
  @Option(
    help:
      "Statistics of the training inputs instead, an .npz file that sheaf train --statistics wrote."
  )
  var statistics: String?
  @Option(help: "A reference's outputs on the samples, an ARRAY, to find the layer that changed.")
  var reference: String?
  @Option(help: "Another network, to compare with.") var compare: String?
  @Option(
    help: ArgumentHelp(
      "Which parts, joined by commas; default all.",
      discussion: DiagnosisPart.allCases.map(\.rawValue).joined(separator: ", ")))
  var parts: String?
  @Flag(
    help:
      "Train no networks: labels are judged by the network itself, which may know them by heart.")
  var noTraining = false
  @Option(
    help:
      "The share of right labels among suspects, and of familiar ones among unfamiliar inputs, that is put up with."
  )
  var falseDiscoveryRate = 0.1
  @Option(
    help: ArgumentHelp(
      "How inputs are drawn: HEIGHTxWIDTH or CHANNELSxHEIGHTxWIDTH, or none.",
      discussion:
        "By default as the network's first convolution has it, or as a square image of 8×8 or more."
    ))
  var image: String?
  @OptionGroup var outputEdge: OutputEdgeOptions
  @Option(help: "Of everything that is drawn at random.") var seed: UInt64 = 0
  @Option(help: "Write a report to an .html file.") var report: String?
  @OptionGroup var limit: TimeLimitOption
  @Flag(help: "Print one JSON object.") var json = false

  func validate() throws {
    guard target == nil || labels == nil else {
      throw ValidationError("both --target and --labels, expected one")
    }
    guard trainInput == nil || statistics == nil else {
      throw ValidationError("both --train-input and --statistics, expected one")
    }
    guard falseDiscoveryRate > 0 && falseDiscoveryRate < 1 else {
      throw ValidationError(
        "--false-discovery-rate is \(falseDiscoveryRate), expected a share between 0 and 1")
    }
    _ = try wantedParts()
    _ = try image.map(SampleImages.Shape.init(option:))
  }

  private func wantedParts() throws -> Set<DiagnosisPart> {
    guard let parts else { return Set(DiagnosisPart.allCases) }
    let names = DiagnosisPart.allCases.map(\.rawValue)
    return Set(
      try parts.split(separator: ",", omittingEmptySubsequences: false).map { word in
        let name = word.trimmingCharacters(in: .whitespaces)
        guard let part = DiagnosisPart(rawValue: name) else {
          throw ValidationError(
            "--parts \(name): expected \(names.joined(separator: ", "))"
              + (name.meant(of: names).map { "; did you mean \($0)?" } ?? ""))
        }
        return part
      })
  }

  private func declaredFiles() throws -> CallFiles {
    var files = CallFiles()
    network.declare(in: &files)
    files.reads("--input", input)
    files.reads("--target", target)
    files.reads("--labels", labels)
    files.reads("--train-input", trainInput)
    files.reads("--statistics", statistics)
    files.reads("--reference", reference)
    files.reads("--compare", compare)
    try files.writes("--report", report, extensions: ["html", "htm"])
    files.prints("--json", json)
    return files
  }

  func run() throws {
    try declaredFiles().check()
    if let report { try ReportFile.check(report) }
    var network = try network.load()
    var outputEdge = outputEdge
    // Labels make outputs classes; the energy is that of their probabilities.
    if labels != nil { outputEdge.outputEnergy = outputEdge.outputEnergy ?? .crossEntropy }
    outputEdge.apply(to: &network)
    let x = try arrays.readInput(input, for: network)
    let (y, names) = try targets(of: network)
    if network.classNames.isEmpty, !names.isEmpty { network.classNames = names }
    let samples = try NetworkSamples(
      network, input: x, target: y,
      named: ("--input \(input)", labels.map { "--labels \($0)" } ?? "--target \(target ?? "")"))
    var settings = Diagnosis.Settings()
    (settings.parts, settings.mayTrain) = (try wantedParts(), !noTraining)
    (settings.seed, settings.training.seed) = (seed, seed)
    settings.falseDiscoveryRate = falseDiscoveryRate
    settings.halt = .onSignals(timeLimit: limit.timeLimit)
    let images = try SampleImages(
      network, asked: image.map(SampleImages.Shape.init(option:)))
    let evidence = try evidence(samples)
    let bar = ProgressBar()
    let all = DiagnosisPart.allCases
    let diagnosis = Diagnosis(samples, evidence: evidence, settings: settings) { part in
      bar.show(all.firstIndex(of: part)!, of: all.count, part.rawValue)
    }
    bar.end()
    try deliver(diagnosis, images, settings.halt)
  }

  /// What the outputs should be, with the names of the classes.
  private func targets(of network: Network) throws -> (Matrix?, names: [String]) {
    if let labels {
      let labels = try Labels(labels, option: "--labels", for: network, arrays: arrays)
      return (labels.target, labels.classNames(of: network))
    }
    return (try target.map { try arrays.read($0) }, [])
  }

  private func evidence(_ samples: NetworkSamples) throws -> Diagnosis.Evidence {
    let (network, wanted) = (samples.network, try wantedParts())
    var evidence = Diagnosis.Evidence()
    if let trainInput, wanted.contains(.unfamiliar) {
      let training = try arrays.readInput(trainInput, for: network)
      do {
        evidence.familiarity = try FamiliarityModel(network, training: training, seed: seed)
      } catch {
        throw ArrayFileError(file: trainInput, problem: "\(error)")
      }
    }
    if let statistics {
      let record = try StatisticsFile.read(statistics, for: network)
      evidence.familiarity = record.familiarity
      if let classes = samples.classes, wanted.contains(.suspects), !record.flips.epochs.isEmpty {
        let means = record.flips.means(samples.input, classes)
        let known = means.count { !$0.isNaN }
        if known > 0 { evidence.flipRecord = means }
        if known < samples.count {
          Note.say(
            "\(statistics): \(known) of these \(samples.count) samples, with their labels, are among those of the training"
          )
        }
      }
    }
    evidence.reference = try reference.map { text in
      let outputs = try arrays.read(text)
      guard outputs.rows == network.outputDimension, outputs.columns == samples.count else {
        throw NetworkError.quantity(
          name: "--reference \(text)", found: "(\(outputs.columns) samples, \(outputs.rows))",
          expected: "(\(samples.count) samples, \(network.outputDimension))")
      }
      return outputs
    }
    evidence.other = try compare.map {
      try self.network.reading.load($0, like: network, in: self.network.network)
    }
    return evidence
  }

  private func deliver(
    _ diagnosis: Diagnosis, _ images: SampleImages, _ halt: Halt
  ) throws {
    let summary = DiagnosisSummary(
      diagnosis: diagnosis, name: network.network)
    var delivery = Delivery()
    if let report {
      delivery.put {
        let page = DiagnosisPage(summary, images: images).page
        try ArrayFile.write(Data(page.html.utf8), to: report)
      }
    }
    if json {
      delivery.put { try JSONOutput.print(summary.json) }
    } else {
      delivery.print(summary.text + (report.map { "\n\nreport: \($0)" } ?? ""))
    }
    // What was asked for by name and could not be done is a failure.
    let missing = parts == nil ? [] : summary.skipped
    try delivery.end(
      halt.reason.map {
        WorkFailure(
          description: $0.haltWords
            + ": parts were skipped")
      }
        ?? (missing.isEmpty
          ? summary.failure
          : WorkFailure(
            description: "left out: "
              + missing.map { "\($0.part.rawValue) (\($0.why))" }.joined(separator: ", "))))
  }
}
