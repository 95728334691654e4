import LinearAlgebra
import NeuralSheaves
import SheafProbability

extension EdgeNoise {
  /// Noise in proportion to the signal: γ_e = 1/s_e, s_e the mean square over samples and coordinates of what the edge determines.
  ///
  /// A network whose layers are scaled up and down without changing its function has the same covariance of z_{k+1}, the same share of
  /// every edge and the same flip energies, which it has not for γ = 1. Where a quantity is 0 throughout its noise has the variance 10⁻¹² of the
  /// largest.
  ///
  /// - Parameter state: such as the forward pass of some samples.
  /// - Throws: `stiffness` where values are not finite.
  public static func relative(
    to state: SheafState, of network: Network
  ) throws(ProbabilityError) -> EdgeNoise {
    let squares = network.edges.map { edge in
      let rows = edge.operation.targetRows
      return state.stalks[edge.target].sumOfSquares(rows: rows)
        / Double(max(rows.count * state.batch, 1))
    }
    let largest = squares.reduce(0, max)
    return try EdgeNoise(
      squares.map { largest > 0 ? 1 / max($0, 1e-12 * largest) : 1 }, of: network)
  }
}
