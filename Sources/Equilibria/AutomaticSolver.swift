import Foundation
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
  /// The most steps.
  public var stepLimit: Int
  /// The residual that counts as converged.
  public var tolerance: Double
  /// The most threads.
  public var threads: Int
  /// When to end early; the samples still open then have its reason for a status.
  public var halt = Halt.never
  /// Told how many samples have ended since the last call, from any thread.
  public var progress: (@Sendable (Int) -> Void)?

  /// A solver with its settings.
  public init(
    stepLimit: Int = 1000, tolerance: Double = 1e-8,
    threads: Int = ProcessInfo.processInfo.activeProcessorCount
  ) {
    precondition(stepLimit > 0 && tolerance > 0)
    (self.stepLimit, self.tolerance, self.threads) = (stepLimit, tolerance, threads)
  }

  /// Relaxes a batch. Memory: a few states of the network, and at most 64 MB for each thread and sample of a
  /// group; open inputs are direct whatever their size.
  public func solve(
    _ energy: PinnedEnergy, input: Matrix, from start: SheafState?
  ) throws(EquilibriumError) -> PinnedEquilibrium {
    try energy.check(input, from: start)
    return FaceDescent(
      faceSolver: EquilibriumMethod.auto.chosen(for: energy) == .direct ? .cheaper : .iterative,
      stepLimit: stepLimit, tolerance: tolerance, threads: threads, halt: halt, progress: progress
    ).relax(energy, input: input, from: start.map(energy.imposed))
  }
}
