import LinearAlgebra

/// Counts the eigenvalues of a sparse symmetric matrix below any μ, by L D Lᵀ of A − μI without exchanges of
/// rows (CHOLMOD's simplicial factorisation).
///
/// Without exchanges the entries of L can grow where a leading minor of A − μI nearly vanishes. Then the count
/// says that it is not reliable, and a slightly different μ gives one that is. The bound behind that:
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
        : try CholmodFactor.analysis(of: &matrix, ordering: .automatic, simplicial: true).factor
      self.matrix = matrix
    #else
      eigenvalues = try SymmetricEigendecomposition(a.denseWithinLimit(), vectors: false).values
    #endif
  }

  /// The inertia of A − μI. Cost: one simplicial factorisation.
  ///
  /// - Parameters:
  ///   - mu: finite.
  ///   - tolerance: `uncertainty` may be this much of ‖A − μI‖∞ for the count to be called reliable.
  /// - Throws: `outOfMemory`.
  public func inertia(
    shift mu: Double, tolerance: Double = 1e-8
  ) throws(FactorizationError) -> Inertia {
    precondition(mu.isFinite, "a shift of \(mu)")
    #if SuiteSparse
      guard let symbolic else { return .ofPivots([], uncertainty: 0, limits: [], isWithin: true) }
      var matrix = matrix
      let norm = matrix.symmetricNorm(shift: mu)
      guard norm.isFinite else { throw .notFinite }
      let smallest = max(.ulpOfOne * norm, .leastNormalMagnitude)
      let factor = try symbolic.indefiniteFactor(of: &matrix, shift: mu, smallestPivot: smallest)
      return factor.inertia(order: order, smallestPivot: smallest, largest: tolerance * norm)
    #else
      let norm = eigenvalues.reduce(0) { max($0, abs($1 - mu)) }
      let limit = max(Double(order) * .ulpOfOne * (norm + abs(mu)), .leastNormalMagnitude)
      return .ofPivots(
        eigenvalues.map { $0 - mu }, uncertainty: limit,
        limits: [Double](repeating: limit, count: order),
        isWithin: limit <= max(tolerance * norm, .leastNormalMagnitude))
    #endif
  }

  /// The inertia of A − μI, for one shift.
  public static func inertia(
    of a: SparseMatrix, shift mu: Double, tolerance: Double = 1e-8
  ) throws(FactorizationError) -> Inertia {
    try SparseInertia(a).inertia(shift: mu, tolerance: tolerance)
  }
}

extension Inertia {
  /// Counts pivots; those within their limit, or not finite, count as zero.
  static func ofPivots(
    _ pivots: [Double], uncertainty: Double, limits: [Double], isWithin: Bool
  ) -> Inertia {
    var (negative, zero, positive) = (0, 0, 0)
    for (pivot, limit) in zip(pivots, limits) {
      if pivot > limit {
        positive += 1
      } else if pivot < -limit {
        negative += 1
      } else {
        zero += 1
      }
    }
    return Inertia(
      negative: negative, zero: zero, positive: positive, uncertainty: uncertainty,
      isReliable: isWithin && zero == 0)
  }
}
