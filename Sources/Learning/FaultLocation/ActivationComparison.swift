import LinearAlgebra
import NeuralSheaves

/// How each layer of a deployed network differs from that of a reference on the reference's own activations.
public struct ActivationComparison: Sendable {
  /// By layer the largest over its edges of ‖P(s) − t‖/‖t‖, s and t the reference's activations at the ends of the edge and P the
  /// deployed operation.
  public let discrepancies: [Double]

  /// Compares networks of one graph. Cost: a forward pass of each.
  ///
  /// - Throws: `FaultError.structure` for networks whose vertices and edges do not correspond.
  public init(
    _ deployed: Network, reference: Network, input: Matrix
  ) throws(FaultError) {
    func shape(_ network: Network) -> [Int] { network.vertices.map(\.dimension) }
    func ends(_ network: Network) -> [[Int]] { network.edges.map { [$0.source, $0.target] } }
    guard shape(deployed) == shape(reference), ends(deployed) == ends(reference) else {
      throw .structure(
        found: "\(reference.edges.count) operations on stalks of \(shape(reference).prefix(12))",
        expected: "\(deployed.edges.count) on \(shape(deployed).prefix(12))")
    }
    try deployed.checkProbes(input)
    let layers = deployed.layers
    guard !layers.isEmpty else { throw .noLayers }
    let state = NeuralSheaf(reference).forwardPass(input)
    for (v, stalk) in state.stalks.enumerated() {
      if let (_, j) = stalk.firstNonFinite {
        throw .notFinite(name: "\(reference.vertices[v].name) of the reference", sample: j)
      }
    }
    let rho = NeuralSheaf(deployed).discrepancy(state)
    discrepancies = layers.map { layer in
      layer.edges.reduce(0) { worst, e in
        let edge = deployed.edges[e]
        let rows = edge.operation.targetRows
        let own = rho[edge.target].sumOfSquares(rows: rows)
        let whole = state.stalks[edge.target].sumOfSquares(rows: rows)
        return max(worst, (own / max(whole, .leastNormalMagnitude)).squareRoot())
      }
    }
    guard discrepancies.contains(where: { $0 > 1e-12 }) else {
      throw .noDifference(relative: discrepancies.max()!)
    }
  }
}
