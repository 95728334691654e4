import LinearAlgebra

/// y = A s with a constant sparse matrix A, such as linear interpolation between places.
public struct SparseLinear: AffineOperation {
  /// A, of shape (m, n).
  public let matrix: SparseMatrix
  public let entriesPerRow: Int

  /// The map of a matrix.
  public init(_ matrix: SparseMatrix) {
    precondition(matrix.rowCount > 0 && matrix.columnCount > 0)
    self.matrix = matrix
    entriesPerRow = (0..<matrix.rowCount).map { matrix.count(ofRow: $0) }.max()!
  }

  public var kind: OperationKind { .affine }
  public var summary: String { "sparse \(sourceDimension)→\(targetDimension)" }
  public var sourceDimension: Int { matrix.columnCount }
  public var targetDimension: Int { matrix.rowCount }
  public var hasOffset: Bool { false }
  public var cost: Int { matrix.values.count }

  public func apply(_ s: Matrix, into y: inout Matrix) {
    matrix.addProduct(s, scale: 1, keeping: 0, into: &y)
  }

  public func discrepancy(_ s: Matrix, _ y: Matrix, into rho: inout Matrix) {
    rho.set(y)
    matrix.addProduct(s, scale: -1, keeping: 1, into: &rho)
  }

  public func addLinearPart(
    _ v: Matrix, at _: ActivationPattern, scale: Double, keeping keep: Double,
    into y: inout Matrix
  ) {
    matrix.addProduct(v, scale: scale, keeping: keep, into: &y)
  }

  public func addTranspose(
    _ v: Matrix, at _: ActivationPattern, keeping keep: Double, into u: inout Matrix
  ) {
    matrix.addTransposedProduct(v, keeping: keep, into: &u)
  }

  public func forEachEntry(ofRow row: Int, _ visit: (Int, Double) -> Void) {
    matrix.forEachEntry(ofRow: row, visit)
  }
}
