import Foundation

/// The regularised incomplete beta function I_x(a, b) = B(a, b)⁻¹ ∫ tᵃ⁻¹ (1 − t)ᵇ⁻¹ dt over 0 ≤ t ≤ x, and 1 − I.
///
/// By the continued fraction of Didonato & Morris (ACM TOMS 18, 1992, eq. 9), on the side of the mean where it
/// converges fast and has no cancellation, times the binomial probability of Loader (2000).
///
/// Cost: some √max(a, b) terms near the mean, fewer away from it.
struct IncompleteBeta {
  /// I_x(a, b).
  let lower: Double
  /// 1 − I_x(a, b) = I_y(b, a).
  let upper: Double
  /// xᵃ yᵇ / B(a, b).
  let front: Double

  /// - Parameters:
  ///   - a: positive.
  ///   - b: positive.
  ///   - x: in [0, 1].
  ///   - y: 1 − x without the rounding of x.
  ///   - surplus: b x − a y without cancellation.
  init(_ a: Double, _ b: Double, x: Double, y: Double, surplus: Double) {
    guard x > 0 && y > 0 else {
      let isNumber = !x.isNaN && !y.isNaN
      lower = isNumber ? (x > 0 ? 1 : 0) : .nan
      upper = isNumber ? (x > 0 ? 0 : 1) : .nan
      front = isNumber ? 0 : .nan
      return
    }
    let n = a + b
    let exponent =
      a * deviance(ratio: n * x / a, excess: surplus / a)
      + b * deviance(ratio: n * y / b, excess: -surplus / b)
    let remainder = stirlingRemainder(n) - stirlingRemainder(a) - stirlingRemainder(b)
    front = exp(remainder - exponent) * (a / n * b / (2 * Double.pi)).squareRoot()
    if surplus <= 0 {
      lower = min(front * Self.fraction(a, b, x: x, surplus: surplus), 1)
      upper = 1 - lower
    } else {
      upper = min(front * Self.fraction(b, a, x: y, surplus: -surplus), 1)
      lower = 1 - upper
    }
  }

  private static func fraction(_ a: Double, _ b: Double, x: Double, surplus: Double) -> Double {
    LentzFraction.value(leading: a * (1 - surplus) / (a + 1)) { m in
      let p = a + 2 * m - 1
      let numerator = ((a + m - 1) / p) * ((a + b + m - 1) / p) * m * (b - m) * x * x
      let denominator =
        m + m * (b - m) * x / p + (a + m) * (1 - surplus + m * (2 - x)) / (p + 2)
      return (numerator, denominator)
    }
  }
}
