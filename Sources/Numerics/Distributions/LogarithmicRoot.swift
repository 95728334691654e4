import Foundation

/// The root x > 0 of F(x) = p, for a tail F whose logarithm is a concave function of log x.
///
/// By Newton's method on log F against log x: of a concave function all steps but the first come from one side, and
/// none passes the root.
///
/// - Parameters:
///   - p: positive.
///   - start: positive, and where F is below the smallest number not far from where it is more.
///   - isRising: whether F grows with x.
///   - tail: F.
///   - slope: x |F′(x)|, which may be a number where F′ is too small for one.
/// - Returns: 0 or ∞ where the root is no double.
func logarithmicRoot(
  of p: Double, from start: Double, isRising: Bool, tail: (Double) -> Double,
  slope: (Double) -> Double
) -> Double {
  var x = start
  var last: Double?
  for _ in 0..<400 {
    let f = tail(x)
    guard f > 0 else {
      // Too far out: half the way back, in digits.
      if let last {
        x = x.squareRoot() * last.squareRoot()
      } else {
        x *= isRising ? 1.03 : 1 / 1.03
      }
      continue
    }
    last = x
    let step = (isRising ? -1 : 1) * log(f / p) * f / slope(x)
    guard step.isFinite else { return x }
    x *= exp(min(max(step, -50), 50))
    guard x > 0 && x < .infinity else { return x }
    // The next step would be of the order of the square.
    if abs(step) < 1e-9 { break }
  }
  return x
}
