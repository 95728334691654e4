import Distributions

/// The probability that fair coins fall at least as unevenly as a to b, either way: the exact test of McNemar (1947).
func signTest(_ a: Int, _ b: Int) -> Double {
  let (n, k) = (a + b, min(a, b))
  guard n > 0, k < n - k else { return 1 }
  // X ≤ k of Binomial(n, ½) where F with 2(k + 1) and 2(n − k) degrees of freedom is (n − k)/(k + 1) or more.
  let f = FDistribution(Double(2 * (k + 1)), Double(2 * (n - k)))
  return min(1, 2 * f.upperTail(Double(n - k) / Double(k + 1)))
}
