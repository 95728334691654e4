import LinearAlgebra
import NeuralSheaves

/// The end of a relaxation with pins: a state at which 0 ∈ ∂E, sample by sample.
public struct PinnedEquilibrium: Sendable {
  /// How each sample ended.
  public internal(set) var statuses: [SolutionStatus]
  /// The stalks.
  public internal(set) var state: SheafState
  /// E of each sample, soft pins included.
  public internal(set) var energies: [Double]
  /// ‖the smallest element of ∂E‖∞ / max(1, ‖t − Eω‖∞) of each sample, t − Eω the distance of the
  /// pins from the forward pass; read off the state alone.
  public internal(set) var residuals: [Double]
  /// The steps of each sample.
  public internal(set) var iterations: [Int]
  /// How many coordinates of each sample rest on a kink.
  public internal(set) var kinkNeurons: [Int]
  /// How many coordinates of each sample are tied with the maximum of a window.
  public internal(set) var tiedCoordinates: [Int]

  /// The forces that the pins exert: ∂E/∂c at each held coordinate, and γ(t − c) at a softly held
  /// one; one matrix per vertex, 0 elsewhere. Cost: two sweeps.
  public func pinForces(_ sheaf: NeuralSheaf, _ pins: Pins) -> [Matrix] {
    let gradient = sheaf.coboundaryTransposed(
      sheaf.discrepancy(state), at: sheaf.patterns(at: state))
    return state.stalks.indices.map { v in
      var force = Matrix(rows: state.stalks[v].rows, columns: state.batch)
      for j in 0..<state.batch {
        for pin in pins.soft(v) {
          for (p, i) in pin.rows.enumerated() {
            force[i, j] += pin.stiffness * (pin.values[p, j] - state.stalks[v][i, j])
          }
        }
        for i in pins.held(v) where v > 0 { force[i, j] = gradient[v][i, j] }
      }
      return force
    }
  }
}
