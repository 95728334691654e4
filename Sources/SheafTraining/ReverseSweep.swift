import LinearAlgebra
import NeuralSheaves

/// δ_Ω⁻ᵀ of a cochain that is not 0 at z_{k+1} alone, in place: u_s = Σ R_πᵀ u_t over the edges out of
/// s. Where each vertex is written first and last is known beforehand, so nothing is cleared.
struct ReverseSweep: Sendable {
  /// Whether an edge is the last out of its source: the first that the sweep comes to.
  private let isLast: [Bool]
  /// The vertices that nothing reads.
  private let unread: [Int]

  init(_ network: Network) {
    var last = [Int](repeating: -1, count: network.vertices.count)
    for (e, edge) in network.edges.enumerated() { last[edge.source] = e }
    isLast = network.edges.indices.map { last[network.edges[$0].source] == $0 }
    unread = last.indices.dropLast().filter { last[$0] < 0 }
  }

  /// Runs the sweep; the input's part is not worked out.
  ///
  /// - Parameter onEdge: called with each edge and u at its target, which is final then.
  func run(
    _ network: Network, _ patterns: [ActivationPattern], _ seed: Matrix, into u: inout [Matrix],
    onEdge: (Int, Matrix) -> Void = { _, _ in }
  ) {
    u[network.lastVertex].set(seed)
    for v in unread where v > 0 { u[v].fill(0) }
    for (e, edge) in network.edges.enumerated().reversed() {
      let v = u[edge.target]
      onEdge(e, v)
      if edge.source != 0 {
        edge.operation.addTranspose(
          v, at: patterns[e], keeping: isLast[e] ? 0 : 1, into: &u[edge.source])
      }
    }
  }
}
