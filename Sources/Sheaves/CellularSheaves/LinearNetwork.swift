import CellComplexes
import LinearAlgebra

extension CellularSheaf {
  /// A linear connection of a network: the activity of its target is predicted as W times that of its source.
  public struct Connection: Sendable {
    /// The vertex that predicts.
    public let source: Int
    /// The vertex that is predicted.
    public let target: Int
    /// W, (dimension of the target, dimension of the source).
    public let weight: Matrix

    /// A connection between two vertices, or from one to itself.
    public init(from source: Int, to target: Int, weight: Matrix) {
      (self.source, self.target, self.weight) = (source, target, weight)
    }
  }

  /// The sheaf of a linear network, cycles allowed: activities on the vertices, and for each connection an edge with the
  /// stalk of its target, W from the source and the identity from the target, so that (δz)_e = z_t − W z_s is the
  /// prediction error (Seely 2025, arXiv:2511.11092).
  ///
  /// Global sections are the activities without any error. H¹ is what errors no activity can produce or remove: δ δ⁺
  /// projects errors onto what inference can explain, and the harmonic part of the Hodge decomposition is left. A network
  /// without cycles and with exactly one connection into each vertex that is not held has neither; each further connection
  /// adds the dimension of its target to H¹. A loop whose weights multiply to T has ker(1 − T) and its cokernel.
  public static func linearNetwork(
    dimensions: [Int], connections: [Connection]
  ) throws -> CellularSheaf {
    let complex = try CellComplex.graph(
      vertices: dimensions.count, edges: connections.map { ($0.source, $0.target) })
    return try CellularSheaf(
      complex, stalks: dimensions + connections.map { dimensions[$0.target] },
      map: { i in
        let connection = connections[i / 2]
        return i % 2 == 0 ? .matrix(connection.weight) : .identity
      })
  }
}
