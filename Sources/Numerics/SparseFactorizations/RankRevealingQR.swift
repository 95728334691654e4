import LinearAlgebra

/// The factorisation A E = Q R of a sparse matrix of any shape and rank, and the subspaces that it shows (SPQR;
/// Davis, ACM TOMS 38(1), 2011, art. 8).
///
/// Q is orthogonal of order m, a product of reflections; its first `rank` columns Q₁ span the range of A, the
/// others Q₂ the kernel of Aᵀ. A column of A whose part orthogonal to the columns before has at most the norm
/// `tolerance` is taken for dependent on them.
///
/// Columns are not exchanged for this, which would cost sparsity; so rounding, enlarged by columns before that are
/// nearly dependent, can pass for rank. Of 450 000 random sparse integer matrices with up to 80 rows and columns
/// 27 had a rank one too large by the default tolerance. `gap` tells: it was below 6 for those, and above 10⁷
/// for the others. `RankRevealingQR.withGap` looks for a tolerance that leaves no doubt, and had all right.
///
/// A build without the package trait SuiteSparse factors dense matrices with up to 4000 rows and columns.
public struct RankRevealingQR: Sendable {
  #if SuiteSparse
    private typealias Factors = HouseholderFactors
  #else
    private typealias Factors = PivotedQR
  #endif
  private let factors: Factors
  /// Whether the tolerance is a larger one than the default, taken because that left no gap (`withGap`).
  public private(set) var isRaised = false

  /// Factors a matrix.
  ///
  /// Cost: depends on the pattern, as for the Cholesky factorisation of AᵀA; a column order that keeps R sparse is
  /// chosen.
  ///
  /// - Parameters:
  ///   - a: (m, n), any shape.
  ///   - tolerance: not negative; without one 20 (m + n) ε times the largest norm of a column.
  /// - Throws: `notFinite` for entries or factors that are not; `outOfMemory`; without SuiteSparse
  ///   `needsSparseFactorization`.
  public init(_ a: SparseMatrix, tolerance: Double? = nil) throws(FactorizationError) {
    precondition(tolerance.map { $0 >= 0 } ?? true, "a tolerance of \(tolerance!)")
    #if SuiteSparse
      factors = try HouseholderFactors(a, tolerance: tolerance)
    #else
      factors = try PivotedQR(a.denseWithinLimit(), tolerance: tolerance)
    #endif
  }

  /// The number of rows of A, m.
  public var rows: Int { factors.rows }
  /// The number of columns of A, n.
  public var columns: Int { factors.columns }
  /// How many columns of A are independent.
  public var rank: Int { factors.rank }
  /// The norm up to which a column's remainder was dropped.
  public var tolerance: Double { factors.tolerance }
  /// The smallest |diagonal element of R| kept, above the tolerance; ∞ for rank 0.
  public var smallestKept: Double { factors.smallestKept }
  /// The Frobenius norm of all that was dropped: A plus a change of this norm has exactly the rank.
  public var largestDropped: Double { factors.largestDropped }

  /// How many times the smallest element kept exceeds what was dropped or could have been: `smallestKept` /
  /// max(`tolerance`, `largestDropped`). More than 1, mostly; 10³ and more where the rank is beyond doubt.
  public var gap: Double { smallestKept / max(tolerance, largestDropped) }

  /// Whether the rank would be another for a tolerance within three decimal orders: a gap below 10³.
  public var isNarrow: Bool { gap < 1e3 }

  /// The factorisation by the default tolerance or, where that is narrow, by the first of ever larger ones that is not.
  ///
  /// Cost: one factorisation, and another for each that is narrow.
  ///
  /// - Parameter largest: tolerances stay at or below; where none that does leaves a gap, the result is the narrow
  ///   one by the default tolerance. Without one 10⁻⁶ of the largest norm of a column.
  /// - Throws: As for one factorisation.
  public static func withGap(
    _ a: SparseMatrix, largestTolerance largest: Double? = nil
  ) throws(FactorizationError) -> RankRevealingQR {
    let first = try RankRevealingQR(a)
    guard first.isNarrow else { return first }
    let largest = largest ?? 1e-6 * a.largestColumnNorm
    var tolerance = 10 * max(first.tolerance, first.smallestKept, first.largestDropped)
    while tolerance <= largest {
      var next = try RankRevealingQR(a, tolerance: tolerance)
      if !next.isNarrow {
        next.isRaised = true
        return next
      }
      tolerance = 10 * max(tolerance, next.smallestKept, next.largestDropped)
    }
    return first
  }

  /// c ← Q c. Cost: 4 operations per entry of the reflections and column.
  ///
  /// - Parameter c: (m, k).
  public func applyQ(_ c: inout Matrix) { factors.applyQ(&c) }

  /// c ← Qᵀ c. Cost: 4 operations per entry of the reflections and column.
  ///
  /// - Parameter c: (m, k).
  public func applyQTranspose(_ c: inout Matrix) { factors.applyQTranspose(&c) }

  /// Q₁ Q₁ᵀ c, the orthogonal projection onto the range of A.
  ///
  /// - Parameter c: (m, k).
  public func project(_ c: Matrix) -> Matrix { keeping(0..<rank, of: c) }

  /// Q₂ Q₂ᵀ c = c − Q₁ Q₁ᵀ c, the orthogonal projection onto the kernel of Aᵀ.
  ///
  /// - Parameter c: (m, k).
  public func complement(_ c: Matrix) -> Matrix { keeping(rank..<rows, of: c) }

  /// Q with the given columns, times their transpose, times c.
  private func keeping(_ kept: Range<Int>, of c: Matrix) -> Matrix {
    var result = c
    applyQTranspose(&result)
    for j in 0..<c.columns {
      for i in 0..<kept.lowerBound { result[i, j] = 0 }
      for i in kept.upperBound..<rows { result[i, j] = 0 }
    }
    applyQ(&result)
    return result
  }

  /// Q₂: an orthonormal basis of the kernel of Aᵀ, (m, m − rank). Dense.
  public func leftNullSpace() -> Matrix {
    var result = Matrix(rows: rows, columns: rows - rank)
    for j in 0..<result.columns { result[rank + j, j] = 1 }
    applyQ(&result)
    return result
  }

  /// A solution x of least squares ‖A x − b‖ with at most `rank` elements that are not 0 in a column.
  ///
  /// - Parameter b: (m, k).
  /// - Returns: (n, k).
  public func solveLeastSquares(_ b: Matrix) -> Matrix {
    var c = b
    applyQTranspose(&c)
    return factors.solveTriangle(c)
  }
}
