import LinearAlgebra
import NeuralSheaves
import PiecewiseEnergies

extension DualNewton.Descent {
  /// One step of Newton's method for each sample.
  mutating func step() {
    steps += 1
    // Predictions move with the steps; now and then their rounding is cleared away.
    if steps % 10 == 0 {
      m = reduced.predictions(x)
      settle(Array(progress.indices))
      measure()
    }
    let model = reduced.model(x, m, cells)
    let forces = solve(model)
    let line = line(model, forces)
    var lengths = [Double](repeating: 0, count: count)
    for q in progress.indices { lengths[q] = advance(along: line, q) }
    for v in x.indices {
      x[v].addScaledColumns(line.dx[v], by: lengths)
      m[v].addScaledColumns(line.dm[v], by: lengths)
    }
    measure()
    for q in progress.indices {
      let keys = model.observations[q].map(\.key)
      progress[q].iterations += 1
      progress[q].forces = Dictionary(zip(keys, forces.column(q))) { a, _ in a }
      progress[q].isWhole = lengths[q] == 1
      progress[q].rests = lengths[q] == 0 ? progress[q].rests + 1 : 0
      progress[q].extraSteps = isStationary(q) ? progress[q].extraSteps + 1 : 0
      progress[q].status = status(q)
    }
    guard elimination.hasCopies else { return }
    let renewed = progress.indices.filter { progress[$0].status == nil && renewMultipliers($0) }
    if !renewed.isEmpty { settle(renewed) }
  }

  /// How a sample has ended, if it has.
  private func status(_ q: Int) -> SolutionStatus? {
    if !progress[q].energy.isFinite || progress[q].residual.isNaN { return .diverged }
    // What no direction leads down from is an equilibrium as far as rounding can tell.
    if isSettled(q) || progress[q].rests > 2 { return .converged }
    if progress[q].iterations >= method.settings.stepLimit { return .stepLimit }
    return steps >= method.patience ? .stalled : nil
  }

  /// The forces of the model, as closely as worth while.
  private func solve(_ model: FaceModel) -> Matrix {
    var start = Matrix(rows: model.rows, columns: count)
    for (q, list) in model.observations.enumerated() {
      for (k, o) in list.enumerated() { start[k, q] = progress[q].forces[o.key] ?? 0 }
    }
    let dual = model.dual(at: start)
    let (promises, isWhole) = (dual.promises, progress.map(\.isWhole))
    let change = ConjugateGradients(stepLimit: 1000, halt: method.settings.halt).solve(
      model, dual.residual, preconditioner: model.preconditioner(method.squares)
    ) { q, residual, fall in
      let gap = model.gap(residual, q)
      let share = isWhole[q] ? DualNewton.tightGap : DualNewton.looseGap
      return gap <= share * (promises[q] - fall) || gap <= 1e-28 * dual.sizes[q]
    }
    start.add(change.value)
    return start
  }

  /// The line along the step that forces call for.
  private func line(_ model: FaceModel, _ forces: Matrix) -> Line {
    let dn = model.change(forces)
    var dx = dn
    var held = model.blankHeld()
    model.substituteForward(&dx, held: &held)
    var dm = dx
    for v in dx.indices {
      dm[v].add(dn[v], scale: -1)
      for (p, i) in (v == 0 ? [] : reduced.energy.pins.held(v)).enumerated() {
        for q in progress.indices { dm[v][i, q] = held[v][p, q] }
      }
      for (i, role) in elimination.roles[v].enumerated() where role == .inner {
        for q in progress.indices { dx[v].elements[i + q * dx[v].rows] = 0 }
      }
    }
    return Line(x: x, m: m, dx: dx, dm: dm)
  }

  /// How far to go along a line, the cells of the sample being brought there: to where the rate of F has fallen to a
  /// tenth, at most 8 times; where the rate jumps the near side. Where values differ by no more than rounding their
  /// rates decide.
  private mutating func advance(along line: Line, _ q: Int) -> Double {
    var (place, now) = (0.0, (energy: progress[q].energy, rate: rate(line, q)))
    func probe(_ tau: Double) -> (energy: Double, rate: Double) {
      (place, now) = (
        tau, reduced.evaluate(&cells[q], on: line, at: tau, sample: q)
      )
      return now
    }
    if progress[q].isRenewed { _ = probe(0) }
    progress[q].isRenewed = false
    let tau = now.rate < 0 ? Self.length(from: now, probe) : 0
    if place != tau { _ = probe(tau) }
    progress[q].energy = now.energy
    return tau
  }

  /// dF/dτ at the start of a line.
  private func rate(_ line: Line, _ q: Int) -> Double {
    gradient.indices.reduce(0) { sum, v in
      let d = gradient[v].rows
      var sum = sum
      for k in q * d..<(q + 1) * d { sum += gradient[v].elements[k] * line.dx[v].elements[k] }
      return sum
    }
  }

  private static func length(
    from start: (energy: Double, rate: Double),
    _ probe: (Double) -> (energy: Double, rate: Double)
  ) -> Double {
    let first = start.rate
    let rounding = 1e-14 * abs(start.energy)
    var (low, high, tau) = (0.0, Double.infinity, 1.0)
    var (lowRate, highRate) = (first, 0.0)
    for attempt in 0..<60 {
      let (now, rate) = probe(tau)
      let isLower = now <= start.energy + rounding
      if isLower && abs(rate) <= 0.1 * abs(first) { return tau }
      if isLower && rate < 0 {
        (low, lowRate) = (tau, rate)
        if tau >= 8 { return tau }
      } else {
        (high, highRate) = (tau, isLower ? rate : max(rate, -first))
      }
      if high == .infinity {
        tau = min(8, 2 * tau)
        continue
      }
      let width = high - low
      if width <= 1e-6 * high {
        if low > 0 { return low }
        if high < 1e-12 { return 0 }
      }
      let secant = low - lowRate * width / (highRate - lowRate)
      tau =
        attempt % 3 == 2
        ? low + 0.5 * width : min(max(secant, low + 0.05 * width), high - 0.05 * width)
    }
    return low
  }
}
