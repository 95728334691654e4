import LinearAlgebra
import NeuralSheaves
import PiecewiseEnergies

/// Pinned equilibria by the method that a problem calls for (`EquilibriumMethod.chosen(for:)`): `DirectSolver` or
/// `IterativeSolver`.
public struct AutomaticSolver: EquilibriumSolver {
  public var settings: SolverSettings
  public var progress: (@Sendable (Int) -> Void)?

  public init(_ settings: SolverSettings) { self.settings = settings }

  /// Relaxes a batch.
  public func solve(
    _ energy: PinnedEnergy, input: Matrix, from start: SheafState?
  ) throws(EquilibriumError) -> PinnedEquilibrium {
    let isDirect = EquilibriumMethod.auto.chosen(for: energy) == .direct
    var solver: any EquilibriumSolver =
      isDirect ? DirectSolver(settings) : IterativeSolver(settings)
    solver.progress = progress
    return try solver.solve(energy, input: input, from: start)
  }
}
