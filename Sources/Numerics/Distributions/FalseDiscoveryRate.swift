/// p-values adjusted so that rejecting those up to α keeps the expected share of false rejections at most α.
///
/// A p-value that is NaN, of a test that could not be made, stays NaN and is not counted among the tests.
public enum FalseDiscoveryRate {
  /// The adjusted p-values of Benjamini & Hochberg (J. R. Stat. Soc. B 57, 1995): for the i-th smallest of m
  /// min(1, min over j ≥ i of m p₍ⱼ₎ / j). For tests that are independent or positively dependent.
  ///
  /// Cost: m log m.
  ///
  /// - Parameter pValues: in [0, 1] or NaN, in any order.
  /// - Returns: the adjusted p-value of each, in the same order.
  public static func benjaminiHochberg(_ pValues: [Double]) -> [Double] {
    adjusted(pValues) { _ in 1 }
  }

  /// The adjusted p-values of Benjamini & Yekutieli (Ann. Stat. 29, 2001, Theorem 1.3): those of Benjamini & Hochberg
  /// times Σ 1/k over k = 1 … m, but at most 1. For any dependence between the tests.
  ///
  /// Cost: m log m.
  ///
  /// - Parameter pValues: in [0, 1] or NaN, in any order.
  /// - Returns: the adjusted p-value of each, in the same order.
  public static func benjaminiYekutieli(_ pValues: [Double]) -> [Double] {
    adjusted(pValues) { m in (1...m).reversed().reduce(0) { $0 + 1 / Double($1) } }
  }

  /// - Parameter factor: by which the p-values of m ≥ 1 tests grow.
  private static func adjusted(_ pValues: [Double], factor: (Int) -> Double) -> [Double] {
    for p in pValues { precondition(!(p < 0 || p > 1), "a p-value of \(p)") }
    let order = pValues.indices.filter { !pValues[$0].isNaN }
      .sorted { pValues[$0] < pValues[$1] }
    guard !order.isEmpty else { return pValues }
    let scale = factor(order.count) * Double(order.count)
    var result = pValues
    var least = 1.0
    for (rank, i) in order.enumerated().reversed() {
      least = min(least, scale * pValues[i] / Double(rank + 1))
      result[i] = least
    }
    return result
  }
}
