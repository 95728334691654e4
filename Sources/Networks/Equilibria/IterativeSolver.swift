import LinearAlgebra
import NeuralSheaves
import PiecewiseEnergies

/// Pinned equilibria by Newton's method on the reduced energy, in which all coordinates that only activations and
/// maxima read are minimised out (Docs/Equilibria.md): for networks of any size, any number of pins, kinks and
/// ties.
///
/// It starts from the forward pass with the pins set, or where it is told to; the energy never rises. Where
/// minima coexist it may end in another than `DirectSolver`.
public struct IterativeSolver: EquilibriumSolver {
  public var settings: SolverSettings
  public var progress: (@Sendable (Int) -> Void)?

  public init(_ settings: SolverSettings) { self.settings = settings }

  /// Relaxes a batch.
  ///
  /// Cost, per sample: 5–100 steps of some 20 sweeps. Memory: some twenty states of the network for each sample of a
  /// block.
  /// - Throws: `EquilibriumError.unsupported` for a freed input without prior.
  public func solve(
    _ energy: PinnedEnergy, input: Matrix, from start: SheafState?
  ) throws(EquilibriumError) -> PinnedEquilibrium {
    try energy.check(input, from: start)
    try energy.checkPriors(for: "iterative")
    let blocks = SampleBlocks.ranges(
      network: energy.sheaf.network, batch: input.columns,
      threads: min(settings.threads, input.columns))
    let parts = min(settings.threads, blocks.count) * (blocks.map(\.count).max() ?? 1)
    try energy.checkMemory(
      Double(parts) * energy.bytes(states: 30), for: "iterative",
      of: "some thirty states of \(parts) samples")
    return relax(energy, input: input, from: start.map(energy.imposed))
  }

  /// The same from a state that counts as so many steps on its way, by sample.
  func relax(
    _ energy: PinnedEnergy, input: Matrix, from start: SheafState?, taken: [Int] = []
  ) -> PinnedEquilibrium {
    let flat = FlatNetwork(energy.sheaf.network)
    let method = DualNewton(energy, flat, settings: settings)
    // Repairs have a Schur complement, and the responses of its rows.
    let isSmall = energy.rowCount * flat.count <= Self.largestRepair
    return relaxInBlocks(energy, input: input, from: start, flat: flat, settings) {
      part, samples, scales, state, _ in
      method.minimize(
        part, from: state, scales: scales, taken: taken.isEmpty ? [] : samples.map { taken[$0] }
      ) { progress?($0) }
    } repair: { part, state, steps in
      isSmall ? FaceDescent(settings: settings).repair(part, flat, state, steps) : nil
    }
  }

  /// The most numbers that the responses of pinned rows may be where a sample is repaired.
  private static let largestRepair = 30_000_000
}
