import LinearAlgebra

/// The Cholesky factorisation P A Pᵀ = L Lᵀ of a sparse symmetric positive definite matrix, with an order P of
/// the unknowns that keeps L sparse (CHOLMOD; Chen, Davis, Hager & Rajamanickam, ACM TOMS 35(3), 2008,
/// art. 22).
///
/// Factor once, solve many. Where only values change, an `Analysis` is made once as well:
/// ```swift
/// let analysis = try SparseCholesky.Analysis(laplacian)
/// let factorization = try SparseCholesky(laplacian, using: analysis)
/// try factorization.solve(&b)
/// ```
/// A build without the package trait SuiteSparse factors dense matrices of order up to 4000 instead.
public struct SparseCholesky: Sendable {
  /// The number of rows and columns of A.
  public let order: Int
  /// How many entries L has.
  public let factorEntries: Int

  #if SuiteSparse
    let factor: CholmodFactor?
  #else
    let factor: CholeskyFactorization
  #endif

  /// An estimate of the condition number of A: (max Lᵢᵢ / min Lᵢᵢ)², never above the number itself in the
  /// 2-norm but often well below.
  public let conditionEstimate: Double

  /// Analyses and factors a symmetric positive definite matrix; reads its lower triangle.
  ///
  /// Cost: depends on the pattern; n^1.5 for a grid in the plane, n² for one in space, n · w² for bandwidth w.
  ///
  /// - Throws: `notPositiveDefinite`, whose order counts rows and columns in the order P; `notFinite` for entries
  ///   or factors that are not; `outOfMemory`; without SuiteSparse `needsSparseFactorization`.
  public init(_ a: SparseMatrix) throws(FactorizationError) {
    try self.init(a, using: Analysis(a))
  }

  /// Factors a symmetric positive definite matrix with the pattern that was analysed; reads its lower triangle.
  ///
  /// - Throws: As without an analysis.
  public init(_ a: SparseMatrix, using analysis: Analysis) throws(FactorizationError) {
    precondition(analysis.isOf(a), "a matrix of another pattern than the one analysed")
    (order, factorEntries) = (analysis.order, analysis.factorEntries)
    #if SuiteSparse
      var matrix = CholmodMatrix(lowerTriangleOf: a)
      guard matrix.isFinite else { throw .notFinite }
      factor = try analysis.symbolic?.choleskyFactor(of: &matrix)
      let reciprocal = try factor?.reciprocalCondition() ?? 1
    #else
      let dense = try CholeskyFactorization(a.denseWithinLimit())
      let diagonal = (0..<a.rows).map { dense.lowerTriangle[$0, $0] }
      let ratio = diagonal.isEmpty ? 1 : diagonal.min()! / diagonal.max()!
      factor = dense
      let reciprocal = ratio * ratio
    #endif
    // No factor of finite numbers has 0 here but by underflow; one that overflowed has.
    guard reciprocal > 0 && reciprocal.isFinite else { throw .notFinite }
    conditionEstimate = 1 / reciprocal
  }

  /// b ← A⁻¹ b, column by column; what is not finite stays in its column. Cost: 4 operations per entry of L and
  /// column.
  ///
  /// May be called by several threads at once.
  ///
  /// - Parameter b: (order, k).
  /// - Throws: `outOfMemory`, for as much memory as b takes.
  public func solve(_ b: inout Matrix) throws(FactorizationError) {
    precondition(b.rows == order, "right-hand side \(b.shape) for order \(order)")
    guard b.count > 0 else { return }
    #if SuiteSparse
      try factor?.solve(&b)
    #else
      factor.solve(&b)
    #endif
  }

  /// The part of L in unknowns that are eliminated after all others in the same tree of eliminations, T: T Tᵀ is the Schur
  /// complement of A on them.
  ///
  /// - Parameter place: the row and column of each unknown in T, −1 for the others.
  func trailingTriangle(_ place: [Int32], count: Int) -> Matrix {
    #if SuiteSparse
      factor?.supernodalBlocks.part(place, count: count) ?? Matrix(rows: 0, columns: 0)
    #else
      SupernodalBlocks(factor.lowerTriangle).part(place, count: count)
    #endif
  }
}
