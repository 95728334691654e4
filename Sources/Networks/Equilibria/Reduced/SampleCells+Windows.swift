import LinearAlgebra
import NeuralSheaves
import PiecewiseEnergies

/// Rows that take the largest of several places.
extension Elimination {
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
    let least = minimum(ofRead: r, u, c, level, gamma)
    let p = pieces[Int(pieceStarts[r]) + least.piece]
    let kappa = least.isKink ? gamma : 1 / (1 / gamma + p.slope * p.slope / c)
    return (least.value, gamma * (level - p.slope * least.y - p.offset), kappa, least)
  }

  /// A row that is the largest of its places (with sign −1: the least). Written for the largest.
  func window(
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
      if level == floor && sum > 0 { break }
      // On the last piece this is the root.
      let step = sum / slope
      let next = level - step
      if abs(step) <= 2 * Double.ulpOfOne * max(1, abs(level)) { return next }
      if sum > 0 { high = level } else { low = level }
      level = next > low && next < high ? next : 0.5 * (low + high)
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
    let least = minimum(ofRead: r, u, c, sign * wanted, series)
    let p = pieces[Int(pieceStarts[r]) + least.piece]
    let value = sign * (p.slope * least.y + p.offset)
    return ((gamma * wanted + middle * value) / (gamma + middle), least.value)
  }
}
