import LinearAlgebra

/// Linear splines, one for each row: continuous piecewise affine functions of a number each,
/// f_i(z) = slope_ib z + offset_ib on branch b = (number of kinks of row i that are ≤ z).
///
/// A kink belongs to the branch on its right. Offsets follow from the first by continuity,
/// offset_{b+1} = offset_b + (slope_b − slope_{b+1}) kink_b.
public struct LinearSplines: Sendable, Equatable {
  /// (n, K), ascending in each row; a row with fewer than K kinks ends in infinities.
  public let kinks: Matrix
  /// (n, K + 1); what belongs to infinite kinks repeats the last.
  public let slopes: Matrix
  /// (n, K + 1), likewise.
  public let offsets: Matrix

  /// Splines from kinks (n, K), slopes (n, K + 1) and the offset of each one's first branch (n, 1).
  public init(kinks: Matrix, slopes: Matrix, firstOffsets: Matrix) {
    let (n, k) = (kinks.rows, kinks.columns)
    precondition(
      slopes.rows == n && slopes.columns == k + 1 && firstOffsets.rows == n
        && firstOffsets.columns == 1,
      "kinks \(kinks.shape), slopes \(slopes.shape), offsets \(firstOffsets.shape)")
    var (s, c) = (slopes, Matrix(rows: n, columns: k + 1))
    for i in 0..<n {
      c[i, 0] = firstOffsets[i, 0]
      for b in 0..<k {
        precondition(
          kinks[i, b] == .infinity || b == 0 || kinks[i, b - 1] < kinks[i, b],
          "kinks \(kinks.rows(i..<i + 1).elements) of row \(i), expected ascending numbers")
        if kinks[i, b] == .infinity {
          (s[i, b + 1], c[i, b + 1]) = (s[i, b], c[i, b])
        } else {
          c[i, b + 1] = c[i, b] + (s[i, b] - s[i, b + 1]) * kinks[i, b]
        }
      }
    }
    (self.kinks, self.slopes, offsets) = (kinks, s, c)
  }

  /// n.
  public var count: Int { kinks.rows }

  /// How many branches row `i` has.
  public func branchCount(ofRow i: Int) -> Int {
    1 + (0..<kinks.columns).count { kinks[i, $0] < .infinity }
  }
}
