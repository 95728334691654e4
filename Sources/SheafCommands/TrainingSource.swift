import ArgumentParser
import ArrayFiles
import Datasets
import LinearAlgebra
import NeuralSheaves
import SheafTraining

/// Where training samples come from.
struct TrainingSource: ParsableArguments {
  enum Data: String, CaseIterable, ExpressibleByArgument {
    case digits, paraboloid, saddle, circular, blobs
  }

  @Option(help: "A data set: digits, paraboloid, saddle, circular or blobs.") var data: Data?
  @Option(help: "The training input, an ARRAY.") var input: String?
  @Option(help: "The training targets, an ARRAY.") var target: String?
  @Option(help: "The training labels 0, 1, …, an ARRAY, one per sample.") var labels: String?
  @Option(help: "The test input, an ARRAY.") var testInput: String?
  @Option(help: "The test targets, an ARRAY.") var testTarget: String?
  @Option(help: "The test labels, an ARRAY.") var testLabels: String?

  func validate() throws {
    guard (data == nil) != (input == nil) else {
      throw ValidationError("expected either --data or --input")
    }
    if data != nil, target ?? labels ?? testInput != nil {
      throw ValidationError("--data has its own targets and test samples")
    }
    if input != nil && (target == nil) == (labels == nil) {
      throw ValidationError("--input needs either --target or --labels")
    }
    if testInput != nil && (testTarget == nil) == (testLabels == nil) {
      throw ValidationError("--test-input needs either --test-target or --test-labels")
    }
    if testInput == nil && (testTarget != nil || testLabels != nil) {
      throw ValidationError("--test-target and --test-labels need --test-input")
    }
  }

  /// What the data call for where the command line does not say.
  var defaultActivation: OutputActivation {
    switch data {
    case .digits, .blobs: .softmax
    case .circular: .sigmoid
    case .paraboloid, .saddle: .identity
    case nil: labels == nil ? .identity : .softmax
    }
  }

  /// The samples, checked against the network.
  func load(
    for network: Network, _ arrays: ArrayOptions, seed: UInt64
  ) throws -> (train: TrainingData, test: TrainingData?) {
    if let data {
      let set: Dataset
      if data == .digits {
        set = try Digits.load()
      } else {
        var generator = RandomGenerator(seed: seed)
        set = SyntheticTask(rawValue: data.rawValue)!.generate(using: &generator)
      }
      return (
        try TrainingData(input: set.trainInput, target: set.trainTarget, for: network),
        try TrainingData(input: set.testInput, target: set.testTarget, for: network)
      )
    }
    func part(_ input: String, _ target: String?, _ labels: String?) throws -> TrainingData {
      let x = try arrays.read(input)
      let y = try target.map { try arrays.read($0) } ?? oneHot(labels!, network)
      return try TrainingData(input: x, target: y, for: network)
    }
    return (
      try part(input!, target, labels),
      try testInput.map { try part($0, testTarget, testLabels) }
    )
  }

  private func oneHot(_ reference: String, _ network: Network) throws -> Matrix {
    let array = try ArrayFile.read(reference)
    guard array.shape.filter({ $0 != 1 }).count <= 1 else {
      throw NetworkError.quantity(
        name: reference, found: "\(array.shape)", expected: "one label per sample")
    }
    if network.outputDimension == 1 && network.outputActivation == .sigmoid {
      if let (j, label) = array.elements.enumerated().first(where: { $1 != 0 && $1 != 1 }) {
        throw NetworkError.value(
          name: "label \(j) of \(reference)", found: "\(label)",
          expected: "0 or 1 for a single sigmoid output")
      }
      return Matrix(rows: 1, columns: array.elements.count, columnMajor: array.elements)
    }
    return try TrainingData.oneHot(array.elements, classes: network.outputDimension)
  }
}
