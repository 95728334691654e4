import Foundation

/// What Stirling's formula leaves of log Γ(a + 1): log Γ(a + 1) − (a + ½) log a + a − ½ log 2π, for a > 0.
func stirlingRemainder(_ a: Double) -> Double {
  guard a >= 15 else {
    return lgamma(a + 1) - (a + 0.5) * log(a) + a - 0.5 * log(2 * Double.pi)
  }
  // 1/12a − 1/360a³ + 1/1260a⁵ − 1/1680a⁷ + 1/1188a⁹ − 691/360360a¹¹ + 1/156a¹³
  let s = 1 / (a * a)
  let series =
    1.0 / 12 - s
    * (1.0 / 360 - s
      * (1.0 / 1260 - s * (1.0 / 1680 - s * (1.0 / 1188 - s * (691.0 / 360360 - s / 156)))))
  return series / a
}

/// r − 1 − log r for a ratio r = 1 + `excess` > 0, to nearly full relative precision: the deviance of one Poisson
/// count (Loader, Fast and accurate computation of binomial probabilities, 2000).
///
/// - Parameter excess: r − 1 without the rounding of r.
func deviance(ratio: Double, excess: Double) -> Double {
  guard abs(excess) < 0.5 else { return excess - log(ratio) }
  // log(1 + e) = 2 artanh s = 2 (s + s³/3 + …) for s = e / (2 + e), and e − 2 s = e s.
  let s = excess / (2 + excess)
  let square = s * s
  var (sum, power, k) = (0.0, 1.0, 3.0)
  while true {
    let next = sum + power / k
    if next == sum { break }
    sum = next
    power *= square
    k += 2
  }
  return s * (excess - 2 * square * sum)
}
