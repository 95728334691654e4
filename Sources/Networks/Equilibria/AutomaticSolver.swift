import LinearAlgebra
import NeuralSheaves
import PiecewiseEnergies

/// Pinned equilibria by the method that a problem calls for (`EquilibriumMethod.chosen(for:)`): `DirectSolver` or
/// `IterativeSolver`.
///
/// Where it is direct, a sample whose face turns out to have too many rows for that goes on over faces that
/// conjugate gradients solve (`FaceBudget`).
public struct AutomaticSolver: EquilibriumSolver {
  public var settings: SolverSettings
  public var progress: (@Sendable (Int) -> Void)?

  public init(_ settings: SolverSettings) { self.settings = settings }

  /// Relaxes a batch. Memory: a few states of the network, and at most 64 MB for each thread and sample of a
  /// group; open inputs are direct whatever their size.
  public func solve(
    _ energy: PinnedEnergy, input: Matrix, from start: SheafState?
  ) throws(EquilibriumError) -> PinnedEquilibrium {
    guard EquilibriumMethod.auto.chosen(for: energy) == .direct else {
      var iterative = IterativeSolver(settings)
      iterative.progress = progress
      return try iterative.solve(energy, input: input, from: start)
    }
    try energy.check(input, from: start)
    return FaceDescent(faceSolver: .cheaper, settings: settings, progress: progress)
      .relax(energy, input: input, from: start.map(energy.imposed))
  }
}
