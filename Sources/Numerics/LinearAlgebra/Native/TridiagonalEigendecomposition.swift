import COpenBLAS

/// The eigen-decomposition T = Q diag(values) Qᵀ of a symmetric tridiagonal matrix (LAPACK `dstev`), such as
/// the projection of an operator on a Krylov space.
public struct TridiagonalEigendecomposition: Sendable {
  /// The eigenvalues in ascending order.
  public let values: [Double]
  /// The eigenvectors, one per column; (n, 0) if they were not asked for.
  public let vectors: Matrix

  /// Decomposes the matrix with the given diagonal and the n − 1 elements beside it.
  ///
  /// Cost: order n², with vectors n³.
  /// - Throws: `noConvergence`; `notFinite` for elements that are not.
  public init(
    diagonal: [Double], beside: [Double], vectors wanted: Bool = true
  ) throws(FactorizationError) {
    let n = diagonal.count
    precondition(beside.count == max(n - 1, 0), "\(beside.count) elements beside \(n)")
    var (d, e) = (diagonal, beside + [0])
    var q = Matrix(rows: n, columns: wanted ? n : 0)
    guard d.allSatisfy(\.isFinite) && e.allSatisfy(\.isFinite) else { throw .notFinite }
    if n > 0 {
      BLAS.prepare()
      let info = LAPACKE_dstev(
        LAPACK_COL_MAJOR, CChar(UInt8(ascii: wanted ? "V" : "N")), Int32(n), &d, &e, &q.elements,
        Int32(n))
      if info != 0 { throw .noConvergence }
      guard d.allSatisfy(\.isFinite) else { throw .notFinite }
    }
    (values, vectors) = (d, q)
  }
}
