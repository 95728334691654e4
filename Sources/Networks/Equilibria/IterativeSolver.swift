import LinearAlgebra
import NeuralSheaves
import PiecewiseEnergies

/// Pinned equilibria by Newton's method on the reduced energy, in which all coordinates that only activations and
/// maxima read are minimised out (Docs/Equilibria.md): for networks of any size, any number of pins, kinks and
/// ties.
///
/// It starts from the forward pass with the pins set, or where it is told to; no end is above its start. Where
/// minima coexist it may end in another than `DirectSolver`.
public struct IterativeSolver: EquilibriumSolver {
  public var settings: SolverSettings
  public var progress: (@Sendable (Int) -> Void)?

  public init(_ settings: SolverSettings) { self.settings = settings }

  /// Relaxes a batch.
  ///
  /// Cost, per sample: 5–100 steps of some 20 sweeps. Memory: some thirty states of the network for each sample of a
  /// block, and eight numbers for each place of a window.
  /// - Throws: `EquilibriumError.unsupported` for a freed input without prior.
  public func solve(
    _ energy: PinnedEnergy, input: Matrix, from start: SheafState?
  ) throws(EquilibriumError) -> PinnedEquilibrium {
    try energy.check(input, from: start)
    try energy.checkPriors(for: "iterative")
    if let e = Elimination.unknownEdge(of: energy.sheaf.network) {
      let name = energy.sheaf.network.vertices[energy.sheaf.network.edges[e].target].name
      throw .unsupported(
        method: "iterative", reason: "\(name) is a multiple of the largest of several coordinates")
    }
    let flat = FlatNetwork(energy.sheaf.network)
    try checkMemory(energy, flat, batch: input.columns)
    return relax(energy, flat, input: input, from: start.map(energy.imposed))
  }

  /// The same from a state that counts as so many steps on its way, by sample.
  func relax(
    _ energy: PinnedEnergy, _ flat: FlatNetwork, input: Matrix, from start: SheafState?,
    taken: [Int] = []
  ) -> PinnedEquilibrium {
    var method = DualNewton(energy, flat, settings: settings)
    if canRepair(energy, flat, kinks: 0) { method.patience = Self.patience }
    return relaxInBlocks(energy, input: input, from: start, flat: flat, settings) {
      [method] part, samples, scales, state, _ in
      method.minimize(
        part, from: state, scales: scales, taken: taken.isEmpty ? [] : samples.map { taken[$0] },
        settled: start == nil ? [] : settled(part, flat, state, scales)
      ) { progress?($0) }
    } repair: { [method] part, state, scales, steps, kinks, attempt in
      guard canRepair(energy, flat, kinks: kinks) else { return nil }
      // Each way can pass kinks round in a circle, from some place: they take turns.
      if attempt % 3 == 2 {
        return method.minimize(part, from: state, scales: scales, taken: steps)
      }
      var short = settings
      short.stepLimit = min(settings.stepLimit, steps.max()! + Self.patience)
      var end = FaceDescent(settings: short).goOn(
        part, flat, state, steps, isSteepest: attempt % 3 == 0)
      for j in steps.indices
      where end.statuses[j] == .stepLimit && end.iterations[j] < settings.stepLimit {
        end.statuses[j] = .stalled
      }
      return end
    }
  }

  /// Whether the Schur complement of the rows, and their responses, are small enough to walk over faces.
  private func canRepair(_ energy: PinnedEnergy, _ flat: FlatNetwork, kinks: Int) -> Bool {
    let rows = energy.rowCount + kinks
    return rows * flat.count <= Self.largestRepair && rows <= Self.mostRows
  }

  /// The samples that are at an equilibrium as they stand: multipliers of copies that are unknown would lead away.
  private func settled(
    _ energy: PinnedEnergy, _ flat: FlatNetwork, _ state: SheafState, _ scales: [Double]
  ) -> [Int] {
    var state = state
    energy.setOutput(of: &state)
    let residuals = ClarkeGradient(energy, flat, state).residuals
    return residuals.indices.filter { residuals[$0] <= settings.tolerance * scales[$0] }
  }

  /// The most numbers that the responses of its rows may be where a sample is repaired, and the most rows.
  private static let largestRepair = 30_000_000
  private static let mostRows = 1000
  /// The steps of one way after which another has its turn.
  private static let patience = 200

  /// Refuses a batch whose blocks are too large for this machine.
  func checkMemory(
    _ energy: PinnedEnergy, _ flat: FlatNetwork, batch: Int
  ) throws(EquilibriumError) {
    let network = energy.sheaf.network
    let blocks = SampleBlocks.ranges(
      network: network, batch: batch, threads: min(settings.threads, batch))
    let samples = min(settings.threads, blocks.count) * (blocks.map(\.count).max() ?? 1)
    // Cells have some eight numbers for each read.
    try energy.checkMemory(
      Double(samples) * (energy.bytes(states: 30) + 64 * Double(flat.readers.count)),
      for: "iterative",
      of: "the states and cells of \(samples) samples")
  }
}
