import Foundation

/// The regularised incomplete gamma functions P(a, x) = γ(a, x) / Γ(a) and Q = 1 − P.
///
/// By the power series below a and the continued fraction of Legendre above (DLMF 8.11.4, 8.9.2), the latter by Lentz's
/// method as modified by Thompson & Barnett (J. Comput. Phys. 64, 1986). The factor before them is that of
/// Loader (2000), which keeps its digits for large a.
///
/// Cost: some 10 √a terms near x = a, fewer away from it.
struct IncompleteGamma {
  /// P(a, x).
  let lower: Double
  /// Q(a, x).
  let upper: Double

  /// - Parameters:
  ///   - a: positive.
  ///   - x: not negative.
  init(_ a: Double, _ x: Double) {
    guard x > 0 else {
      (lower, upper) = x == 0 ? (0, 1) : (.nan, .nan)
      return
    }
    guard x < .infinity else {
      (lower, upper) = (1, 0)
      return
    }
    let front = Self.poisson(a, x)
    if x < a + 1 {
      lower = min(front * Self.series(a, x), 1)
      upper = 1 - lower
    } else {
      upper = min(front * a * Self.fraction(a, x), 1)
      lower = 1 - upper
    }
  }

  /// xᵃ e⁻ˣ / Γ(a + 1).
  static func poisson(_ a: Double, _ x: Double) -> Double {
    if a < 15 {
      // The power overflows long after the exponential has vanished.
      guard x < 2000 else { return 0 }
      let half = exp(-x / 2)
      return half * (pow(x, a) / tgamma(a + 1)) * half
    }
    let exponent = a * deviance(ratio: x / a, excess: (x - a) / a) + stirlingRemainder(a)
    return exp(-exponent) / (2 * Double.pi * a).squareRoot()
  }

  /// Σ xⁿ / ((a + 1) … (a + n)).
  private static func series(_ a: Double, _ x: Double) -> Double {
    var (sum, term, n) = (1.0, 1.0, 1.0)
    while term > sum * 0x1p-54 {
      term *= x / (a + n)
      sum += term
      n += 1
    }
    return sum
  }

  /// 1 / (x + 1 − a − 1 (1 − a) / (x + 3 − a − 2 (2 − a) / (x + 5 − a − …))).
  private static func fraction(_ a: Double, _ x: Double) -> Double {
    LentzFraction.value(leading: x + 1 - a) { n in (-n * (n - a), x + 2 * n + 1 - a) }
  }
}
