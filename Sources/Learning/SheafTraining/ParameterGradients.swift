import LinearAlgebra
import NeuralSheaves

/// One matrix for each parameter of each edge of a network.
public struct ParameterGradients: Sendable {
  /// By edge, then by parameter.
  public var edges: [[Matrix]]

  /// Zeros of the shapes of a network's parameters.
  public init(of network: Network) {
    edges = network.edges.map { edge in
      edge.operation.parameters.map { Matrix(rows: $0.rows, columns: $0.columns) }
    }
  }

  init(edges: [[Matrix]]) { self.edges = edges }

  /// self ← self + other.
  public mutating func add(_ other: ParameterGradients) {
    for e in edges.indices {
      for i in edges[e].indices { edges[e][i].add(other.edges[e][i]) }
    }
  }
}
