import COpenBLAS

/// The factorisation A E = Q R of a dense matrix with a permutation E of its columns that brings those of
/// the largest remainder first, so that R shows the rank (LAPACK `dgeqp3`).
///
/// The rank is the number of diagonal elements of R, from the first, that are larger than the tolerance.
/// What stands below and right of them is dropped. A rank that has no gap to speak of behind it may be
/// wrong, as in Kahan's example (Golub & Van Loan, Matrix Computations, 4th ed., §5.4.3).
public struct PivotedQR: Sendable {
  /// The number of rows of A, m.
  public let rows: Int
  /// The number of columns of A, n.
  public let columns: Int
  /// How many columns of A are taken for independent.
  public let rank: Int
  /// Columns whose remainder has at most this norm are taken for dependent on those before.
  public let tolerance: Double
  /// The smallest |diagonal element of R| among the first `rank`; ∞ if there are none.
  public let smallestKept: Double
  /// The Frobenius norm of what is left of A beside the first `rank` columns of Q.
  public let largestDropped: Double

  /// R on and above the diagonal, Q's reflections below it.
  private let factors: Matrix
  private let scales: [Double]
  /// Column k of A E is column `order[k]` of A, counted from 1.
  private let order: [Int32]

  /// The columns of A in the order of A E: the first `rank` of them are independent.
  public var pivots: [Int] { order.map { Int($0) - 1 } }

  /// Factors a matrix. Cost: about 4mnr − 2r²(m + n) + 4r³/3 with r = min(m, n).
  ///
  /// - Parameters:
  ///   - a: (m, n), any shape.
  ///   - tolerance: not negative; without one 20 (m + n) ε times the largest norm of a column.
  /// - Throws: `notFinite` for an element or a factor that is not.
  public init(_ a: Matrix, tolerance wanted: Double? = nil) throws(FactorizationError) {
    precondition(wanted.map { $0 >= 0 } ?? true, "a tolerance of \(wanted!)")
    guard a.firstNonFinite == nil else { throw .notFinite }
    let (m, n) = (a.rows, a.columns)
    var factors = a
    var scales = [Double](repeating: 0, count: min(m, n))
    var order = [Int32](repeating: 0, count: n)
    if a.count > 0 {
      BLAS.prepare()
      let info = LAPACKE_dgeqp3(
        LAPACK_COL_MAJOR, Int32(m), Int32(n), &factors.elements, Int32(m), &order, &scales)
      guard info == 0, factors.firstNonFinite == nil else { throw .notFinite }
    } else {
      for j in 0..<n { order[j] = Int32(j + 1) }
    }
    let largest = (0..<n).reduce(0) { norm, j in
      max(norm, a.elements[j * m..<(j + 1) * m].reduce(0) { $0 + $1 * $1 }.squareRoot())
    }
    let tolerance = wanted ?? 20 * Double(m + n) * .ulpOfOne * largest
    let rank =
      (0..<min(m, n)).first { abs(factors[$0, $0]) <= tolerance } ?? min(m, n)
    var dropped = 0.0
    for j in rank..<n {
      for i in rank..<max(rank, min(j + 1, m)) { dropped += factors[i, j] * factors[i, j] }
    }
    (rows, columns, self.rank, self.tolerance) = (m, n, rank, tolerance)
    smallestKept = (0..<rank).reduce(.infinity) { min($0, abs(factors[$1, $1])) }
    largestDropped = dropped.squareRoot()
    (self.factors, self.scales, self.order) = (factors, scales, order)
  }

  /// c ← Q c for c of m rows. Cost: 4mr per column.
  public func applyQ(_ c: inout Matrix) { apply(UInt8(ascii: "N"), to: &c) }

  /// c ← Qᵀ c for c of m rows. Cost: 4mr per column.
  public func applyQTranspose(_ c: inout Matrix) { apply(UInt8(ascii: "T"), to: &c) }

  private func apply(_ transposition: UInt8, to c: inout Matrix) {
    precondition(c.rows == rows, "Q of order \(rows) times \(c.shape)")
    guard c.count > 0 && !scales.isEmpty else { return }
    let (m, k, n) = (Int32(rows), Int32(scales.count), Int32(c.columns))
    BLAS.prepare()
    // The checking variant leaves all columns as they are where one has a NaN.
    var size = 0.0
    for measuring in [true, false] {
      var work = [Double](repeating: 0, count: measuring ? 1 : Int(size))
      LAPACKE_dormqr_work(
        LAPACK_COL_MAJOR, CChar(UInt8(ascii: "L")), CChar(transposition), m, n, k,
        factors.elements, m, scales, &c.elements, m, &work, measuring ? -1 : Int32(work.count))
      size = work[0]
    }
  }

  /// The basic solution of least squares ‖A x − b‖, given c = Qᵀ b: at most `rank` elements of a column of x
  /// are not 0.
  ///
  /// - Parameter c: (m, k), of which the first `rank` rows count.
  /// - Returns: (n, k).
  public func solveTriangle(_ c: Matrix) -> Matrix {
    precondition(c.rows == rows, "right-hand side \(c.shape) for \(rows) rows")
    var x = Matrix(rows: columns, columns: c.columns)
    var y = [Double](repeating: 0, count: rank)
    for column in 0..<c.columns {
      for i in 0..<rank { y[i] = c[i, column] }
      for k in (0..<rank).reversed() {
        y[k] /= factors[k, k]
        for i in 0..<k { y[i] -= factors[i, k] * y[k] }
        x[Int(order[k]) - 1, column] = y[k]
      }
    }
    return x
  }
}
