import COpenBLAS

#if canImport(Glibc)
  import Glibc
#else
  import Foundation
#endif

/// A factorisation that does not exist.
public enum FactorizationError: Error, Equatable, CustomStringConvertible {
  /// The leading minor of the given order is not positive.
  case notPositiveDefinite(order: Int)
  /// The matrix is singular: pivot `order` vanishes.
  case singular(order: Int)
  /// The eigenvalue iteration did not converge.
  case noConvergence
  /// An element of the matrix is not finite, or the factors overflow.
  case notFinite
  /// The factors do not fit in memory.
  case outOfMemory
  /// The build has dense factorisations only, and the larger side of the matrix is too long for them.
  case needsSparseFactorization(order: Int)

  /// What is wrong, in a sentence.
  public var description: String {
    switch self {
    case .notPositiveDefinite(let k):
      "the matrix is not positive definite: its leading minor of order \(k) is not positive"
    case .singular(let k): "the matrix is singular: pivot \(k) vanishes"
    case .noConvergence: "the eigenvalue iteration did not converge"
    case .notFinite: "the matrix has an element that is not finite, or factors that would not be"
    case .outOfMemory: "the factors of the matrix do not fit in memory"
    case .needsSparseFactorization(let n):
      "a matrix of order \(n) is too large for a dense factorisation; a sparse one needs a build with the"
        + " trait SuiteSparse, which is on by default"
    }
  }
}

extension Matrix {
  /// Whether every element on and below the diagonal is finite.
  fileprivate var isLowerTriangleFinite: Bool {
    (0..<columns).allSatisfy { j in
      elements[j + j * rows..<(j + 1) * rows].allSatisfy(\.isFinite)
    }
  }
}

/// The Cholesky factorisation A = L Lᵀ of a symmetric positive definite matrix (LAPACK `dpotrf`).
public struct CholeskyFactorization: Sendable {
  private var factor: Matrix

  /// Factors a symmetric positive definite matrix; reads its lower triangle. Cost: n³/3.
  ///
  /// - Throws: `notPositiveDefinite`; `notFinite` for elements that are not.
  public init(_ a: Matrix) throws(FactorizationError) {
    precondition(a.rows == a.columns, "Cholesky factorisation of a \(a.shape) matrix")
    factor = a
    guard a.rows > 0 else { return }
    let n = Int32(a.rows)
    // LAPACK takes a NaN for a positive pivot.
    guard a.isLowerTriangleFinite else { throw .notFinite }
    BLAS.prepare()
    let info = LAPACKE_dpotrf_work(
      LAPACK_COL_MAJOR, CChar(UInt8(ascii: "L")), n, &factor.elements, n)
    if info > 0 { throw .notPositiveDefinite(order: Int(info)) }
    guard info == 0, (0..<a.rows).allSatisfy({ factor[$0, $0].isFinite }) else {
      throw .notFinite
    }
  }

  /// The factorisation of L Lᵀ for a lower triangle L; what lies above it is not read.
  public init(lowerTriangle: Matrix) {
    precondition(
      lowerTriangle.rows == lowerTriangle.columns, "a triangle of shape \(lowerTriangle.shape)")
    factor = lowerTriangle
  }

  /// L, whose upper triangle holds anything.
  public var lowerTriangle: Matrix { factor }

  /// b ← A⁻¹ b, column by column; what is not finite stays in its column. Cost: 2n² per column.
  public func solve(_ b: inout Matrix) {
    precondition(b.rows == factor.rows, "right-hand side \(b.shape) for order \(factor.rows)")
    guard b.count > 0 else { return }
    let n = Int32(factor.rows)
    // The checking variant leaves all columns as they are where one has a NaN.
    BLAS.prepare()
    LAPACKE_dpotrs_work(
      LAPACK_COL_MAJOR, CChar(UInt8(ascii: "L")), n, Int32(b.columns), factor.elements, n,
      &b.elements, n)
  }

  /// b ← b A⁻¹, row by row (BLAS `dtrsm`). Cost: 2n² per row.
  public func solveFromRight(_ b: inout Matrix) {
    precondition(b.columns == factor.rows, "left-hand side \(b.shape) for order \(factor.rows)")
    guard b.count > 0 else { return }
    let (m, n) = (Int32(b.rows), Int32(factor.rows))
    for transposition in [CblasTrans, CblasNoTrans] {
      BLAS.prepare()
      cblas_dtrsm(
        CblasColMajor, CblasRight, CblasLower, transposition, CblasNonUnit, m, n, 1,
        factor.elements, n, &b.elements, m)
    }
  }

  /// log det A = 2 Σ log Lᵢᵢ.
  public var logDeterminant: Double {
    (0..<factor.rows).reduce(0) { $0 + 2 * log(factor[$1, $1]) }
  }
}

/// The eigen-decomposition A = V diag(values) Vᵀ of a symmetric matrix (LAPACK `dsyevd`).
public struct SymmetricEigendecomposition: Sendable {
  /// The eigenvalues in ascending order.
  public let values: [Double]
  /// The eigenvectors, one per column, orthonormal; (n, 0) if they were not asked for.
  public let vectors: Matrix

  /// Decomposes a symmetric matrix; reads its lower triangle. Cost: about 4n³/3 without vectors.
  ///
  /// - Throws: `noConvergence`; `notFinite` for elements that are not.
  public init(_ a: Matrix, vectors wanted: Bool = true) throws(FactorizationError) {
    precondition(a.rows == a.columns, "eigen-decomposition of a \(a.shape) matrix")
    var v = a
    var w = [Double](repeating: 0, count: a.rows)
    if a.rows > 0 {
      let n = Int32(a.rows)
      guard a.isLowerTriangleFinite else { throw .notFinite }
      BLAS.prepare()
      let info = LAPACKE_dsyevd(
        LAPACK_COL_MAJOR, CChar(UInt8(ascii: wanted ? "V" : "N")), CChar(UInt8(ascii: "L")), n,
        &v.elements, n, &w)
      if info != 0 { throw .noConvergence }
      guard w.allSatisfy(\.isFinite) else { throw .notFinite }
    }
    values = w
    vectors = wanted ? v : Matrix(rows: a.rows, columns: 0)
  }
}

extension Matrix {
  /// A⁻¹ b for a general square matrix by Gaussian elimination with pivoting (LAPACK `dgesv`).
  public func solve(_ b: Matrix) throws(FactorizationError) -> Matrix {
    precondition(rows == columns && b.rows == rows, "solving \(shape) x = \(b.shape)")
    var lu = self
    var x = b
    var pivots = [Int32](repeating: 0, count: rows)
    guard x.count > 0 else { return x }
    guard firstNonFinite == nil else { throw .notFinite }
    let n = Int32(rows)
    BLAS.prepare()
    let info = LAPACKE_dgesv_work(
      LAPACK_COL_MAJOR, n, Int32(b.columns), &lu.elements, n, &pivots, &x.elements, n)
    if info != 0 { throw .singular(order: Int(info)) }
    return x
  }
}
