import LinearAlgebra
import NeuralSheaves
import PiecewiseEnergies

/// Minimises the reduced energy by Newton's method, each step from its dual.
///
/// The convex model on the faces where the cells stand (`FaceModel`) is solved for its forces by conjugate
/// gradients, as closely as the gap between primal and dual value shows to be worth while: a tenth of what the
/// model promises at first, all of it once steps are whole. A line search on F takes the step through kinks and
/// ties; it costs no sweep, since predictions are affine in a. The energy never rises. Multipliers of copies are
/// renewed where F is nearly least for those that stand.
struct DualNewton: Sendable {
  let flat: FlatNetwork
  let elimination: Elimination
  let squares: SquaredMaps
  let settings: SolverSettings

  /// The gap of a model's solution, relative to what the model promises, until steps are whole, and then.
  ///
  /// Measured on convolutional networks: 0.3 or 0.6 takes as many sweeps in more steps.
  static let looseGap = 0.1
  static let tightGap = 1e-7
  /// How far a copy may be from what it is a copy of, at the end.
  static let separation = 1e-10
  /// How far forces may be from balance at the end, over the largest; and how many steps go into that.
  static let imbalance = 1e-7
  static let extraSteps = 10
  /// How much more tightly than at first copies are bound at most.
  static let largestCopyFactor = 1000.0

  init(_ energy: PinnedEnergy, _ flat: FlatNetwork, settings: SolverSettings) {
    self.flat = flat
    elimination = Elimination(energy, flat)
    squares = SquaredMaps(energy.sheaf.network)
    self.settings = settings
  }

  /// Descends from a state, a few samples together.
  ///
  /// - Parameters:
  ///   - scales: of residuals, by sample.
  ///   - onEnd: called with the number of samples that have just ended.
  func minimize(
    _ energy: PinnedEnergy, from start: SheafState, scales: [Double], taken: [Int] = [],
    onEnd: (Int) -> Void = { _ in }
  ) -> PinnedEquilibrium {
    var end = PinnedEquilibrium(start)
    end.reserve(start.batch)
    var descent = Descent(self, energy, from: start, scales: scales, taken: taken)
    while true {
      if let reason = settings.halt.reason { descent.halt(reason) }
      let leaving = descent.ended
      if !leaving.isEmpty {
        descent.record(leaving, into: &end)
        for q in leaving where descent.progress[q].status == .stalled {
          rest(descent.samples[q], descent.tornKinks(q), energy, scales, &end)
        }
        descent.drop(leaving)
        onEnd(leaving.count)
      }
      guard descent.count > 0 else { return end }
      descent.step()
    }
  }

  /// Holds coordinates of a sample at kinks where rows pull at them against one another, and goes on. Whether
  /// that is an equilibrium is decided of the end.
  private func rest(
    _ s: Int, _ kinks: [TornKink], _ energy: PinnedEnergy, _ scales: [Double],
    _ end: inout PinnedEquilibrium
  ) {
    guard !kinks.isEmpty else { return }
    let held = energy.samples([s]).holding(kinks)
    let next = DualNewton(held, flat, settings: settings).minimize(
      held, from: held.imposed(on: end.state.samples([s])), scales: [scales[s]],
      taken: [end.iterations[s]])
    end.state.setSamples(from: s, to: next.state)
    (end.statuses[s], end.iterations[s]) = (next.statuses[0], next.iterations[0])
    end.kinkNeurons[s] = next.kinkNeurons[0] + kinks.count
    end.tiedCoordinates[s] = next.tiedCoordinates[0]
  }

  /// How far one sample has come.
  struct Progress {
    /// F.
    var energy = 0.0
    var iterations = 0
    /// ‖∇F‖∞ over the sample's scale.
    var residual = Double.infinity
    /// The same over the largest force, 0 where rounding of the stalks may be all that it is; and the force of
    /// what copies are apart.
    var imbalance = Double.infinity
    var tear = 0.0
    /// The largest |y − s| of a copy.
    var separation = 0.0
    /// The same when multipliers were last renewed.
    var lastSeparation = Double.infinity
    /// The last model's.
    var forces: [Observation.Key: Double] = [:]
    /// The steps since its gradient was small enough.
    var extraSteps = 0
    /// Whether its multipliers are other than at the last step.
    var isRenewed = false
    /// Whether the last step was a whole one.
    var isWhole = false
    /// The steps of length 0 in a row.
    var rests = 0
    var status: SolutionStatus?
  }

  /// Samples on their way.
  struct Descent {
    let method: DualNewton
    var reduced: ReducedEnergy
    var scales: [Double]
    /// The number of each sample.
    var samples: [Int]
    var progress: [Progress]
    /// a, with held coordinates; what inner ones have here counts for nothing.
    var x: [Matrix]
    /// Predictions.
    var m: [Matrix]
    var cells: [SampleCells]
    /// ∇F there, but for samples whose multipliers have just been renewed.
    var gradient: [Matrix]

    var count: Int { samples.count }
    var elimination: Elimination { method.elimination }
    var ended: [Int] { progress.indices.filter { progress[$0].status != nil } }
  }
}

/// A coordinate that rows pull at against one another where one of them has its kink.
struct TornKink {
  struct Place: Hashable { let vertex, index: Int }
  let place: Place
  let value: Double
}

