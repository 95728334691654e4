import LinearAlgebra
import NeuralSheaves
import PiecewiseEnergies

/// Descent over faces: the loop of the direct solver, of the flow's polish, and of repairs.
///
/// A *face* fixes the branch of every state-dependent coordinate and the kinks that some rest on; there
/// the energy is a quadratic. The state walks towards its least value (`FaceStep`, by its Schur complement) through the
/// breakpoints of the energy (`BreakpointPath`); there, kinks whose multipliers have the wrong sign are
/// released (`KinkRelease`). The energy never rises.
///
/// Where steps stop helping (kinks that meet in one place can be passed round in a circle), the
/// smallest element g of ∂E decides: −g goes down at a rate of at least ‖g‖², whatever the kinks, and
/// g = 0 is the end. From then on the sample rests at the breakpoints that it meets on its way
/// (Docs/Equilibria.md on what is proved of this); a step limit has the last word.
struct FaceDescent: Sendable {
  let settings: SolverSettings
  var isLeastNorm = false
  var progress: (@Sendable (Int) -> Void)?

  /// The steps without a fall of the energy after which ∂E decides.
  private static let patience = 20

  /// Relaxes a batch from a state, by default from the forward pass.
  ///
  /// - Parameter taken: the steps that count as taken, by sample; empty for none.
  func relax(
    _ energy: PinnedEnergy, input: Matrix, from start: SheafState? = nil, taken: [Int] = []
  ) -> PinnedEquilibrium {
    let flat = FlatNetwork(energy.sheaf.network)
    return relaxInBlocks(
      energy, input: input, from: start, flat: flat, settings
    ) { part, samples, _, state, rho in
      var result = PinnedEquilibrium(state)
      // Few samples at a time keep the responses of their rows in the cache, many make their products
      // wide; those of a large network must fit into memory, kinks included.
      let rows = max(1, part.rowCount)
      let room = 20_000_000 / (flat.count * (rows + 20))
      let size = max(1, min(room, max(16, min(128, 256 / rows))))
      for first in stride(from: 0, to: state.batch, by: size) {
        let range = first..<min(first + size, state.batch)
        let isWhole = range.count == state.batch
        let group = isWhole ? part : part.samples(range)
        var set = ActiveSet(
          group, flat, from: isWhole ? state : state.samples(range),
          discrepancy: isWhole ? rho : rho?.map { $0.columns(range) })
        if start != nil {
          set.restOnKinks()
          // What is open has its freedom to tell.
          if set.freed?.open.isEmpty ?? true {
            for (j, isSettled) in set.isSettled(group).enumerated() {
              set.progress[j].isSettled = isSettled
            }
          }
        }
        for j in taken.isEmpty ? 0..<0 : range {
          set.progress[j - first].iterations = taken[samples[j]]
        }
        result.append(run(set, group), at: first)
      }
      return result
    } repair: { part, state, _, steps, _, _ in
      goOn(part, flat, state, steps, isSteepest: true)
    }
  }

  /// Goes on from states that should be equilibria and are not, each so many steps on its way.
  ///
  /// - Parameter isSteepest: whether the smallest element of ∂E leads on, rather than the kinks on which states rest.
  ///   Rows that depend on each other have no one λ, and then no violation may show where ∂E is not 0.
  func goOn(
    _ energy: PinnedEnergy, _ flat: FlatNetwork, _ state: SheafState, _ steps: [Int],
    isSteepest: Bool
  ) -> PinnedEquilibrium {
    var descent = self
    descent.progress = nil
    var set = ActiveSet(energy, flat, from: state)
    if !isSteepest { set.restOnKinks() }
    for j in 0..<set.batch {
      set.progress[j].iterations = steps[j]
      guard isSteepest else { continue }
      _ = set.descend(j, energy.samples([j]))
      set.progress[j].wentSteepest = true
    }
    return descent.run(set, energy)
  }

