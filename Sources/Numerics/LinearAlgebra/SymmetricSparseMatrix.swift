/// A sparse symmetric matrix as an operator, each element of the image gathered from a column.
public struct SymmetricSparseMatrix: SymmetricOperator {
  /// The matrix with both its triangles.
  public let matrix: SparseMatrix
  public let traits: OperatorTraits

  /// The matrix with a given lower triangle, of which more may be known than that it is symmetric.
  public init(lowerTriangle: SparseMatrix, _ traits: OperatorTraits = .symmetric) {
    matrix = lowerTriangle.symmetrized
    self.traits = traits.union(.symmetric)
  }

  public var rows: Int { matrix.rows }

  /// Cost: one multiplication for each entry and column.
  public func apply(_ x: Matrix, into y: inout Matrix) {
    matrix.addTransposedProduct(x, scale: 1, keeping: 0, into: &y)
  }
}
