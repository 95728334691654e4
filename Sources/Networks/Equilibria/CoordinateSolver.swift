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
  /// 100,000 rounds through all stalks.
  public static let defaultStepLimit = 100_000
  public var settings: SolverSettings
  public var progress: (@Sendable (Int) -> Void)?

  public init(_ settings: SolverSettings) { self.settings = settings }

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
    let (settings, progress) = (settings, progress)
    let flat = FlatNetwork(energy.sheaf.network)
    return relaxInBlocks(
      energy, input: input, from: start.map(energy.imposed), flat: flat, settings
    ) { part, _, _, state, _ in
      rounds.run(part, flat, from: state, settings, progress: progress)
    }
  }
}
