import Foundation

/// The first time at which one of several functions g(τ) = g₀ + Σ_k q_k (1 − e^{−r_k τ}), r_k ≥ 0, turns
/// negative, without missing one.
///
/// On [a, b] the terms with q_k > 0 are concave and increasing, so above their chord; those with q_k < 0 are
/// convex and decreasing, so above each tangent. Chord plus tangent is a linear lower bound: where it is
/// positive at both ends, g has no zero. The march takes growing intervals, halves one whose bound fails, and
/// finishes by Newton's method with a bracket once g′ < 0 is certain on the interval.
struct FirstCrossing {
  /// r.
  let rates: [Double]
  /// q, those of function f at f · rates.count and on.
  let coefficients: [Double]
  /// g₀.
  let values: [Double]
  /// For functions that start at 0 and rise: the order of the first derivative that is not 0. 0 for those that
  /// start above 0, −1 for those that stay where they are.
  let orders: [Int]
  /// Rounding of the values.
  let tolerances: [Double]
  /// Intervals no longer than this are not halved.
  let resolution: Double

  /// The functions at one time: rising and falling parts with their derivatives.
  private struct Values {
    var time: Double
    var u, decay: [Double]
    var rise, fall, riseRate, fallRate: [Double]
  }

  private func evaluate(_ time: Double) -> Values {
    let m = rates.count
    var v = Values(
      time: time, u: rates, decay: rates, rise: values, fall: values, riseRate: values,
      fallRate: values)
    for k in 0..<m {
      let x = rates[k] * time
      let e = exp(-x)
      v.u[k] = x < 0.5 ? -expm1(-x) : 1 - e
      v.decay[k] = rates[k] * e
    }
    for f in values.indices {
      var (rise, fall, riseRate, fallRate) = (0.0, 0.0, 0.0, 0.0)
      for k in 0..<m {
        let q = coefficients[f * m + k]
        if q > 0 {
          rise += q * v.u[k]
          riseRate += q * v.decay[k]
        } else {
          fall += q * v.u[k]
          fallRate += q * v.decay[k]
        }
      }
      (v.rise[f], v.fall[f]) = (rise, fall)
      (v.riseRate[f], v.fallRate[f]) = (riseRate, fallRate)
    }
    return v
  }

  private func value(_ f: Int, _ v: Values) -> Double { values[f] + v.rise[f] + v.fall[f] }

  /// The first crossing in (start, end].
  func find(from start: Double, to end: Double) -> (time: Double, function: Int)? {
    guard !values.isEmpty, !rates.isEmpty, end > start else { return nil }
    var a = evaluate(start)
    // A function leaves 0 as long as the derivative of its order has been certain to be positive since 0.
    var isLeaving = orders.map { $0 > 0 && start == 0 }
    var length = min(end - start, 0.25 / max(rates.max()!, 1e-300))
    while a.time < end {
      // No shorter than time can tell.
      let least = max(resolution, 2 * a.time.ulp)
      length = max(length, least)
      let b = evaluate(a.time + length >= end ? end : a.time + length)
      var suspects: [Int] = []
      var areBracketed = true
      var leaves = isLeaving
      for f in values.indices where orders[f] >= 0 {
        if isLeaving[f] {
          if derivativeIsPositive(f, a, b) { continue }
          leaves[f] = false
        }
        let (ga, gb) = (value(f, a), value(f, b))
        let h = b.time - a.time
        let fromA = values[f] + b.rise[f] + a.fall[f] + a.fallRate[f] * h
        let fromB = values[f] + a.rise[f] + b.fall[f] - b.fallRate[f] * h
        // What is 0 up to rounding, as at the end of a decay, is no crossing as long as it stays so.
        let zero = ga <= tolerances[f] ? -tolerances[f] : 0
        if (ga > zero && fromA > zero) || (gb > zero && fromB > zero) { continue }
        let falls = a.riseRate[f] + b.fallRate[f] < 0
        if falls && gb > 0 { continue }
        suspects.append(f)
        if !(falls && ga > 0) { areBracketed = false }
      }
      if suspects.isEmpty {
        isLeaving = leaves
        a = b
        length *= 2
      } else if areBracketed {
        var first = (time: Double.infinity, function: -1)
        for f in suspects {
          let t = root(f, a.time, b.time)
          if t < first.time { first = (t, f) }
        }
        return first
      } else if min(length, b.time - a.time) <= least {
        // Too short to halve: a touch within rounding, or the end of a branch.
        if let f = suspects.first(where: { value($0, b) < -tolerances[$0] }) { return (b.time, f) }
        isLeaving = leaves
        a = b
        length *= 2
      } else {
        length = (b.time - a.time) / 2
      }
    }
    return nil
  }

  /// Whether the derivative of the function's order is positive on all of [a, b]: terms of either sign shrink.
  private func derivativeIsPositive(_ f: Int, _ a: Values, _ b: Values) -> Bool {
    let m = rates.count
    let sign: Double = orders[f] % 2 == 1 ? 1 : -1
    var sum = 0.0
    for k in 0..<m {
      var d = sign * coefficients[f * m + k]
      for _ in 1..<orders[f] { d *= rates[k] }
      sum += d * (d > 0 ? b.decay[k] : a.decay[k])
    }
    return sum > 0
  }

  /// The zero of a function that falls from above 0 at a to at most 0 at b.
  private func root(_ f: Int, _ a: Double, _ b: Double) -> Double {
    let m = rates.count
    var (low, high) = (a, b)
    var t = (a + b) / 2
    for _ in 0..<100 {
      var (g, slope) = (values[f], 0.0)
      for k in 0..<m {
        let x = rates[k] * t
        let q = coefficients[f * m + k]
        g -= q * expm1(-x)
        slope += q * rates[k] * exp(-x)
      }
      if g > 0 { low = t } else { high = t }
      if g == 0 || high - low <= 2 * t.ulp { break }
      let next = t - g / slope
      let isInside = next > low && next < high
      let new = isInside ? next : (low + high) / 2
      if new == t { break }
      t = new
    }
    return min(max(t, a), b)
  }
}
