import FaultLocation
import LinearAlgebra
import NeuralSheaves

/// How two networks differ on the same samples.
public struct NetworkDifference: Sendable {
  /// Samples that are put into different classes, ascending; empty where outputs are no classes.
  public let disagreements: [Int]
  /// The classes by this network and by the other; empty where outputs are no classes.
  public let predicted: [(own: Int, other: Int)]
  /// ‖z − z′‖/‖z‖ over all samples.
  public let relative: Double
  /// The samples that only this network, and only the other, gets right, where classes are known.
  public let onlyRight: (own: [Int], other: [Int])?
  /// The p-value that neither is right more often, from those samples alone (the exact test of McNemar 1947); nil where classes are not known.
  public let pValue: Double?
  /// By layer of both, where their graphs correspond, how much its result differs on the other's own activations.
  public let layers: [(name: String, discrepancy: Double)]
  /// The stalks of either network that were compared.
  public let stalks: (own: [Int], other: [Int])
  /// Linear centred kernel alignment of every two stalks (`StalkKernel`), (own, other): 1 where one is a rotated and scaled copy of the other, about 0 where
  /// they have nothing in common; NaN for fewer than four samples.
  public let alignment: Matrix

  /// Compares networks of the same inputs and outputs.
  ///
  /// Cost: a forward pass of the other; n² numbers for each stalk of n samples, at most `most`.
  public init(_ samples: NetworkSamples, _ other: Network, most: Int = 300) {
    let network = samples.network
    precondition(
      other.inputDimension == network.inputDimension
        && other.outputDimension == network.outputDimension)
    let z = other.logits(samples.input)
    var difference = z
    difference.add(samples.logits, scale: -1)
    relative = (difference.sumOfSquares / samples.logits.sumOfSquares).squareRoot()
    if network.classCount != nil {
      let (own, theirs) = (network.classLogits(samples.logits), network.classLogits(z))
      let pairs = (0..<samples.count).map { j in
        (own: own.largestRow(ofColumn: j), other: theirs.largestRow(ofColumn: j))
      }
      let apart = pairs.indices.filter { pairs[$0].own != pairs[$0].other }
      (predicted, disagreements) = (pairs, apart)
      onlyRight = samples.classes.map { classes in
        (
          apart.filter { pairs[$0].own == classes[$0] },
          apart.filter { pairs[$0].other == classes[$0] }
        )
      }
    } else {
      (predicted, disagreements, onlyRight) = ([], [], nil)
    }
    pValue = onlyRight.map { signTest($0.own.count, $0.other.count) }
    let comparison = try? ActivationComparison(
      network, reference: other, input: samples.input)
    layers =
      comparison.map { zip(network.layers, $0.discrepancies).map { ($0.name, $1) } } ?? []
    stalks = (network.activatedVertices, other.activatedVertices)
    let some = samples.spread(most)
    let state = NeuralSheaf(other).forwardPass(samples.input.columns(some))
    let (a, b) = (
      stalks.own.map { StalkKernel(samples.state.stalks[$0].columns(some)) },
      stalks.other.map { StalkKernel(state.stalks[$0]) }
    )
    var alignment = Matrix(rows: a.count, columns: b.count)
    for (i, own) in a.enumerated() {
      for (k, theirs) in b.enumerated() {
        alignment[i, k] = some.count > 3 ? own.alignment(theirs) : .nan
      }
    }
    self.alignment = alignment
  }
}
