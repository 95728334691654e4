import COpenBLAS

/// Kernels on triangles within larger arrays; columns are `stride` apart.
extension BLAS {
  /// B ← B L⁻¹ for a lower triangle L of order n and B of shape (m, n) (BLAS `dtrsm`).
  package static func solveFromRight(
    lowerTriangle l: Part, m: Int, n: Int, into b: UnsafeMutablePointer<Double>, stride: Int
  ) {
    BLAS.prepare()
    cblas_dtrsm(
      CblasColMajor, CblasRight, CblasLower, CblasNoTrans, CblasNonUnit, Int32(m), Int32(n), 1,
      l.start, Int32(l.stride), b, Int32(stride))
  }

  /// C ← scale · S B for a symmetric S of order m, of which the lower triangle is read, and B of shape (m, n) (BLAS
  /// `dsymm`).
  package static func multiply(
    symmetric s: Part, _ b: Part, m: Int, n: Int, scale: Double,
    into c: UnsafeMutablePointer<Double>, stride: Int
  ) {
    BLAS.prepare()
    cblas_dsymm(
      CblasColMajor, CblasLeft, CblasLower, Int32(m), Int32(n), scale, s.start, Int32(s.stride),
      b.start, Int32(b.stride), 0, c, Int32(stride))
  }

  /// The lower triangle of (L Lᵀ)⁻¹ in place of the lower triangle L of order n, whose diagonal has no 0 (LAPACK
  /// `dpotri`).
  package static func invert(
    factored l: UnsafeMutablePointer<Double>, stride: Int, n: Int
  ) {
    BLAS.prepare()
    let info = LAPACKE_dpotri_work(
      LAPACK_COL_MAJOR, CChar(UInt8(ascii: "L")), Int32(n), l, Int32(stride))
    precondition(info == 0, "the inverse of a factor with a zero on its diagonal")
  }
}