  /// Descends from where a set stands.
  private func run(_ start: ActiveSet, _ energy: PinnedEnergy) -> PinnedEquilibrium {
    var set = start
    var end = PinnedEquilibrium(set.state)
    end.reserve(set.batch)
    var lowest = set.progress.map(\.energy)
    var waits = [Int](repeating: 0, count: set.batch)
    var step = 0
    // At an equilibrium, or at the limit, before the first step.
    let open = (0..<set.batch).filter {
      !set.progress[$0].isSettled && set.progress[$0].iterations < settings.stepLimit
    }
    if open.count < set.batch {
      for j in 0..<set.batch where !open.contains(j) {
        end.record(set, j, set.progress[j].isSettled ? .converged : .stepLimit)
      }
      progress?(set.batch - open.count)
      set.keep(open)
    }
    while set.batch > 0 {
      step += 1
      let face: FaceStep
      do {
        face = try FaceStep(set, settings.halt)
      } catch {
        for j in 0..<set.batch { end.record(set, j, error.reason) }
        break
      }
      let before = set.smoothPotential == nil ? nil : set
      let walks = (0..<set.batch).map { set.walk($0, along: face) }
      // ρ has moved with the path; now and then its rounding is cleared away.
      if step % 10 == 0 { set.readDiscrepancy() }
      var finished: [Int: SolutionStatus] = [:]
      for j in 0..<set.batch {
        let s = set.samples[j]
        set.progress[j].energy = set.energy(j)
        set.progress[j].iterations += 1
        set.progress[j].freedom = face.freedom[j]
        guard set.progress[j].energy.isFinite else {
          finished[j] = .diverged
          continue
        }
        if let models = face.models,
          !accept(&set, j, before!, walks[j], models[j])
        {
          continue
        }
        if set.progress[j].energy < lowest[s] * (1 - 1e-13) {
          (lowest[s], waits[s]) = (set.progress[j].energy, 0)
        } else {
          waits[s] += 1
          // Where releasing all at once no longer helps, one at a time does.
          if step > 3 { set.progress[j].isCautious = true }
        }
        if walks[j].isWhole {
          let isAtRest = !set.release(j, face)
          if isAtRest && (!isLeastNorm || set.progress[j].isLeastNorm || !set.shorten(j, face)) {
            finished[j] = .converged
          }
        }
        if finished[j] == nil && waits[s] >= Self.patience {
          waits[s] = 0
          set.progress[j].stopsAtFirst = set.progress[j].wentSteepest
          set.progress[j].wentSteepest = true
          if set.descend(j, energy.samples(s..<s + 1)) == .stationary { finished[j] = .converged }
        }
      }
      for j in 0..<set.batch where set.progress[j].iterations >= settings.stepLimit {
        finished[j] = finished[j] ?? .stepLimit
      }
      guard !finished.isEmpty else { continue }
      progress?(finished.count)
      for (j, status) in finished { end.record(set, j, status) }
      set.keep((0..<set.batch).filter { finished[$0] == nil })
    }
    return end
  }

  /// Whether a step on the model of a smooth output edge is taken and is the last of its face.
  ///
  /// A step that does not bring the energy down by a part of what the model falls on its path is undone
  /// and the model damped; one after which model and potential disagree is taken but does not end the face.
  private func accept(
    _ set: inout ActiveSet, _ j: Int, _ before: ActiveSet, _ walk: ActiveSet.Walk,
    _ model: OutputModel
  ) -> Bool {
    let last = set.sheaf.network.lastVertex
    let (old, new) = (before.progress[j].energy, set.progress[j].energy)
    // The energy's own rounding: of its value, of squares of differences of stalks, and of logarithms
    // of exponentials of z.
    let size = set.state.stalks.reduce(1) { maximum($0, $1.maximumMagnitude(column: j)) }
    let weight = set.smoothPotential!.largestWeight * Double(set.sheaf.network.outputDimension)
    let z = set.state.stalks[last].columns(j..<j + 1)
    let rounding =
      1e-14 * abs(old) + 1e-28 * set.stiffness.largest * size * size + 1e-15 * weight
      * max(1, z.maximumMagnitude)
    guard new <= old + 1e-4 * walk.change + rounding else {
      let iterations = set.progress[j].iterations
      set.restore(j, from: before)
      set.progress[j].iterations = iterations
      set.progress[j].damping = max(4 * set.progress[j].damping, 0.05 * model.largestStiffness)
      return false
    }
    guard walk.isWhole else { return true }
    let damping = set.progress[j].damping
    set.progress[j].damping = damping > 1e-3 * model.largestStiffness ? 0.1 * damping : 0
    let d = zip(z.elements, before.state.stalks[last].column(j)).map { $0 - $1 }
    let (want, got) = (
      set.smoothPotential!.gradient(z, sample: set.samples[j]), model.gradient(at: d)
    )
    let gap = zip(want, got).lazy.map { $0 - $1 }.maximumMagnitude
    let scale = maximum(1e-3, want.maximumMagnitude)
    let isBetter = gap < 0.5 * set.progress[j].modelGap
    set.progress[j].modelGap = min(gap, set.progress[j].modelGap)
    set.progress[j].stuckSteps = isBetter ? 0 : set.progress[j].stuckSteps + 1
    return gap <= 1e-3 * settings.tolerance * scale || set.progress[j].stuckSteps >= 10
  }
}
