import LinearAlgebra
import SparseFactorizations

extension RankRevealingQR {
  /// A factorisation whose rank is decided by a tolerance, or where there is none by a gap.
  static func deciding(
    _ a: SparseMatrix, by tolerance: Double?
  ) throws(FactorizationError) -> RankRevealingQR {
    if let tolerance { return try RankRevealingQR(a, tolerance: tolerance) }
    return try .withGap(a)
  }
}
