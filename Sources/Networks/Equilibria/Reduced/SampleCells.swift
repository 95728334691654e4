import LinearAlgebra
import NeuralSheaves
import PiecewiseEnergies

/// Where the cells of one sample stand: the branch, kink or tie of each row, with what it gives to a quadratic
/// model of the reduced energy.
///
/// A cell whose minimum stays on its branches is a quadratic in (t, u): ½κ(t − Lu − o)² with
/// 1/κ = 1/γ + p²/c, the compliances of its springs in series; at a kink θ it is ½γ(t − P(θ))² + ½c(u − θ)²;
/// a maximum at a level M with the places of T on it is ½κ(t − ū)² + ½Σ_T κ_i (ū_i − ū)².
struct SampleCells: Sendable {
  /// A read that rests on a kink θ: u is drawn to it.
  struct Kink: Sendable {
    let cells: Int32, read: Int32
    /// u − θ.
    let gap: Double
  }
  /// A row whose places are on one level.
  struct Level: Sendable {
    let cells: Int32, row: Int32
    /// Whether the level is a held place's and rests.
    let isFixed: Bool
  }

  /// By row: the slope of t in u (of a maximum 1, or 0 where its level rests), κ, t less its value, ∂F/∂t.
  var slopes: [Double]
  var kappas: [Double]
  var noises: [Double]
  var forces: [Double]
  /// By read: y, ∂F/∂u, and of places of a maximum whether they are on its level, the slope of their value in u, its
  /// stiffness, over the sum of the row's, and its distance from their mean (of others what the window reads).
  var values: [Double]
  var pulls: [Double]
  var isLevel: [Bool]
  var readSlopes: [Double]
  var readKappas: [Double]
  var shares: [Double]
  var gaps: [Double]
  /// By read: λ of a copy.
  var multipliers: [Double]
  /// How much stiffer copies are bound than at first.
  var copyFactor = 1.0
  var kinks: [Kink] = []
  /// Rows with several places on a level.
  var levels: [Level] = []

  init(_ elimination: Elimination) {
    let (rows, reads) = (
      [Double](repeating: 0, count: elimination.rowCount),
      [Double](repeating: 0, count: elimination.readCount)
    )
    (slopes, kappas, noises, forces) = (rows, rows, rows, rows)
    (values, pulls, readSlopes, readKappas, shares, gaps) = (
      reads, reads, reads, reads, reads, reads
    )
    multipliers = elimination.hasCopies ? reads : []
    isLevel = reads.map { _ in false }
  }
}

/// A straight line in a, and in what is linear in it: column j of x + τ dx and of the predictions m + τ dm.
struct Line {
  let x: [Matrix]
  let m: [Matrix]
  let dx: [Matrix]
  let dm: [Matrix]
}

extension Elimination {
  /// c of a read.
  @inline(__always)
  func weight(_ r: Int, _ state: SampleCells) -> Double {
    hasCopies && bindings[r] == .copy ? weights[r] * state.copyFactor : weights[r]
  }

  /// u of a read and its rate along a line.
  @inline(__always)
  func bound(
    _ r: Int, _ source: Int, _ line: Line, _ tau: Double, _ j: Int, _ state: SampleCells
  ) -> (Double, Double) {
    let k = Int(sources[r]) + j * line.x[source].rows
    switch bindings[r] {
    case .prediction:
      let d = line.dm[source].elements[k]
      return (line.m[source].elements[k] + tau * d, d)
    case .copy:
      let d = line.dx[source].elements[k]
      return (line.x[source].elements[k] + tau * d + state.multipliers[r] / weight(r, state), d)
    case .value: return (line.x[source].elements[k], 0)
    }
  }

  /// Brings the cells to a point of a line: their energy and its rate there.
  func evaluate(
    _ out: inout SampleCells, on line: Line, at tau: Double, sample j: Int
  ) -> (energy: Double, rate: Double) {
    out.kinks.removeAll(keepingCapacity: true)
    out.levels.removeAll(keepingCapacity: true)
    var (energy, rate) = (0.0, 0.0)
    for (n, cell) in cells.enumerated() {
      let dimension = line.x[cell.target].rows
      let first = cell.rows.lowerBound + j * dimension
      for q in 0..<cell.rows.count {
        let dt = line.dx[cell.target].elements[first + q]
        let t = line.x[cell.target].elements[first + q] + tau * dt
        let gamma = gamma[cell.target][cell.rows.lowerBound + q]
        let (e, s) =
          cell.isWindow
          ? window(n, q, t, dt, gamma, &out, line, tau, j)
          : function(n, q, t, dt, gamma, &out, line, tau, j)
        energy += e
        rate += s
      }
    }
    if hasCopies {
      for r in 0..<readCount where bindings[r] == .copy {
        energy -= out.multipliers[r] * out.multipliers[r] / (2 * weight(r, out))
      }
    }
    return (energy, rate)
  }

