import Foundation
import LinearAlgebra
import NeuralSheaves
import PiecewiseEnergies

/// A stretch of the flow of one sample on which it is linear: fixed branches, coordinates that rest and
/// coordinates that move as one.
///
/// In the orthonormal coordinates y of what moves, ẏ = α (f − B y) with B = V diag(λ) Vᵀ, so
/// y(τ) = V ((1 − e^{−αλτ})/λ ∘ Vᵀf), and every boundary and every force is a constant plus a sum of
/// exponentials. Cost: an eigen-decomposition of order n³, order n² for a state.
struct FlowSegment: Sendable {
  /// What is watched: while its function is positive the face holds.
  enum Watch: Sendable {
    /// The end of the branch of a row.
    case boundary(row: Int, BranchBoundary)
    /// −F⁺ and F⁻ of a coordinate that rests: the forces on its sides.
    case rightForce(Int)
    case leftForce(Int)
    /// The share of a tied coordinate in the force that a row's maximum feels.
    case share(row: Int, coordinate: Int)
  }

  let pieces: QuadraticPieces
  let alpha: Double
  /// All coordinates at the beginning.
  let origin: [Double]
  /// The group of each free coordinate that moves, −1 for those that rest; the size of each group.
  private let group: [Int]
  private let sizes: [Double]
  /// B and f.
  private let matrix: Matrix
  private let force: [Double]
  /// λ; V diag(Vᵀf/λ) and V diag(Vᵀf), both transposed: (modes, groups).
  let values: [Double]
  private let displacement, decay: Matrix
  let watches: [Watch]
  private let crossing: FirstCrossing
  /// For each watch at 0: the sign of its first derivative that is not 0; 0 for those above 0.
  let beginnings: [Int]

  /// The rounding of forces and coordinates, and how many of it count as 0 at the beginning.
  let forceTolerance, tolerance: Double
  private static let slack = 10.0

