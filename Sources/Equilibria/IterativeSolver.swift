import Foundation
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

  /// Relaxes a batch.
  ///
  /// Cost, per sample and step: two sweeps for each iteration, of which there are 10–100.
  /// - Throws: `EquilibriumError.unsupported` for a freed input without prior.
  public func solve(
    _ energy: PinnedEnergy, input: Matrix, from start: SheafState?
  ) throws(EquilibriumError) -> PinnedEquilibrium {
    try energy.check(input, from: start)
    if let open = energy.openInput.first {
      throw .unsupported(
        method: "iterative",
        reason: "input coordinate \(open) is free without a prior; the direct method takes it")
    }
    return FaceDescent(
      faceSolver: .iterative, stepLimit: stepLimit, tolerance: tolerance, threads: threads,
      halt: halt, progress: progress
    ).relax(energy, input: input, from: start.map(energy.imposed))
  }
}
