/// Continued fractions by Lentz's method as modified by Thompson & Barnett (J. Comput. Phys. 64, 1986).
enum LentzFraction {
  /// 1 / (b₀ + a₁ / (b₁ + a₂ / (b₂ + …))).
  ///
  /// - Parameters:
  ///   - leading: b₀.
  ///   - term: aₙ and bₙ for n = 1, 2, ….
  static func value(leading: Double, term: (Double) -> (a: Double, b: Double)) -> Double {
    let tiny = Double.leastNormalMagnitude * 0x1p60
    func nonzero(_ x: Double) -> Double { abs(x) < tiny ? tiny : x }
    var c = Double.infinity
    var d = 1 / nonzero(leading)
    var result = d
    var n = 1.0
    // Those met here converge; the bound ends what is not a number.
    while n < 1e8 {
      let (a, b) = term(n)
      d = 1 / nonzero(b + a * d)
      c = nonzero(b + a / c)
      result *= c * d
      if !(abs(c * d - 1) > 0x1p-53) { break }
      n += 1
    }
    return result
  }
}
