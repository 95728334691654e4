import LinearAlgebra
import NeuralSheaves
import PiecewiseEnergies

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
    // What inner coordinates have here counts for nothing, but for the size of stalks.
    for (v, roles) in elimination.roles.enumerated() where !elimination.hasRows[v] {
      for (i, role) in roles.enumerated() where role == .inner {
        for q in samples { x[v][i, q] = m[v][i, q] }
      }
    }
    for q in samples {
      elimination.startMultipliers(&cells[q], x, sample: q)
    }
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
