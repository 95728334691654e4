import LinearAlgebra
import NeuralSheaves
import PiecewiseEnergies

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

extension DualNewton {
  /// With copies it is the augmented Lagrangian that falls: samples that are above their start go back there.
  func returnToStart(
    _ samples: [Int], _ start: SheafState, _ energy: PinnedEnergy, _ end: inout PinnedEquilibrium
  ) {
    let part = energy.samples(samples)
    func energies(_ state: SheafState) -> [Double] {
      var state = state
      part.pins.impose(on: &state)
      part.setOutput(of: &state)
      return part.values(at: state)
    }
    let (before, now) = (energies(start.samples(samples)), energies(end.state.samples(samples)))
    for (k, s) in samples.enumerated() where now[k] > before[k] * (1 + 1e-12) + 1e-28 {
      end.state.setSamples(from: s, to: start.samples([s]))
      if end.statuses[s] == .converged { end.statuses[s] = .stalled }
    }
  }

  /// Holds coordinates of a sample at kinks where rows pull at them against one another, and goes on. Whether
  /// that is an equilibrium is decided of the end.
  func hold(
    _ kinks: [TornKink], ofSample s: Int, _ energy: PinnedEnergy, _ scales: [Double],
    _ end: inout PinnedEquilibrium
  ) {
    guard !kinks.isEmpty else { return }
    let held = energy.samples([s]).holding(kinks)
    let next = DualNewton(held, flat, settings: settings, squares: squares).minimize(
      held, from: held.imposed(on: end.state.samples([s])), scales: [scales[s]],
      taken: [end.iterations[s]])
    end.state.setSamples(from: s, to: next.state)
    (end.statuses[s], end.iterations[s]) = (next.statuses[0], next.iterations[0])
    end.kinkNeurons[s] = next.kinkNeurons[0] + kinks.count
    end.tiedCoordinates[s] = next.tiedCoordinates[0]
  }
}

extension DualNewton.Descent {
  /// λ ← c(u − y) where F is nearly least for the λ that stand (method of multipliers); whether it is. The cells are
  /// then to be settled.
  mutating func renewMultipliers(_ q: Int) -> Bool {
    let bound = max(0.3 * method.settings.tolerance, min(0.1 * progress[q].separation, 0.1))
    guard progress[q].residual <= bound || progress[q].rests > 0 else { return false }
    for r in 0..<elimination.readCount where elimination.bindings[r] == .copy {
      cells[q].multipliers[r] = cells[q].pulls[r]
    }
    // Copies that do not come nearer are bound more tightly; where that does not help either, rows that read
    // one coordinate pull at its copies against one another.
    let isTorn = progress[q].separation > 1e-13
    if isTorn && progress[q].separation > 0.25 * progress[q].lastSeparation && !isStationary(q) {
      cells[q].copyFactor *= 3
    }
    if cells[q].copyFactor > DualNewton.largestCopyFactor { progress[q].status = .stalled }
    progress[q].lastSeparation = progress[q].separation
    (progress[q].isWhole, progress[q].isRenewed) = (true, true)
    if isTorn { progress[q].rests = 0 }
    return true
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
}
