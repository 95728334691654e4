import LinearAlgebra
import NeuralSheaves
import PiecewiseEnergies

/// A descent along a path from a state towards the minimiser on its face, through the breakpoints of
/// the piecewise quadratic energy.
///
/// The path is straight between breakpoints. At a breakpoint a row changes branch. Where the slope of
/// the energy would fall, or the coordinate cannot be held, the path goes on into the next branch; at
/// a convex kink it bends: the coordinate stops there, or moves on as one with the coordinate it has
/// caught up with. The path ends where the energy is least along it, at the latest at time 1; a
/// cautious one at its first breakpoint, where it rests.
struct BreakpointPath {
  private let flat: FlatNetwork
  /// Position and velocity of each coordinate at its time; ρ and its velocity of each row.
  private(set) var x, velocity, rho, rhoVelocity: [Double]
  private var time, rhoTime: [Double]
  /// γ of each row.
  private let weights: [Double]
  /// The branch of each state-dependent row.
  private(set) var branches: [Int]
  /// The kinks that hold from the start, and those added on the way.
  private(set) var kinks: [Kink]
  private(set) var now = 0.0
  /// How many rows changed branch or stopped.
  private(set) var events = 0
  /// dE/dt and d²E/dt².
  private var slope = 0.0
  private var curvature = 0.0
  /// E at the present less E at time 0: of the quadratic pieces, and of the model of an output edge.
  private(set) var energyChange = 0.0
  private let stopsAtFirst: Bool
  private let slopeTolerance: Double
  /// Soft pins: γ and t of coordinates, as weights on them.
  private let springs: [(coordinate: Int, stiffness: Double, value: Double)]
  private var springAt: [Int: [Int]] = [:]
  private let isHeld: [Bool]
  private var queue = EventQueue()
  private var version: [Int]
  /// The tied branches of each row, by row, the current one not among them.
  private var tied: [Int: Set<Int>] = [:]
  private var stopped: Set<Int> = []

  init(
    _ flat: FlatNetwork, x: [Double], velocity: [Double],
    rho: [Double], rhoVelocity: [Double], weights: [Double], branches: [Int], kinks: [Kink],
    springs: [(coordinate: Int, stiffness: Double, value: Double)], isHeld: [Bool],
    extraSlope: Double = 0, extraCurvature: Double = 0, stopsAtFirst: Bool = false,
    slopeTolerance: Double = 0
  ) {
    (self.flat, self.weights) = (flat, weights)
    (self.x, self.velocity, self.rho, self.rhoVelocity) = (x, velocity, rho, rhoVelocity)
    (self.branches, self.kinks, self.springs, self.isHeld) = (branches, kinks, springs, isHeld)
    (slope, curvature) = (extraSlope, extraCurvature)
    (self.stopsAtFirst, self.slopeTolerance) = (stopsAtFirst, slopeTolerance)
    time = [Double](repeating: 0, count: x.count)
    rhoTime = time
    version = [Int](repeating: 0, count: flat.rows.count)
    for (k, s) in springs.enumerated() { springAt[s.coordinate, default: []].append(k) }
    for kink in kinks {
      switch kink {
      case .value(let c, _): stopped.insert(c)
      case .tie(let row, let branch): tied[row, default: []].insert(branch)
      }
    }
  }

  private func function(_ r: Int, _ branch: Int) -> BranchFunction { flat.function(r, branch) }

  private func position(_ c: Int) -> Double { x[c] + velocity[c] * (now - time[c]) }
  private func discrepancy(_ c: Int) -> Double { rho[c] + rhoVelocity[c] * (now - rhoTime[c]) }

