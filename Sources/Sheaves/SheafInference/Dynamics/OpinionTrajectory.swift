import LinearAlgebra

/// Opinions at some moments of a dynamics on a sheaf, with what is left of disagreement there.
public struct OpinionTrajectory: Sendable {
  /// When: times of the flow, or the numbers of updates or steps made. Where a dynamics ended early, only those reached.
  public internal(set) var times: [Double] = []
  /// The cochains of degree 0 then, one per column, in the coordinates of the stalks.
  public internal(set) var states: [Matrix] = []
  /// The energy of each column then: ½‖δx‖², for bounded confidence Ψ = ½ Σ min(‖(δx)_e‖², ε²).
  public internal(set) var energies: [[Double]] = []
  /// The updates or steps made; 0 for the flow, which needs none.
  public internal(set) var steps = 0
  /// The last state, whether it was asked for or not.
  public internal(set) var last: Matrix
  /// `converged` where the last state rests or the times asked for were reached exactly; `stepLimit` where the last step
  /// asked for was reached with opinions still moving.
  public internal(set) var status: SolutionStatus

  init(last: Matrix, status: SolutionStatus) { (self.last, self.status) = (last, status) }

  mutating func record(_ state: Matrix, at time: Double, energies: [Double]) {
    times.append(time)
    states.append(state)
    self.energies.append(energies)
    last = state
  }
}
