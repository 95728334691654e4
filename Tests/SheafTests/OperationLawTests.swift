import LinearAlgebra
import NeuralSheaves
import SheafLaws
import Testing

/// What every operation must keep to, on its own: the laws of SheafLaws over the operations of random graphs.
struct OperationLawTests {
  static let seeds = NeuralSheafLawTests.graphSeeds + NeuralSheafLawTests.allOperationSeeds

  /// Checks a law for all operations of a random graph.
  private func check(_ law: OperationLaw, seed: UInt64) throws {
    let (network, _) = try randomNetwork(seed: seed)
    var compared = 0
    for operation in network.edges.map(\.operation) {
      let report = checkOperation(operation, laws: [law], seed: seed)
      #expect(report.violations.isEmpty, "seed \(seed)")
      compared += report.comparisons[law, default: 0]
    }
    // Every graph ends in a dense layer; a graph may have no branches.
    #expect(compared > 0 || !network.edges.contains { $0.operation.isStateDependent })
  }

  /// The laws below look at some operations only: there are enough of each.
  @Test func everyKindOfOperationIsDrawn() throws {
    var counts: [String: Int] = [:]
    for seed in Self.seeds {
      for operation in try randomNetwork(seed: seed).0.edges.map(\.operation) {
        counts["\(type(of: operation))", default: 0] += 1
        counts[operation.isStateDependent ? "state-dependent" : "affine", default: 0] += 1
        if !operation.parameterNames.isEmpty { counts["with parameters", default: 0] += 1 }
      }
    }
    for name in [
      "AveragePooling", "ChannelAffine", "Convolutional", "Dense", "Elementwise", "Inclusion",
      "MaximumPooling", "ParametricRectifier", "Relabelled", "Sum",
    ] {
      #expect(counts[name, default: 0] >= 20, "\(name): \(counts)")
    }
    for name in ["state-dependent", "affine", "with parameters"] {
      #expect(counts[name, default: 0] >= 300, "\(name): \(counts)")
    }
  }

  @Test(arguments: seeds) func patternReproducesTheOperation(seed: UInt64) throws {
    try check(.patternReproducesTheOperation, seed: seed)
  }

  @Test(arguments: seeds) func transposeIsAdjoint(seed: UInt64) throws {
    try check(.transposeIsAdjoint, seed: seed)
  }

  @Test(arguments: seeds) func rowsAreTransposedUnits(seed: UInt64) throws {
    try check(.rowsAreTransposedUnits, seed: seed)
  }

  @Test(arguments: seeds) func branchesAndBoundariesDescribeThePattern(seed: UInt64) throws {
    try check(.branchesAndBoundariesDescribeThePattern, seed: seed)
  }

  @Test(arguments: seeds) func parameterGradientsAreFiniteDifferences(seed: UInt64) throws {
    try check(.parameterGradientsAreFiniteDifferences, seed: seed)
  }

  @Test(arguments: seeds) func relaxationIsItsDefinition(seed: UInt64) throws {
    try check(.relaxationIsItsDefinition, seed: seed)
  }

  @Test(arguments: seeds) func solvedMomentsAreLeastSquares(seed: UInt64) throws {
    try check(.solvedMomentsAreLeastSquares, seed: seed)
  }
}