  /// Walks to the end of the path.
  mutating func walk() {
    var size = abs(slope)
    for c in rho.indices {
      slope += weights[c] * rho[c] * rhoVelocity[c]
      size += weights[c] * (rho[c] * rho[c] + abs(rho[c] * rhoVelocity[c]))
      curvature += weights[c] * rhoVelocity[c] * rhoVelocity[c]
    }
    for s in springs {
      slope += s.stiffness * (x[s.coordinate] - s.value) * velocity[s.coordinate]
      curvature += s.stiffness * velocity[s.coordinate] * velocity[s.coordinate]
    }
    // Where time 1 is the minimiser the slope is −(curvature); close to an equilibrium the sum is all
    // rounding, and this is not.
    if abs(slope + curvature) <= slopeTolerance * size { slope = -curvature }
    for r in flat.rows.indices { schedule(r) }
    let most = 20 * flat.rows.count + 100
    while slope < 0 {
      let next = queue.first { [version] in version[$0.row] == $0.version }
      let target = min(next?.time ?? 1, 1)
      let least = curvature > 0 ? now - slope / curvature : .infinity
      if least <= target || next == nil || target >= 1 || events > most {
        advance(to: min(least, target))
        break
      }
      advance(to: target)
      queue.removeFirst()
      pass(next!)
    }
    finish()
  }

  private mutating func advance(to t: Double) {
    energyChange += (slope + curvature * (t - now) / 2) * (t - now)
    slope += curvature * (t - now)
    now = t
  }

  /// Brings every coordinate and row to the present.
  private mutating func finish() {
    for c in x.indices {
      x[c] = position(c)
      rho[c] = discrepancy(c)
      time[c] = now
      rhoTime[c] = now
    }
  }

  /// Looks up when a row reaches the end of its branch.
  private mutating func schedule(_ r: Int) {
    version[r] += 1
    let held = tied.isEmpty ? nil : tied[r]
    var first = Double.infinity
    var neighbour = 0
    var threshold = 0.0
    flat.forEachBoundary(r, branches[r]) { b in
      let c = b.source
      var rate = velocity[c]
      var margin = position(c) - b.threshold
      if let other = b.other {
        if held?.contains(b.neighbour) == true { return }
        rate -= velocity[other]
        margin -= position(other)
      }
      rate *= b.sign
      guard rate < 0 else { return }
      let t = now + max(0, b.sign * margin) / -rate
      if t < first { (first, neighbour, threshold) = (t, b.neighbour, b.threshold) }
    }
    if first < 1 {
      queue.insert(
        PathEvent(
          time: first, row: r, neighbour: neighbour, threshold: threshold, version: version[r]))
    }
  }

  private mutating func pass(_ event: PathEvent) {
    events += 1
    let r = event.row
    let row = flat.rows[r]
    let (old, new) = (function(r, branches[r]), function(r, event.neighbour))
    let value = discrepancy(row.target)
    // ρ = t − slope s − offset is continuous; its rate is not.
    let rate =
      rhoVelocity[row.target] + old.slope * velocity[old.source] - new.slope * velocity[new.source]
    let jump = weights[row.target] * value * (rate - rhoVelocity[row.target])
    let isTie = old.source != new.source
    if stopsAtFirst && now > 0 {
      kinks.append(
        isTie
          ? .tie(row: r, branch: event.neighbour)
          : .value(coordinate: old.source, threshold: event.threshold))
      if !isTie { x[old.source] = event.threshold; time[old.source] = now }
      slope = 0
      return
    }
    let bends =
      jump > 0 && flat.canBend[old.source] && !isHeld[old.source]
      && (!isTie || !isHeld[new.source])
    if bends {
      if isTie {
        // The two, and whatever is tied to them already, go on as one.
        let members = group([old.source, new.source])
        kinks.append(.tie(row: r, branch: event.neighbour))
        tied[r, default: []].insert(event.neighbour)
        // What is stopped or held stops the others.
        let rests = members.contains { stopped.contains($0) || isHeld[$0] }
        let mean = members.reduce(0) { $0 + velocity[$1] } / Double(members.count)
        for c in members { setVelocity(c, rests ? 0 : mean) }
      } else {
        // It stops, and whatever is tied to it.
        kinks.append(.value(coordinate: old.source, threshold: event.threshold))
        stopped.insert(old.source)
        for c in group([old.source]) { setVelocity(c, 0) }
        x[old.source] = event.threshold
      }
      schedule(r)
      return
    }
    if jump > 0 && slope + jump >= 0 {
      // A convex kink that ends the descent: rest on it.
      if isTie {
        kinks.append(.tie(row: r, branch: event.neighbour))
      } else {
        kinks.append(.value(coordinate: old.source, threshold: event.threshold))
      }
      slope = 0
      return
    }
    setRate(row.target, rate)
    branches[r] = event.neighbour
    tied[r] = nil
    kinks.removeAll { if case .tie(r, _) = $0 { true } else { false } }
    schedule(r)
  }

