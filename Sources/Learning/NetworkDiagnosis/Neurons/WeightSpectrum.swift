import LinearAlgebra
import NeuralSheaves

/// The singular values of the weights of an edge, a convolution's as the matrix of its filters.
public struct WeightSpectrum: Sendable {
  /// The edge.
  public let edge: Int
  /// The singular values, descending.
  public let values: [Double]
  /// How many are more than 10⁻⁶ of the largest.
  public let rank: Int

  /// ‖W‖_F²/‖W‖₂².
  public var stableRank: Double {
    guard let top = values.first, top > 0 else { return 0 }
    return values.reduce(0) { $0 + $1 * $1 } / (top * top)
  }

  /// Of every edge with a weight. Cost: a singular value decomposition of each.
  public static func all(
    _ network: Network, thresholds: FindingThresholds = .init()
  ) throws(FactorizationError) -> [WeightSpectrum] {
    var result: [WeightSpectrum] = []
    for (e, edge) in network.edges.enumerated() where edge.operation.kind == .affine {
      guard let i = edge.operation.parameterNames.firstIndex(of: "weight") else { continue }
      let w = edge.operation.parameters[i]
      var gram = Matrix(rows: min(w.rows, w.columns), columns: min(w.rows, w.columns))
      // Values down to 10⁻⁸ of the largest are told from 0 by their squares' eigenvalues; small matrices by an SVD.
      let values: [Double]
      if gram.rows <= 512 {
        values = try SingularValueDecomposition(w).values
      } else {
        gram.addGram(w, transposed: w.rows > w.columns, keeping: 0)
        values = try SymmetricEigendecomposition(gram, vectors: false).values.reversed()
          .map { max($0, 0).squareRoot() }
      }
      let rank = values.count { $0 > thresholds.rank * (values.first ?? 0) }
      result.append(WeightSpectrum(edge: e, values: values, rank: rank))
    }
    return result
  }

  func findings(_ network: Network) -> [Finding] {
    guard rank < values.count else { return [] }
    let name = network.edgeName(edge)
    return [
      Finding(
        .rankDeficient, network.vertices[network.edges[edge].target].name,
        share: Double(rank) / Double(values.count),
        "the weights of \(name) have rank \(rank), of \(values.count) possible")
    ]
  }
}
