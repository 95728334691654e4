import LinearAlgebra
import NeuralSheaves
import PiecewiseEnergies

/// Pinned equilibria by descent over faces, each solved by conjugate gradients in the discrepancies:
/// roughly until the pattern settles, closely then. For many pins or kinks, as in convolutional and
/// pooled networks.
///
/// It takes the same kind of steps as `DirectSolver`, but not the same steps: where minima coexist it
/// may end in another.
public struct IterativeSolver: EquilibriumSolver {
  public var settings: SolverSettings
  public var progress: (@Sendable (Int) -> Void)?

  public init(_ settings: SolverSettings) { self.settings = settings }

  /// Relaxes a batch.
  ///
  /// Cost, per sample and step: two sweeps for each iteration, of which there are 10–100.
  /// - Throws: `EquilibriumError.unsupported` for a freed input without prior.
  public func solve(
    _ energy: PinnedEnergy, input: Matrix, from start: SheafState?
  ) throws(EquilibriumError) -> PinnedEquilibrium {
    try energy.check(input, from: start)
    try energy.checkPriors(for: "iterative")
    return FaceDescent(
      faceSolver: .iterative, settings: settings, progress: progress
    ).relax(energy, input: input, from: start.map(energy.imposed))
  }
}