  /// A row that reads one coordinate.
  @inline(__always)
  private func function(
    _ n: Int, _ q: Int, _ t: Double, _ dt: Double, _ gamma: Double, _ out: inout SampleCells,
    _ line: Line, _ tau: Double, _ j: Int
  ) -> (Double, Double) {
    let cell = cells[n]
    let r = cell.readStarts[q]
    let (u, du) = bound(r, cell.source, line, tau, j, out)
    let c = weight(r, out)
    let start = Int(pieceStarts[r])
    let least = pieces.withUnsafeBufferPointer {
      CellMinimum(u, c, t, gamma, $0.baseAddress! + start, Int(pieceCounts[r]))
    }
    let piece = pieces[start + least.piece]
    let d = t - piece.slope * least.y - piece.offset
    let (force, pull) = (gamma * d, c == .infinity ? 0 : c * (u - least.y))
    let k = cell.firstRow + q
    out.values[r] = least.y
    out.pulls[r] = pull
    out.forces[k] = force
    if c == .infinity || least.isKink {
      (out.slopes[k], out.kappas[k], out.noises[k]) = (0, gamma, d)
      if least.isKink {
        out.kinks.append(.init(cells: Int32(n), read: Int32(r), gap: u - least.y))
      }
    } else {
      out.slopes[k] = piece.slope
      out.kappas[k] = 1 / (1 / gamma + piece.slope * piece.slope / c)
      out.noises[k] = t - piece.slope * u - piece.offset
    }
    return (least.value, force * dt + pull * du)
  }

  /// What a place costs at a level M: h(M) = min over its y, its derivative, and κ there.
  @inline(__always)
  private func place(_ r: Int, _ u: Double, _ c: Double, _ level: Double) -> (
    value: Double, force: Double, kappa: Double, least: CellMinimum?
  ) {
    guard pieceCounts[r] > 0 else {
      let d = level - u
      return (0.5 * c * d * d, c * d, c, nil)
    }
    let gamma = middleWeights[r]
    let start = Int(pieceStarts[r])
    let least = pieces.withUnsafeBufferPointer {
      CellMinimum(u, c, level, gamma, $0.baseAddress! + start, Int(pieceCounts[r]))
    }
    let p = pieces[start + least.piece]
    let kappa = least.isKink ? gamma : 1 / (1 / gamma + p.slope * p.slope / c)
    return (least.value, gamma * (level - p.slope * least.y - p.offset), kappa, least)
  }

  /// P(y) of what a read is read by; y itself for a place of a maximum of predictions.
  @inline(__always)
  func value(ofRead r: Int, at y: Double) -> Double {
    let start = Int(pieceStarts[r])
    for p in start..<start + Int(pieceCounts[r]) where y <= pieces[p].high {
      return pieces[p].slope * y + pieces[p].offset
    }
    return y
  }

  /// A row that is the largest of its places (with sign −1: the least). Written for the largest.
  private func window(
    _ n: Int, _ q: Int, _ t: Double, _ dt: Double, _ gamma: Double, _ out: inout SampleCells,
    _ line: Line, _ tau: Double, _ j: Int
  ) -> (Double, Double) {
    let cell = cells[n]
    let sign = cell.sign
    let reads = cell.readStarts[q]..<cell.readStarts[q + 1]
    var (top, floor) = (-Double.infinity, -Double.infinity)
    var best = reads.lowerBound
    for r in reads {
      let u = bound(r, cell.source, line, tau, j, out).0
      (out.values[r], out.pulls[r]) = (u, 0)
      let v = sign * value(ofRead: r, at: u)
      out.gaps[r] = v
      if v > top { (top, best) = (v, r) }
      if weights[r] == .infinity && pieceCounts[r] == 0 { floor = max(floor, v) }
    }
    let wanted = sign * t
    var level = top
    var only = -1
    if wanted >= top {
      // One place rises, the one for which that costs least.
      only = best
      var cost = Double.infinity
      for r in reads {
        let (m, value) = raised(r, out.values[r], weight(r, out), wanted, gamma, sign)
        if value < cost && m >= top { (cost, only, level) = (value, r, m) }
      }
      if cost == .infinity { level = top }
    } else {
      level = self.level(reads, wanted, max(wanted, floor), top, floor, gamma, sign, out)
    }
    let isFixed = level == floor || only >= 0 && weights[only] == .infinity
    let d = wanted - level
    let force = sign * gamma * d
    var (energy, rate) = (0.5 * gamma * d * d, force * dt)
    var (total, mean, count) = (0.0, 0.0, 0)
    for r in reads {
      let isOn = weights[r] != .infinity && (only >= 0 ? r == only : out.gaps[r] > level)
      out.isLevel[r] = isOn
      guard isOn else { continue }
      let (u, du) = bound(r, cell.source, line, tau, j, out)
      let place = place(r, u, weight(r, out), sign * level)
      energy += place.value
      let y = place.least?.y ?? sign * level
      let pull = weight(r, out) * (u - y)
      rate += pull * du
      (out.values[r], out.pulls[r]) = (y, pull)
      var (slope, offset) = (1.0, 0.0)
      if let least = place.least {
        let p = pieces[Int(pieceStarts[r]) + least.piece]
        (slope, offset) = least.isKink ? (0, p.slope * y + p.offset) : (p.slope, p.offset)
        if least.isKink {
          out.kinks.append(.init(cells: Int32(n), read: Int32(r), gap: u - y))
        }
      }
      (out.readSlopes[r], out.readKappas[r]) = (slope, place.kappa)
      out.gaps[r] = slope * u + offset
      total += place.kappa
      mean += place.kappa * (slope * u + offset)
      count += 1
    }
    let k = cell.firstRow + q
    out.forces[k] = force
    if isFixed || count == 0 {
      (out.slopes[k], out.kappas[k], out.noises[k]) = (0, gamma, sign * d)
      for r in reads where out.isLevel[r] { out.gaps[r] -= sign * level }
    } else {
      mean /= total
      out.slopes[k] = 1
      out.kappas[k] = 1 / (1 / gamma + 1 / total)
      out.noises[k] = t - mean
      for r in reads where out.isLevel[r] {
        out.shares[r] = out.readKappas[r] / total
        out.gaps[r] -= mean
      }
    }
    if count > 1 || isFixed && count > 0 {
      out.levels.append(.init(cells: Int32(n), row: Int32(q), isFixed: isFixed))
    }
    return (energy, rate)
  }

