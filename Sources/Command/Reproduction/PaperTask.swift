import Datasets
import LinearAlgebra
import NeuralSheaves
import SheafTraining

/// One of the paper's eight training runs (§6.2): a task, a network, and its settings.
struct PaperTask: Sendable {
  let task: SyntheticTask
  /// 1: one hidden layer; 2: two.
  let depth: Int

  static let all: [PaperTask] = [1, 2].flatMap { depth in
    SyntheticTask.allCases.map { PaperTask(task: $0, depth: depth) }
  }
  static func named(_ task: SyntheticTask, _ depth: Int) -> PaperTask {
    PaperTask(task: task, depth: depth)
  }

  var isRegression: Bool { task == .paraboloid || task == .saddle }
  var name: String { "\(task.rawValue) \(widths)" }
  var activation: OutputActivation {
    isRegression ? .identity : task == .blobs ? .softmax : .sigmoid
  }
  var widths: [Int] {
    [2] + (depth == 1 ? [isRegression ? 30 : 25] : [10, 8]) + [task.outputDimension]
  }
  /// dt, the number of steps, and gradient descent's rate.
  var step: Double { depth == 1 ? 0.005 : 0.01 }
  var steps: Int { depth == 1 ? 100_000 : 200_000 }
  var rate: Double { isRegression ? 0.005 : 0.01 }
  /// Regressions start from random stalks and keep them; classifications start from the forward pass and go back
  /// there every 1000 steps.
  var startsAtRandom: Bool { isRegression }

  /// The test losses that the authors' implementation ends at: the sheaf's and gradient descent's.
  var paperLosses: (sheaf: Double, descent: Double) {
    switch (task, depth) {
    case (.paraboloid, 1): (0.08836, 0.00445)
    case (.saddle, 1): (0.01059, 0.00126)
    case (.circular, 1): (0.06791, 0.00309)
    case (.blobs, 1): (0.12124, 0.26126)
    case (.paraboloid, _): (0.08798, 0.00952)
    case (.saddle, _): (0.01264, 0.00115)
    case (.circular, _): (0.01881, 0.00032)
    case (.blobs, _): (0.13232, 0.67580)
    }
  }

  /// 300 training and 100 test samples and a network, from a seed.
  func setting(seed: UInt64) throws -> (network: Network, train: TrainingData, test: TrainingData) {
    var generator = RandomGenerator(seed: seed)
    let data = task.generate(using: &generator)
    let network = try Network(widths: widths, outputActivation: activation, using: &generator)
    return (
      network, try TrainingData(input: data.trainInput, target: data.trainTarget, for: network),
      try TrainingData(input: data.testInput, target: data.testTarget, for: network)
    )
  }
}
