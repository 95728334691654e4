import Foundation

/// Student's t distribution with ν degrees of freedom: of Z / √(V/ν) for a standard normal Z and an independent χ²
/// variable V; P(X > t) = ½ I_x(ν/2, ½) with x = ν / (ν + t²) for t ≥ 0, by the regularised incomplete beta
/// function.
///
/// Both tails to a relative 10⁻¹² down to 10⁻³⁰⁰, for ν from 0.1 to 10⁶; cost: some √ν operations near the middle.
public struct StudentTDistribution: Sendable {
  /// ν.
  public let degreesOfFreedom: Double

  /// - Parameter degreesOfFreedom: positive and finite, whole or not.
  public init(degreesOfFreedom: Double) {
    precondition(
      degreesOfFreedom > 0 && degreesOfFreedom < .infinity,
      "\(degreesOfFreedom) degrees of freedom")
    self.degreesOfFreedom = degreesOfFreedom
  }

  /// P(X ≤ t); NaN for NaN.
  public func cdf(_ t: Double) -> Double { upperTail(-t) }

  /// P(X > t); NaN for NaN.
  public func upperTail(_ t: Double) -> Double {
    if t.isNaN { return t }
    return t >= 0 ? outside(t) : 1 - outside(-t)
  }

  /// The t with P(X ≤ t) = p.
  ///
  /// - Parameter p: in [0, 1]; NaN for NaN.
  public func quantile(_ p: Double) -> Double {
    precondition(!(p < 0 || p > 1), "a probability of \(p)")
    return p <= 0.5 ? -outerQuantile(p) : outerQuantile(1 - p)
  }

  /// The t with P(X > t) = q, to full precision for small q as well.
  ///
  /// - Parameter q: in [0, 1]; NaN for NaN.
  public func quantile(upperTail q: Double) -> Double { -quantile(q) }

  /// From there on x = ν / t² is all that counts, and t² may be no double.
  private var farOut: Double { 1e20 * max(degreesOfFreedom, 1) }

  /// P(X > t) for t ≥ 0.
  private func outside(_ t: Double) -> Double {
    if t > farOut {
      let a = degreesOfFreedom / 2
      let scale = exp(lgamma(a + 0.5) - lgamma(a + 1)) / (4 * Double.pi).squareRoot()
      return scale * pow(degreesOfFreedom.squareRoot() / t, degreesOfFreedom)
    }
    return beta(t).lower / 2
  }

  /// P(0 < X < t) for t ≥ 0.
  private func inside(_ t: Double) -> Double { beta(t).upper / 2 }

  private func beta(_ t: Double) -> IncompleteBeta {
    let ratio = t * t / degreesOfFreedom
    let x = 1 / (1 + ratio)
    // ½ x − ½ ν y = ½ x (1 − t²)
    return IncompleteBeta(
      degreesOfFreedom / 2, 0.5, x: x, y: ratio * x, surplus: x * (1 - t) * (1 + t) / 2)
  }

  /// t times the density, x^(ν/2) y^½ / B(ν/2, ½), for t > 0.
  private func logarithmicDensity(_ t: Double) -> Double {
    t > farOut ? degreesOfFreedom * outside(t) : beta(t).front
  }

  /// The t > 0 with P(X > t) = q for q up to ½. It is no less than the normal distribution's.
  private func outerQuantile(_ q: Double) -> Double {
    guard q > 0 && q < 0.5 else { return q.isNaN ? q : (q == 0 ? .infinity : 0) }
    let start = -NormalDistribution().quantile(q)
    // Near the middle ½ − q, which is exact, tells more than q.
    return q > 0.25
      ? logarithmicRoot(
        of: 0.5 - q, from: start, isRising: true, tail: inside, slope: logarithmicDensity)
      : logarithmicRoot(
        of: q, from: start, isRising: false, tail: outside, slope: logarithmicDensity)
  }
}
