import Foundation

extension Barcode {
  /// The p-Wasserstein distance of the bars of a degree: the least (Σ dᵖ)^(1/p) over all ways to match some bars of
  /// the two with one another, d the larger difference of births and deaths of partners, and half the length of a bar
  /// without one (Cohen-Steiner, Edelsbrunner, Harer, Mileyko 2010).
  ///
  /// It is ∞ for different numbers of infinite bars, which are matched in the order of their births. For p → ∞ it
  /// becomes the bottleneck distance.
  ///
  /// Complexity: O(min(n, m)² (n + m)) for n and m bars; exact up to rounding.
  ///
  /// - Parameter power: p ≥ 1.
  public func wassersteinDistance(
    to other: Barcode, degree: Int, power p: Double = 1
  ) -> Double {
    precondition(p >= 1 && p.isFinite, "power \(p), expected a finite number from 1 on")
    let (first, second) = (Diagram(self[degree]), Diagram(other[degree]))
    guard first.infinite.count == second.infinite.count else { return .infinity }
    let (a, b) =
      first.finite.count <= second.finite.count
      ? (first.finite, second.finite) : (second.finite, first.finite)
    let scale = (a + b).reduce(
      zip(first.infinite, second.infinite).reduce(0) { max($0, abs($1.0 - $1.1)) }
    ) { max($0, $1.toDiagonal) }
    if scale == 0 { return 0 }
    func power(_ d: Double) -> Double { pow(d / scale, p) }
    var sum = zip(first.infinite, second.infinite).reduce(0) { $0 + power(abs($1.0 - $1.1)) }
    let alone = (a.map { power($0.toDiagonal) }, b.map { power($0.toDiagonal) })
    // A bar of a that takes one of b saves what that costs alone.
    let pairs = a.map { p in b.map { power(p.distance(to: $0)) } }
    let assignment = Assignment(
      costs: pairs.flatMap { zip($0, alone.1).map { $0 - $1 } }, columns: b.count, alone: alone.0)
    var isTaken = [Bool](repeating: false, count: b.count)
    for (i, column) in assignment.columns.enumerated() {
      if let column { isTaken[column] = true }
      sum += column.map { pairs[i][$0] } ?? alone.0[i]
    }
    for j in b.indices where !isTaken[j] { sum += alone.1[j] }
    return scale * pow(sum, 1 / p)
  }
}
