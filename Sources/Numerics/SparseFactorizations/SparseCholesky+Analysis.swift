import LinearAlgebra

extension SparseCholesky {
  /// The order of the unknowns and the pattern of L for all symmetric matrices of one pattern, and with it what a
  /// factorisation will take: where that does not fit, conjugate gradients are the choice.
  public struct Analysis: Sendable {
    /// The number of rows and columns.
    public let order: Int
    /// How many entries L will have.
    public let factorEntries: Int
    /// The memory that L will take, in bytes; while it is computed about half as much again.
    public let factorBytes: Int

    private let pattern: (columnStarts: [Int], rowIndices: [Int32])
    #if SuiteSparse
      let symbolic: CholmodFactor?
    #endif

    /// Analyses the pattern of the lower triangle of a symmetric matrix; its values are not read.
    ///
    /// Cost: near the number of entries of the matrix times the logarithm of its order; beyond small ones, a few
    /// per cent of the factorisation.
    ///
    /// - Parameter keepsOrder: whether the unknowns are eliminated in the given order, but for what may be exchanged
    ///   without another pattern: unknowns of the same tree of eliminations stay in their order.
    /// - Throws: `outOfMemory`; without SuiteSparse `needsSparseFactorization` for an order above 4000.
    public init(_ a: SparseMatrix, keepsOrder: Bool = false) throws(FactorizationError) {
      precondition(
        a.rows == a.columns, "Cholesky factorisation of a (\(a.rows), \(a.columns)) matrix")
      (order, pattern) = (a.rows, (a.columnStarts, a.rowIndices))
      #if SuiteSparse
        guard a.rows > 0 else {
          (symbolic, factorEntries, factorBytes) = (nil, 0, 0)
          return
        }
        var matrix = CholmodMatrix(lowerTriangleOf: a)
        let (factor, size) = try CholmodFactor.analysis(
          of: &matrix, simplicial: false, keepsOrder: keepsOrder)
        (symbolic, factorEntries, factorBytes) = (factor, size.entries, size.bytes)
      #else
        guard a.rows <= denseLimit else { throw .needsSparseFactorization(order: a.rows) }
        (factorEntries, factorBytes) = (a.rows * (a.rows + 1) / 2, 8 * a.rows * a.rows)
      #endif
    }

    /// The order in which the unknowns are eliminated.
    var permutation: [Int] {
      #if SuiteSparse
        symbolic?.permutation ?? []
      #else
        Array(0..<order)
      #endif
    }

    /// Whether a matrix has the pattern that was analysed.
    func isOf(_ a: SparseMatrix) -> Bool {
      a.rows == order && a.columnStarts == pattern.columnStarts
        && a.rowIndices == pattern.rowIndices
    }
  }
}
