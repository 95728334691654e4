import LinearAlgebra
import NeuralSheaves
import PiecewiseEnergies

/// Pinned equilibria by descent over faces, each solved exactly by its Schur complement: the solver of
/// choice for up to a few hundred pins and kinks.
///
/// It starts from the forward pass with the pins set, or where it is told to, and ends at a stationary point on the way down,
/// 0 ∈ ∂E; the energy never rises (Docs/Equilibria.md). Samples finish one by one; the others go on
/// without them.
public struct DirectSolver: EquilibriumSolver {
  public var settings: SolverSettings
  public var progress: (@Sendable (Int) -> Void)?
  /// Whether a freed input that the pins do not determine is moved to the point of least norm, as far
  /// as no operation changes branch on the way; else it stays where the descent left it.
  public var isLeastNorm = false

  public init(_ settings: SolverSettings) { self.settings = settings }

  /// Relaxes a batch.
  ///
  /// Cost, per sample and step: a reverse sweep for each pinned coordinate and kink (p of them),
  /// p² dim Ω for their Schur complement, and two sweeps. Typically 4–20 steps.
  /// - Throws: `EquilibriumError.memory` where the Schur complements would take more than there is.
  public func solve(
    _ energy: PinnedEnergy, input: Matrix, from start: SheafState?
  ) throws(EquilibriumError) -> PinnedEquilibrium {
    try energy.check(input, from: start)
    let parts = Double(max(1, min(settings.threads, input.columns)))
    try energy.checkMemory(
      parts * energy.schurBytes, for: "direct",
      of: "the Schur complements of \(energy.rowCount) pinned coordinates in \(Int(parts)) threads")
    return FaceDescent(settings: settings, isLeastNorm: isLeastNorm, progress: progress)
      .relax(energy, input: input, from: start.map(energy.imposed))
  }
}
