#if !SuiteSparse
  import LinearAlgebra

  /// The largest number of rows or columns that a build without SuiteSparse factors, as a dense matrix: 128 MB,
  /// and some ten seconds.
  let denseLimit = 4000

  extension SparseMatrix {
    /// The matrix with all its zeros, for a build that has no sparse factorisation.
    ///
    /// - Throws: `needsSparseFactorization` beyond `denseLimit`.
    func denseWithinLimit() throws(FactorizationError) -> Matrix {
      let order = max(rows, columns)
      guard order <= denseLimit else { throw .needsSparseFactorization(order: order) }
      return dense
    }
  }
#endif