  /// Coordinates with all that move as one with them.
  private func group(_ coordinates: Set<Int>) -> [Int] {
    var members = coordinates
    var open = Array(members)
    while let c = open.popLast() {
      for k in flat.readerStarts[c]..<flat.readerStarts[c + 1] {
        let other = flat.readers[k]
        guard let ties = tied[other], !ties.isEmpty else { continue }
        let sources = ([branches[other]] + ties).map { function(other, $0).source }
        guard sources.contains(c) else { continue }
        for s in sources where members.insert(s).inserted { open.append(s) }
      }
    }
    return members.sorted()
  }

  /// Changes the velocity of a coordinate, of its own row and of the rows that read it.
  private mutating func setVelocity(_ c: Int, _ new: Double) {
    let change = new - velocity[c]
    guard change != 0 else { return }
    for k in springAt[c] ?? [] {
      let s = springs[k]
      slope += s.stiffness * (position(c) - s.value) * change
      curvature += s.stiffness * (new * new - velocity[c] * velocity[c])
    }
    x[c] = position(c)
    time[c] = now
    velocity[c] = new
    if c >= flat.starts[1] { setRate(c, rhoVelocity[c] + change) }
    for k in flat.readerStarts[c]..<flat.readerStarts[c + 1] {
      let r = flat.readers[k]
      let f = function(r, branches[r])
      if f.source == c {
        let t = flat.rows[r].target
        setRate(t, rhoVelocity[t] - f.slope * change)
      }
      schedule(r)
    }
  }

  private mutating func setRate(_ c: Int, _ new: Double) {
    let value = discrepancy(c)
    slope += weights[c] * value * (new - rhoVelocity[c])
    curvature += weights[c] * (new * new - rhoVelocity[c] * rhoVelocity[c])
    rho[c] = value
    rhoTime[c] = now
    rhoVelocity[c] = new
  }
}

/// The end of a row's branch on a path.
struct PathEvent {
  let time: Double
  let row: Int
  let neighbour: Int
  let threshold: Double
  let version: Int
}

/// Events by time: a binary heap.
struct EventQueue {
  private var heap: [PathEvent] = []

  mutating func insert(_ event: PathEvent) {
    heap.append(event)
    var i = heap.count - 1
    while i > 0, heap[i].time < heap[(i - 1) / 2].time {
      heap.swapAt(i, (i - 1) / 2)
      i = (i - 1) / 2
    }
  }

  mutating func removeFirst() {
    heap.swapAt(0, heap.count - 1)
    heap.removeLast()
    var i = 0
    while true {
      var least = i
      for child in [2 * i + 1, 2 * i + 2] where child < heap.count {
        if heap[child].time < heap[least].time { least = child }
      }
      if least == i { return }
      heap.swapAt(i, least)
      i = least
    }
  }

  /// The first event that is still valid; those before it are dropped.
  mutating func first(where isValid: (PathEvent) -> Bool) -> PathEvent? {
    while let event = heap.first {
      if isValid(event) { return event }
      removeFirst()
    }
    return nil
  }
}
