import Datasets
import Equilibria
import LinearAlgebra
import NeuralSheaves
import Testing

@testable import SheafTraining

/// Each way of training by local discrepancy learns the digits.
struct DigitsTrainingTests {
  enum Method: String, CaseIterable { case adam, local, leastSquares, coordinate }

  @Test(arguments: Method.allCases) func digitsAreLearnt(method: Method) throws {
    var g = RandomGenerator(seed: 1)
    let network = try Network(widths: [64, 32, 10], outputActivation: .softmax, using: &g)
    let set = Digits.load()
    let train = try TrainingData(input: set.trainInput, target: set.trainTarget, for: network)
    let test = try TrainingData(input: set.testInput, target: set.testTarget, for: network)
    var settings: GradientTraining.Settings
    var rule = try EquilibriumRule()
    var epochs = 8
    switch method {
    case .adam: settings = try .init(.adam, rate: 0.005, batch: 32)
    case .local: settings = try .init(.local, batch: 32)
    case .leastSquares:
      settings = try .init(.leastSquares, batch: 256)
      rule = try EquilibriumRule(coupling: .constant(0.1))
      epochs = 20
    case .coordinate:
      settings = try .init(.leastSquares)
      settings.keepsStalks = true
      rule = try EquilibriumRule(
        coupling: .constant(1), relaxation: .solver(.coordinate, tolerance: 1e-8, stepLimit: 3))
      epochs = 30
    }
    var run = try TrainingRun(
      GradientTraining(network, data: train, rule: rule, settings: settings), epochs: epochs,
      test: test)
    #expect(try run.run() == .completed)
    let accuracies = run.records.map { $0.test!.accuracy! }
    #expect(accuracies[0] < 0.4)
    #expect(accuracies.last! >= 0.93, "\(accuracies)")
  }
}
