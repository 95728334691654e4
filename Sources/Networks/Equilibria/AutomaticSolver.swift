import LinearAlgebra
import NeuralSheaves
import PiecewiseEnergies

/// Pinned equilibria by descent over faces, each solved in the way that takes less work and little memory:
/// by its Schur complement, or by conjugate gradients.
///
/// For up to 128 pinned coordinates it begins as `DirectSolver`; a sample whose face turns out to have too many
/// rows for that, as where places of windows are tied by the thousand, goes on as `IterativeSolver` does.
/// With more pins it is that from the start.
public struct AutomaticSolver: EquilibriumSolver {
  public var settings: SolverSettings
  public var progress: (@Sendable (Int) -> Void)?

  public init(_ settings: SolverSettings) { self.settings = settings }

  /// Relaxes a batch. Memory: a few states of the network, and at most 64 MB for each thread and sample of a
  /// group; open inputs are direct whatever their size.
  public func solve(
    _ energy: PinnedEnergy, input: Matrix, from start: SheafState?
  ) throws(EquilibriumError) -> PinnedEquilibrium {
    try energy.check(input, from: start)
    return FaceDescent(
      faceSolver: EquilibriumMethod.auto.chosen(for: energy) == .direct ? .cheaper : .iterative,
      settings: settings, progress: progress
    ).relax(energy, input: input, from: start.map(energy.imposed))
  }
}
