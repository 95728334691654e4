import Foundation

/// The standard normal distribution, Φ(x) = (2π)^(−1/2) ∫ exp(−t²/2) dt over t ≤ x.
///
/// Another mean μ and deviation σ: put (x − μ) / σ in, or take μ + σ · the quantile.
public struct NormalDistribution: Sendable {
  /// The standard normal distribution.
  public init() {}

  /// The density (2π)^(−1/2) exp(−x²/2).
  public func density(_ x: Double) -> Double { exp(-x * x / 2) / (2 * Double.pi).squareRoot() }

  /// P(X ≤ x) = Φ(x), to a relative 10⁻¹² wherever it is a normal number (x > −37.5).
  public func cdf(_ x: Double) -> Double { erfc(-x * 0.5.squareRoot()) / 2 }

  /// P(X > x) = Φ(−x), to the same relative accuracy where it is small.
  public func upperTail(_ x: Double) -> Double { cdf(-x) }

  /// The x with Φ(x) = p: −∞ for p = 0 and ∞ for 1.
  ///
  /// Near 1 a double cannot tell p from its neighbours well; give the upper tail there.
  ///
  /// - Parameter p: in [0, 1]; NaN for NaN.
  public func quantile(_ p: Double) -> Double {
    precondition(!(p < 0 || p > 1), "a probability of \(p)")
    return p <= 0.5 ? lowerQuantile(p) : -lowerQuantile(1 - p)
  }

  /// The x with P(X > x) = q.
  ///
  /// - Parameter q: in [0, 1]; NaN for NaN.
  public func quantile(upperTail q: Double) -> Double { -quantile(q) }

  /// By rational approximation (Abramowitz & Stegun 26.2.23, to 4.5 · 10⁻⁴) and Halley steps on Φ(x) = p, which cube
  /// the error.
  private func lowerQuantile(_ p: Double) -> Double {
    guard p > 0 else { return p.isNaN ? p : -.infinity }
    guard p != 0.5 else { return 0 }
    let t = (-2 * log(p)).squareRoot()
    let fraction =
      (2.515517 + t * (0.802853 + t * 0.010328))
      / (1 + t * (1.432788 + t * (0.189269 + t * 0.001308)))
    var x = fraction - t
    for _ in 0..<3 {
      // Of Φ(x) − p as a double nothing is left near the middle, where erf tells the same in full.
      let surplus = p < 0.25 ? cdf(x) - p : erf(x * 0.5.squareRoot()) / 2 + (0.5 - p)
      let step = surplus / density(x)
      guard step.isFinite else { break }
      x -= step / (1 + x * step / 2)
    }
    return x
  }
}