  init(_ face: Face, _ pieces: QuadraticPieces, _ x: [Double], alpha: Double, sample: Int)
    throws(FlowError)
  {
    self.pieces = pieces
    self.alpha = alpha
    origin = x
    let n = pieces.free.count
    let (hessian, forces) = face.assemble(pieces, x, sample: sample)

    // What moves, in groups.
    var group = [Int](repeating: -1, count: n)
    var sizes: [Double] = []
    for members in face.groups where !members.contains(where: { pieces.place[$0] < 0 }) {
      for c in members { group[pieces.place[c]] = sizes.count }
      sizes.append(Double(members.count))
    }
    let fixed = Set(
      face.groups.filter { $0.contains { pieces.place[$0] < 0 } }.flatMap { $0 }
        + face.rests.keys)
    for (i, c) in pieces.free.enumerated() where group[i] < 0 && !fixed.contains(c) {
      group[i] = sizes.count
      sizes.append(1)
    }
    (self.group, self.sizes) = (group, sizes)
    let m = sizes.count
    let weights = sizes.map { 1 / $0.squareRoot() }
    var matrix = Matrix(rows: m, columns: m)
    var force = [Double](repeating: 0, count: m)
    for j in 0..<n where group[j] >= 0 {
      let h = group[j]
      force[h] += weights[h] * forces[j]
      for i in 0..<n where group[i] >= 0 {
        matrix[group[i], h] += weights[group[i]] * weights[h] * hessian[i, j]
      }
    }
    (self.matrix, self.force) = (matrix, force)
    guard force.allSatisfy(\.isFinite), matrix.firstNonFinite == nil,
      let spectrum = try? SymmetricEigendecomposition(matrix)
    else { throw .noDecomposition }
    // Positive definite by Theorem 1; below rounding an eigenvalue is as good as 0.
    let smallest = 1e-300 + 1e-18 * (spectrum.values.last ?? 0)
    let lambda = spectrum.values.map { max($0, smallest) }
    values = lambda
    var (displacement, decay) = (Matrix(rows: m, columns: m), Matrix(rows: m, columns: m))
    for k in 0..<m {
      var projection = 0.0
      for g in 0..<m { projection += spectrum.vectors[g, k] * force[g] }
      for g in 0..<m {
        decay[k, g] = spectrum.vectors[g, k] * projection
        displacement[k, g] = decay[k, g] / lambda[k]
      }
    }
    (self.displacement, self.decay) = (displacement, decay)
    let size = maximum(1, x.maximumMagnitude)
    let tolerance = 1e-14 * size
    let forceTolerance = 1e-14 * size * max(1, hessian.maximumMagnitude)
    (self.tolerance, self.forceTolerance) = (tolerance, forceTolerance)

    // The watches, as functionals of the groups.
    var (watches, starts, functionals): ([Watch], [Double], [[(Int, Double)]]) = ([], [], [])
    func limit(_ watch: Watch) -> Double {
      if case .boundary = watch { tolerance } else { forceTolerance }
    }
    // What is negative as it stands must be met, moving or not.
    func isNegative(_ watch: Watch, _ value: Double) -> Bool { value < -Self.slack * limit(watch) }
    func watch(_ what: Watch, _ value: Double, _ functional: [(Int, Double)]) {
      guard isNegative(what, value) || functional.contains(where: { $0.1 != 0 }) else { return }
      watches.append(what)
      starts.append(value)
      functionals.append(functional)
    }
    func place(_ c: Int) -> Int { pieces.place[c] < 0 ? -1 : group[pieces.place[c]] }
    for r in pieces.flat.rows.indices {
      pieces.flat.forEachBoundary(r, face.branches[r]) { boundary in
        let c = boundary.source
        var functional: [(Int, Double)] = []
        if place(c) >= 0 { functional.append((place(c), boundary.sign * weights[place(c)])) }
        if let other = boundary.other {
          if face.ties[r]?.contains(other) == true { return }
          let g = place(other)
          if g >= 0 && g == place(c) { return }
          if g >= 0 { functional.append((g, -boundary.sign * weights[g])) }
        }
        let value = boundary.sign * (boundary.difference(x) - boundary.threshold)
        watch(.boundary(row: r, boundary), value, functional)
      }
    }
    // −A_c of a free coordinate, as a functional, with what else changes added.
    func forceRow(_ c: Int, _ extra: [(Int, Double)]) -> [(Int, Double)] {
      var row = [Double](repeating: 0, count: m)
      let i = pieces.place[c]
      for j in 0..<n where group[j] >= 0 { row[group[j]] -= weights[group[j]] * hessian[i, j] }
      for (d, slope) in extra where place(d) >= 0 { row[place(d)] += weights[place(d)] * slope }
      return row.enumerated().filter { $0.element != 0 }.map { ($0.offset, $0.element) }
    }
    for (c, threshold) in face.rests.sorted(by: { $0.key < $1.key }) {
      let sides = face.sides(of: c, at: threshold, pieces, x)
      let f = forces[pieces.place[c]]
      // ρ_r moves with its target alone: what it is compared with rests.
      let right = forceRow(c, sides.toRight.map { (pieces.flat.rows[$0.row].target, $0.jump) })
      let left = forceRow(c, sides.toLeft.map { (pieces.flat.rows[$0.row].target, $0.jump) })
      watch(.rightForce(c), -(f + sides.right), right.map { ($0.0, -$0.1) })
      watch(.leftForce(c), f + sides.left, left)
    }
    for (r, members) in face.ties.sorted(by: { $0.key < $1.key }) {
      let target = pieces.flat.rows[r].target
      let gamma = pieces.gamma[target]
      let top = pieces.flat.function(r, face.branches[r]).source
      let p = gamma * (x[target] - x[top])
      let isFixed = members.contains { pieces.place[$0] < 0 }
      // F_i without the row's pull, less the velocity of the group.
      let momentumRow = [(target, gamma), (top, -gamma)]
      var total = [Double](repeating: 0, count: m)
      var sum = 0.0
      var shares: [(Int, Double, [Double])] = []
      for c in members where pieces.place[c] >= 0 {
        var value = forces[pieces.place[c]]
        var dense = [Double](repeating: 0, count: m)
        for (g, q) in forceRow(c, []) { dense[g] += q }
        for g in 0..<m { total[g] += dense[g] }
        sum += value
        if c == top {
          value -= p
          for (d, q) in momentumRow where place(d) >= 0 { dense[place(d)] -= q * weights[place(d)] }
        }
        shares.append((c, value, dense))
      }
      let mean = isFixed ? 0 : 1 / Double(members.count)
      for (c, value, dense) in shares {
        let functional = (0..<m).map { ($0, dense[$0] - mean * total[$0]) }
        watch(.share(row: r, coordinate: c), value - mean * sum, functional)
      }
      if isFixed, let held = members.first(where: { pieces.place[$0] < 0 }) {
        // What the others do not take, −p less their shares, is the held coordinate's.
        var functional = [Double](repeating: 0, count: m)
        for (d, q) in momentumRow where place(d) >= 0 {
          functional[place(d)] -= q * weights[place(d)]
        }
        var value = -p
        for (_, share, dense) in shares {
          value -= share
          for g in 0..<m { functional[g] -= dense[g] }
        }
        watch(
          .share(row: r, coordinate: held), value, functional.enumerated().map { ($0, $1) })
      }
    }
    self.watches = watches

    // Derivatives at 0: v ← −αB v, from v = αf. Products with the matrix keep zeros that are structural.
    var orders = [Int](repeating: 0, count: watches.count)
    var signs = orders
    var open: [Int] = []
    for w in watches.indices {
      if isNegative(watches[w], starts[w]) {
        // As where another's event has taken away the force that held it.
        signs[w] = -1
      } else if starts[w] <= Self.slack * limit(watches[w]) {
        open.append(w)
      }
    }
    var v = Matrix(column: force)
    v.scale(by: alpha)
    let speed = alpha * max(lambda.last ?? 0, 1e-300)
    // The force that is 0 to one that rests is 0 to it when it is let go; else it would come back at once.
    var noise = Self.slack * forceTolerance * alpha
    for order in 1...2 * pieces.flat.starts.count + 4 where !open.isEmpty {
      let size = max(1e-12 * v.maximumMagnitude, noise)
      open.removeAll { w in
        let d = functionals[w].reduce(0) { $0 + $1.1 * v[$1.0, 0] }
        let scale = functionals[w].lazy.map(\.1).maximumMagnitude
        guard abs(d) > size * scale else { return false }
        (orders[w], signs[w]) = (order, d > 0 ? 1 : -1)
        return true
      }
      var next = Matrix(rows: m, columns: 1)
      next.addProduct(matrix, v, scale: -alpha)
      v = next
      noise *= speed
      if !(noise.isFinite && v.maximumMagnitude.isFinite) { break }
    }
    for w in open { (orders[w], signs[w]) = (-1, 1) }
    beginnings = signs
    var coefficients = [Double](repeating: 0, count: watches.count * m)
    var tolerances: [Double] = []
    for w in watches.indices {
      for (g, q) in functionals[w] {
        for k in 0..<m { coefficients[w * m + k] += q * displacement[k, g] }
      }
      tolerances.append(
        limit(watches[w]) + 1e-15 * (0..<m).reduce(0) { $0 + abs(coefficients[w * m + $1]) })
    }
    crossing = FirstCrossing(
      rates: lambda.map { alpha * $0 }, coefficients: coefficients, values: starts,
      orders: orders, tolerances: tolerances, resolution: 1e-12 / speed)
  }

