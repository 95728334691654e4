import Foundation
import LinearAlgebra
import NeuralSheaves
import PiecewiseEnergies

/// Pinned equilibria by block coordinate descent: every stalk in turn is set to the best value for its
/// neighbours' (cf. Zeng et al., arXiv:1803.00225; Taylor et al., arXiv:1605.02026).
///
/// A stalk that affine operations read solves (Γ + Σ RᵀΓR) a = …, whose matrix has no pattern in it:
/// one Cholesky factorisation per stalk serves the whole batch; a stalk too large for that takes some
/// conjugate gradients, which lower the energy as well. A stalk that elementwise operations read
/// takes, coordinate by coordinate, the best of the minimisers on its branches; z_{k+1} the minimiser
/// with its output edge. Stalks of one colour share no edge: all z, then all a.
///
/// Local and monotone: no sweep through the network, the energy never rises, and a kink couples one
/// coordinate alone, so that where blocks are at their best, 0 ∈ ∂E. Convergence is linear.
public struct CoordinateSolver: EquilibriumSolver {
  /// The most rounds through all stalks.
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
    stepLimit: Int = 100_000, tolerance: Double = 1e-8,
    threads: Int = ProcessInfo.processInfo.activeProcessorCount
  ) {
    precondition(stepLimit > 0 && tolerance > 0)
    (self.stepLimit, self.tolerance, self.threads) = (stepLimit, tolerance, threads)
  }

  /// Relaxes a batch.
  ///
  /// Cost: a Cholesky factorisation for each stalk that affine operations read, once; then two
  /// products per affine operation and two solves per such stalk in every round. Memory: the square of
  /// each stalk's dimension up to 64 MB, nothing for larger ones.
  /// - Throws: `EquilibriumError.unsupported` naming the stalk where a block has no closed form: one
  ///   that pooling reads, or affine and state-dependent operations both.
  public func solve(
    _ energy: PinnedEnergy, input: Matrix, from start: SheafState?
  ) throws(EquilibriumError) -> PinnedEquilibrium {
    try energy.check(input, from: start)
    let rounds = try BlockDescent(energy)
    let (halt, progress) = (halt, progress)
    let flat = FlatNetwork(energy.sheaf.network)
    let (stepLimit, tolerance) = (stepLimit, tolerance)
    return relaxInBlocks(
      energy, input: input, from: start.map(energy.imposed), flat: flat, threads: threads,
      tolerance: tolerance, stepLimit: stepLimit, halt: halt
    ) { part, _, state, _ in
      rounds.run(
        part, flat, from: state, stepLimit: stepLimit, tolerance: tolerance, halt: halt,
        progress: progress)
    }
  }
}
