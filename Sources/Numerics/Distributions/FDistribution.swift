import Foundation

/// Fisher's F distribution with d₁ and d₂ degrees of freedom: of (U/d₁) / (V/d₂) for independent χ² variables U and
/// V; P(X ≤ f) = I_x(d₁/2, d₂/2) with x = d₁ f / (d₁ f + d₂), the regularised incomplete beta function.
///
/// Both tails to a relative 10⁻¹² down to 10⁻³⁰⁰, for degrees from 0.1 to 10⁶; cost: some √max(d₁, d₂) operations
/// near the mean.
public struct FDistribution: Sendable {
  /// d₁ and d₂.
  public let degreesOfFreedom: (numerator: Double, denominator: Double)

  /// - Parameters:
  ///   - d1: positive and finite, whole or not.
  ///   - d2: positive and finite, whole or not.
  public init(_ d1: Double, _ d2: Double) {
    precondition(
      d1 > 0 && d1 < .infinity && d2 > 0 && d2 < .infinity, "\(d1) and \(d2) degrees of freedom")
    degreesOfFreedom = (d1, d2)
  }

  /// P(X ≤ f); NaN for NaN.
  public func cdf(_ f: Double) -> Double { both(f).lower }

  /// P(X > f); NaN for NaN.
  public func upperTail(_ f: Double) -> Double { both(f).upper }

  private func both(_ f: Double) -> IncompleteBeta {
    let (d1, d2) = degreesOfFreedom
    let f = f.isNaN ? f : max(f, 0)
    let ratio = d1 / d2 * f
    let y = 1 / (1 + ratio)
    return IncompleteBeta(
      d1 / 2, d2 / 2, x: ratio.isInfinite ? 1 : ratio * y, y: y, surplus: d1 / 2 * ((f - 1) * y))
  }
}
