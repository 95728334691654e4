import ArgumentParser
import ArrayFiles
import Datasets
import LinearAlgebra
import NeuralSheaves
import SheafTraining

/// Where training samples come from.
struct TrainingSource: ParsableArguments, Encodable {
  enum Data: String, CaseIterable, ExpressibleByArgument, Codable {
    case digits, paraboloid, saddle, circular, blobs
  }

  @Option(help: "A data set: digits, paraboloid, saddle, circular or blobs.") var data: Data?
  @Option(help: "The training input, an ARRAY.") var input: String?
  @Option(help: "The training targets, an ARRAY.") var target: String?
  @Option(
    help: ArgumentHelp(
      "The training labels, an ARRAY, one per sample: numbers from 0 or words.",
      discussion: "Words, and numbers from elsewhere, are classes in their order."))
  var labels: String?
  @Option(help: "The test input, an ARRAY.") var testInput: String?
  @Option(help: "The test targets, an ARRAY.") var testTarget: String?
  @Option(help: "The test labels, an ARRAY, of the training labels' classes.")
  var testLabels: String?
  @Option(help: "The share of the samples held out for testing, drawn by --seed.")
  var testShare: Double?
  @Flag(
    help: ArgumentHelp(
      "Scale every input to mean 0 and deviation 1 over the training samples.",
      discussion: "The scaling becomes the network's first operation, z1."))
  var standardize = false

  func validate() throws {
    guard (data == nil) != (input == nil) else {
      throw ValidationError("expected either --data or --input")
    }
    let own = [
      ("--target", target), ("--labels", labels), ("--test-input", testInput),
      ("--test-target", testTarget), ("--test-labels", testLabels),
    ].first { $0.1 != nil }
    if data != nil, let own {
      throw ValidationError("--data has its own targets and test samples, found \(own.0) as well")
    }
    func expectOne(_ input: String, _ a: (String, String?), _ b: (String, String?)) throws {
      guard (a.1 == nil) == (b.1 == nil) else { return }
      throw ValidationError(
        "\(input) needs either \(a.0) or \(b.0), found \(a.1 == nil ? "neither" : "both")")
    }
    if input != nil { try expectOne("--input", ("--target", target), ("--labels", labels)) }
    if testInput != nil {
      try expectOne("--test-input", ("--test-target", testTarget), ("--test-labels", testLabels))
    }
    if testInput == nil && (testTarget != nil || testLabels != nil) {
      throw ValidationError("--test-target and --test-labels need --test-input")
    }
    if let testShare {
      guard testShare > 0 && testShare < 1 else {
        throw ValidationError("--test-share is \(testShare), expected a share between 0 and 1")
      }
      guard data == nil && testInput == nil else {
        throw ValidationError(
          "--test-share is for --input without --test-input; \(data == nil ? "--test-input" : "--data") "
            + "has test samples of its own")
      }
    }
  }

  /// Whether some samples are for testing only.
  var hasTestSamples: Bool { data != nil || testInput != nil || testShare != nil }

  /// What the data call for where the command line does not say.
  var defaultActivation: OutputActivation {
    switch data {
    case .digits, .blobs: .softmax
    case .circular: .sigmoid
    case .paraboloid, .saddle: .identity
    case nil: labels == nil ? .identity : .softmax
    }
  }

  /// Samples with what is known of them.
  struct Samples {
    var train: TrainingData
    var test: TrainingData?
    /// What the outputs stand for; empty where nobody says.
    var classNames: [String] = []
    /// What the inputs are called; nil where they have no names.
    var inputNames: [String]?
  }

  /// The samples, checked against the network.
  func load(for network: Network, _ arrays: ArrayOptions, seed: UInt64) throws -> Samples {
    if let data {
      let set: Dataset
      if data == .digits {
        set = Digits.load()
      } else {
        var generator = RandomGenerator(seed: seed)
        set = SyntheticTask(rawValue: data.rawValue)!.generate(using: &generator)
      }
      return Samples(
        train: try TrainingData(input: set.trainInput, target: set.trainTarget, for: network),
        test: try TrainingData(input: set.testInput, target: set.testTarget, for: network))
    }
    let source = try arrays.source(input!)
    let trainLabels = try labels.map {
      try Labels($0, option: "--labels", for: network, arrays: arrays)
    }
    var samples = Samples(
      train: try part(
        source, as: "--input", (target, trainLabels), as: ("--target", "--labels"), network, arrays)
    )
    samples.inputNames = arrays.samples == .rows ? source.columnNames : nil
    samples.classNames = trainLabels?.classNames(of: network) ?? []
    if let testInput {
      let known = trainLabels?.names ?? []
      let labels = try testLabels.map {
        try Labels(
          $0, option: "--test-labels", for: network, arrays: arrays,
          known: known.isEmpty ? nil : known)
      }
      samples.test = try part(
        arrays.source(testInput), as: "--test-input", (testTarget, labels),
        as: ("--test-target", "--test-labels"), network, arrays)
    }
    if let testShare {
      // Generators of their own: batches are the same with and without.
      var generator = RandomGenerator(seed: seed &+ 0x7E57)
      let (train, test) = try samples.train.split(
        holdingOut: testShare, named: "--test-share", using: &generator)
      Note.say(
        "\(train.count) samples for training, \(test.count) for testing (--test-share \(testShare), "
          + "--seed \(seed))")
      (samples.train, samples.test) = (train, test)
    }
    return samples
  }

  private func part(
    _ input: ArraySource, as inputOption: String, _ target: (reference: String?, labels: Labels?),
    as options: (target: String, labels: String), _ network: Network, _ arrays: ArrayOptions
  ) throws -> TrainingData {
    let y = try target.reference.map { try arrays.read($0) } ?? target.labels!.target
    return try TrainingData(
      input: arrays.quantity(input), target: y, for: network,
      named: (
        "\(inputOption) \(input.reference)",
        target.reference.map { "\(options.target) \($0)" } ?? options.labels
      ))
  }
}
