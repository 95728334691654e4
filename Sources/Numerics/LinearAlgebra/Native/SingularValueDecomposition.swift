import COpenBLAS

/// The singular value decomposition A = U diag(values) Vᵀ of any matrix (LAPACK `dgesdd`), reduced: with p = min(m, n) U
/// is (m, p) and V is (n, p).
public struct SingularValueDecomposition: Sendable {
  /// The singular values, descending; p of them.
  public let values: [Double]
  /// The left singular vectors, one per column, orthonormal; (m, p).
  public let left: Matrix
  /// The right singular vectors, one per column, orthonormal; (n, p).
  public let right: Matrix

  /// Decomposes a matrix. Cost: about 6mp² + 20p³ for p the shorter side and m the longer.
  ///
  /// - Throws: `noConvergence`; `notFinite` for elements or values that are not.
  public init(_ a: Matrix) throws(FactorizationError) {
    let (m, n, p) = (a.rows, a.columns, min(a.rows, a.columns))
    var s = [Double](repeating: 0, count: p)
    var u = Matrix(rows: m, columns: p)
    var transposedV = Matrix(rows: p, columns: n)
    guard a.firstNonFinite == nil else { throw .notFinite }
    if p > 0 {
      var work = a
      BLAS.prepare()
      let info = LAPACKE_dgesdd(
        LAPACK_COL_MAJOR, CChar(UInt8(ascii: "S")), Int32(m), Int32(n), &work.elements, Int32(m),
        &s,
        &u.elements, Int32(m), &transposedV.elements, Int32(p))
      if info != 0 { throw .noConvergence }
      guard s.allSatisfy(\.isFinite) else { throw .notFinite }
    }
    (values, left, right) = (s, u, transposedV.transposed)
  }
}