  /// The first time in (start, end] at which a watch turns negative.
  func firstEvent(from start: Double, to end: Double) -> (time: Double, watch: Watch)? {
    crossing.find(from: start, to: end).map { ($0.time, watches[$0.function]) }
  }

  /// All coordinates after a time.
  func state(after time: Double) -> [Double] {
    var x = origin
    let u = values.map { -expm1(-alpha * $0 * time) }
    var moved = Matrix(rows: sizes.count, columns: 1)
    moved.setProduct(displacement, Matrix(column: u), transposing: .left)
    for (i, c) in pieces.free.enumerated() where group[i] >= 0 {
      x[c] += moved[group[i], 0] / sizes[group[i]].squareRoot()
    }
    return x
  }

  /// The force on the coordinates of each group after a time.
  private func forces(_ e: [Double]) -> [Double] {
    var f = Matrix(rows: sizes.count, columns: 1)
    f.setProduct(decay, Matrix(column: e), transposing: .left)
    return sizes.indices.map { f[$0, 0] / sizes[$0].squareRoot() }
  }

  private func exponentials(_ time: Double) -> [Double] { values.map { exp(-alpha * $0 * time) } }

  /// ‖F‖₂ after a time.
  func forceNorm(after time: Double) -> Double {
    let e = exponentials(time)
    return zip(forces(e), sizes).reduce(0) { $0 + $1.1 * $1.0 * $1.0 }.squareRoot()
  }

  /// ‖F‖∞ after a time.
  func largestForce(after time: Double) -> Double {
    forces(exponentials(time)).maximumMagnitude
  }

  /// The first time from `start` on at which ‖F‖∞ ≤ bound.
  ///
  /// The coordinate with the largest force certifies an interval: the terms of its force shrink, so those of
  /// its sign are least at the end and the others largest at the beginning.
  func firstTime(forceBelow bound: Double, from start: Double) -> Double {
    guard !sizes.isEmpty else { return start }
    let speed = alpha * max(values.last!, 1e-300)
    var a = start
    var ea = exponentials(a)
    var length = 0.25 / speed
    while true {
      let forces = forces(ea)
      let top = forces.indices.max { abs(forces[$0]) < abs(forces[$1]) }!
      guard abs(forces[top]) > bound else { return a }
      let sign: Double = forces[top] > 0 ? 1 : -1
      let weight = sign / sizes[top].squareRoot()
      while true {
        let eb = exponentials(a + length)
        var least = 0.0
        for k in values.indices {
          let c = weight * decay[k, top]
          least += c * (c > 0 ? eb[k] : ea[k])
        }
        if least > bound || length <= 1e-12 * max(a, 1 / speed) {
          a += length
          ea = eb
          length *= 2
          break
        }
        length /= 2
      }
    }
  }

  /// α·λ_min, the rate at which the force dies out in the end; nil where nothing moves.
  var rate: Double? { values.first.map { alpha * $0 } }

  /// −d/dt log ‖F‖₂ over the last part of the segment, in which the force falls 64-fold or, where the segment is
  /// shorter, at least fourfold.
  func measuredRate(at end: Double) -> Double? {
    let last = forceNorm(after: end)
    guard last > 0, end > 0 else { return nil }
    func rate(from start: Double) -> Double {
      log(forceNorm(after: start) / last) / (end - start)
    }
    let start = max(0, end - log(64) / max(rate(from: end / 2), 1e-300))
    let result = rate(from: start)
    return result * (end - start) >= log(4) ? result : nil
  }
}
