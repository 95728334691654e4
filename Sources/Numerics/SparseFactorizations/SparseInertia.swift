import LinearAlgebra

/// Counts the eigenvalues of a sparse symmetric matrix below any μ, by L D Lᵀ of A − μI without exchanges of
/// rows (CHOLMOD's simplicial factorisation).
///
/// Without exchanges the entries of L can grow where a leading minor of A − μI nearly vanishes. Then the count
/// says that it is not reliable, and mostly a slightly different μ gives one that is. The bound behind that:
/// |E| ≤ (k + 3) ε |L| |D| |Lᵀ| entry by entry, with k the most entries of a row of L (Higham, Accuracy and
/// Stability of Numerical Algorithms, 2nd ed., Theorem 9.3, for sums of k terms).
///
/// A build without the package trait SuiteSparse counts the eigenvalues of dense matrices of order up to 4000.
public struct SparseInertia: Sendable {
  /// The number of rows and columns of A.
  public let order: Int

  #if SuiteSparse
    private let matrix: CholmodMatrix
    private let symbolic: CholmodFactor?
  #else
    private let eigenvalues: [Double]
  #endif

  /// Analyses a symmetric matrix; reads its lower triangle.
  ///
  /// - Throws: `notFinite` for an entry that is not; `outOfMemory`; without SuiteSparse
  ///   `needsSparseFactorization` and `noConvergence`.
  public init(_ a: SparseMatrix) throws(FactorizationError) {
    precondition(a.rows == a.columns, "inertia of a (\(a.rows), \(a.columns)) matrix")
    order = a.rows
    #if SuiteSparse
      var matrix = CholmodMatrix(lowerTriangleOf: a)
      guard matrix.isFinite else { throw .notFinite }
      symbolic =
        order == 0
        ? nil
        : try CholmodFactor.analysis(of: &matrix, simplicial: true).factor
      self.matrix = matrix
    #else
      eigenvalues = try SymmetricEigendecomposition(a.denseWithinLimit(), vectors: false).values
    #endif
  }

  /// The inertia of A − μI. Cost: one factorisation column by column, which for large ones takes ten to twenty times
  /// as long as `SparseCholesky`, and a few solutions with it.
  ///
  /// - Parameter mu: finite.
  /// - Throws: `outOfMemory`; `notFinite` if A − μI overflows.
  public func inertia(shift mu: Double) throws(FactorizationError) -> Inertia {
    precondition(mu.isFinite, "a shift of \(mu)")
    guard order > 0 else {
      return Inertia(pivots: [], limits: [], uncertainty: 0, distance: .infinity)
    }
    #if SuiteSparse
      var matrix = matrix
      let norm = matrix.symmetricNorm(shift: mu)
      guard norm.isFinite else { throw .notFinite }
      let smallest = max(.ulpOfOne * norm, .leastNormalMagnitude)
      let factor = try symbolic!.indefiniteFactor(of: &matrix, shift: mu, smallestPivot: smallest)
      return try factor.inertia(order: order, smallestPivot: smallest)
    #else
      let shifted = eigenvalues.map { $0 - mu }
      let norm = shifted.maximumMagnitude + abs(mu)
      guard norm.isFinite else { throw .notFinite }
      let limit = max(Double(order) * .ulpOfOne * norm, .leastNormalMagnitude)
      return Inertia(
        pivots: shifted, limits: [Double](repeating: limit, count: order), uncertainty: limit,
        distance: shifted.reduce(.infinity) { min($0, abs($1)) })
    #endif
  }

  /// The inertia of A − μI, for one shift.
  ///
  /// - Throws: As the analysis and the inertia of a shift.
  public static func inertia(
    of a: SparseMatrix, shift mu: Double
  ) throws(FactorizationError) -> Inertia {
    try SparseInertia(a).inertia(shift: mu)
  }
}