  /// The level M between `low` and `top` with γ(M − t) + Σ h_i'(M) = 0 over the places above it: the left side
  /// increases, piecewise linear.
  private func level(
    _ reads: Range<Int>, _ wanted: Double, _ low: Double, _ top: Double, _ floor: Double,
    _ gamma: Double, _ sign: Double, _ out: SampleCells
  ) -> Double {
    var (low, high, level) = (low, top, low)
    for _ in 0..<100 {
      var (slope, sum) = (gamma, gamma * (level - wanted))
      for r in reads where weights[r] != .infinity && out.gaps[r] > level {
        let place = place(r, out.values[r], weight(r, out), sign * level)
        sum += sign * place.force
        slope += place.kappa
      }
      if sum > 0 { high = level } else { low = level }
      var next = level - sum / slope
      if !(next > low && next < high) { next = 0.5 * (low + high) }
      if sum == 0 || level == floor && sum > 0 || abs(next - level) <= 1e-16 * max(1, abs(level)) {
        break
      }
      level = next
    }
    return level
  }

  /// The level to which one place rises towards t, and the cost; values are those of the largest.
  @inline(__always)
  private func raised(
    _ r: Int, _ u: Double, _ c: Double, _ wanted: Double, _ gamma: Double, _ sign: Double
  ) -> (Double, Double) {
    guard pieceCounts[r] > 0 else {
      let v = sign * u
      if c == .infinity { return (v, 0.5 * gamma * (wanted - v) * (wanted - v)) }
      let kappa = gamma * c / (gamma + c)
      return ((gamma * wanted + c * v) / (gamma + c), 0.5 * kappa * (wanted - v) * (wanted - v))
    }
    let middle = middleWeights[r]
    let series = gamma * middle / (gamma + middle)
    let start = Int(pieceStarts[r])
    let least = pieces.withUnsafeBufferPointer {
      CellMinimum(u, c, sign * wanted, series, $0.baseAddress! + start, Int(pieceCounts[r]))
    }
    let p = pieces[start + least.piece]
    let value = sign * (p.slope * least.y + p.offset)
    return ((gamma * wanted + middle * value) / (gamma + middle), least.value)
  }
}

extension Elimination {
  /// The largest distance of a copy from what it is a copy of, in column j of x, also relative to that where that
  /// is beyond 1.
  func separation(
    _ state: SampleCells, _ x: [Matrix], sample j: Int
  ) -> (relative: Double, absolute: Double) {
    var worst = (relative: 0.0, absolute: 0.0)
    forEachCopy { r, vertex in
      let s = x[vertex][Int(sources[r]), j]
      let gap = abs(s - state.values[r])
      worst = (maximum(worst.relative, gap / max(1, abs(s))), maximum(worst.absolute, gap))
    }
    return worst
  }

  /// Visits the reads that are bound to outer coordinates, each with the vertex of its coordinate.
  func forEachCopy(_ visit: (_ read: Int, _ vertex: Int) -> Void) {
    guard hasCopies else { return }
    for cell in cells {
      for r in cell.readStarts[0]..<cell.readStarts[cell.rows.count] where bindings[r] == .copy {
        visit(r, cell.source)
      }
    }
  }

  /// How many coordinates are tied with another of their window.
  func tiedCoordinates(_ state: SampleCells) -> Int {
    state.levels.reduce(0) { sum, level in
      let cell = cells[Int(level.cells)]
      let reads = cell.readStarts[Int(level.row)]..<cell.readStarts[Int(level.row) + 1]
      return sum + reads.count { state.isLevel[$0] } - (level.isFixed ? 0 : 1)
    }
  }
}