extension PinnedEnergy {
  /// The same energy with coordinates held at kinks.
  func holding(_ kinks: [TornKink]) -> PinnedEnergy {
    let pins = kinks.reduce(pins) {
      $0.holding($1.place.index, of: $1.place.vertex, at: $1.value)
    }
    return PinnedEnergy(sheaf, pins: pins, output: output, stiffness: stiffness)
  }
}

extension DualNewton.Descent {
  init(
    _ method: DualNewton, _ energy: PinnedEnergy, from start: SheafState, scales: [Double],
    taken: [Int]
  ) {
    self.method = method
    reduced = ReducedEnergy(energy, method.elimination, batch: start.batch)
    (self.scales, samples) = (scales, Array(scales.indices))
    progress = scales.map { _ in .init() }
    x = start.stalks
    m = reduced.predictions(x)
    cells = scales.map { _ in SampleCells(method.elimination) }
    gradient = []
    for (q, n) in taken.enumerated() { progress[q].iterations = n }
    settle(samples)
    measure()
    for q in samples {
      if isSettled(q) {
        progress[q].status = .converged
      } else if progress[q].iterations >= method.settings.stepLimit {
        progress[q].status = .stepLimit
      }
    }
  }

  mutating func halt(_ reason: SolutionStatus) {
    for q in progress.indices where progress[q].status == nil { progress[q].status = reason }
  }

  mutating func drop(_ places: [Int]) {
    let list = samples.indices.filter { !places.contains($0) }
    let energy = reduced.energy.samples(list)
    reduced = ReducedEnergy(energy, elimination, batch: list.count)
    (scales, samples) = (list.map { scales[$0] }, list.map { samples[$0] })
    (progress, cells) = (list.map { progress[$0] }, list.map { cells[$0] })
    (x, m) = (x.map { $0.columns(list) }, m.map { $0.columns(list) })
    gradient = gradient.map { $0.columns(list) }
  }

  /// Takes down how samples have ended.
  func record(_ places: [Int], into end: inout PinnedEquilibrium) {
    let state = reduced.state(x, m, cells)
    for q in places {
      let s = samples[q]
      end.state.setSamples(from: s, to: state.samples([q]))
      end.statuses[s] = progress[q].status!
      end.iterations[s] = progress[q].iterations
      end.kinkNeurons[s] = cells[q].kinks.count
      end.tiedCoordinates[s] = elimination.tiedCoordinates(cells[q])
    }
  }

  /// The coordinates whose copies do not come together, with the kink at which one of them rests.
  func tornKinks(_ q: Int) -> [TornKink] {
    var torn: Set<TornKink.Place> = []
    elimination.forEachCopy { r, vertex in
      let i = Int(elimination.sources[r])
      let s = x[vertex][i, q]
      if abs(s - cells[q].values[r]) > DualNewton.separation * max(1, abs(s)) {
        torn.insert(.init(vertex: vertex, index: i))
      }
    }
    return cells[q].kinks.compactMap { kink in
      let (vertex, r) = (elimination.cells[Int(kink.cells)].source, Int(kink.read))
      let place = TornKink.Place(vertex: vertex, index: Int(elimination.sources[r]))
      guard torn.remove(place) != nil else { return nil }
      return TornKink(place: place, value: cells[q].values[r])
    }
  }

  /// Brings the cells of some samples to where a is.
  mutating func settle(_ places: [Int]) {
    let zero = x.map { Matrix(rows: $0.rows, columns: $0.columns) }
    let line = Line(x: x, m: m, dx: zero, dm: zero)
    for q in places {
      progress[q].energy =
        reduced.evaluate(&cells[q], on: line, at: 0, sample: q).energy
    }
  }

  /// Residuals, and how far copies are from what they are copies of.
  mutating func measure() {
    let forces: [Double]
    (gradient, forces) = reduced.gradient(x, m, cells)
    let gamma = max(1, reduced.energy.largestStiffness)
    for q in progress.indices {
      let largest = gradient.reduce(0) { maximum($0, $1.maximumMagnitude(column: q)) }
      let size = x.reduce(1) { maximum($0, $1.maximumMagnitude(column: q)) }
      let separation = elimination.separation(cells[q], x, sample: q)
      progress[q].residual = largest / scales[q]
      progress[q].separation = separation.relative
      let rounding = 2 * Double.ulpOfOne * gamma * size
      func share(_ force: Double) -> Double { force > rounding ? force / forces[q] : 0 }
      progress[q].imbalance = share(largest)
      progress[q].tear = share(gamma * separation.absolute)
    }
  }

  /// Whether a sample is at an equilibrium, with something to spare for rounding.
  func isStationary(_ q: Int) -> Bool {
    progress[q].residual <= 0.3 * method.settings.tolerance
      && progress[q].separation <= DualNewton.separation
  }

  /// Whether its forces balance as well, or would if rounding let them: where the output pulls with κ → 0 the
  /// forward pass has a small gradient, and is no equilibrium.
  func isSettled(_ q: Int) -> Bool {
    isStationary(q)
      && (maximum(progress[q].imbalance, progress[q].tear) <= DualNewton.imbalance
        || progress[q].extraSteps >= DualNewton.extraSteps)
  }
}
