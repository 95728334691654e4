import LinearAlgebra

/// y = A s with a constant sparse matrix A, such as linear interpolation between places.
public struct SparseLinear: AffineOperation {
  /// A, of shape (m, n).
  public let matrix: SparseMatrix
  /// Aᵀ: its columns are the rows of A.
  private let adjoint: SparseMatrix
  public let entriesPerRow: Int

  /// The map of a matrix.
  public init(_ matrix: SparseMatrix) {
    precondition(matrix.rows > 0 && matrix.columns > 0)
    self.matrix = matrix
    adjoint = matrix.transposed
    let starts = adjoint.columnStarts
    entriesPerRow = zip(starts, starts.dropFirst()).map { $1 - $0 }.max()!
  }

  public var kind: OperationKind { .affine }
  public var summary: String { "sparse \(sourceDimension)→\(targetDimension)" }
  public var sourceDimension: Int { matrix.columns }
  public var targetDimension: Int { matrix.rows }
  public var hasOffset: Bool { false }
  public var cost: Int { matrix.values.count }

  public func apply(_ s: Matrix, into y: inout Matrix) {
    adjoint.addTransposedProduct(s, keeping: 0, into: &y)
  }

  public func discrepancy(_ s: Matrix, _ y: Matrix, into rho: inout Matrix) {
    rho.set(y)
    adjoint.addTransposedProduct(s, scale: -1, keeping: 1, into: &rho)
  }

  public func addLinearPart(
    _ v: Matrix, at _: ActivationPattern, scale: Double, keeping keep: Double,
    into y: inout Matrix
  ) {
    adjoint.addTransposedProduct(v, scale: scale, keeping: keep, into: &y)
  }

  public func addTranspose(
    _ v: Matrix, at _: ActivationPattern, keeping keep: Double, into u: inout Matrix
  ) {
    matrix.addTransposedProduct(v, keeping: keep, into: &u)
  }

  public func forEachEntry(ofRow row: Int, branch: Int, _ visit: (Int, Double) -> Void) {
    adjoint.forEachEntry(ofColumn: row, visit)
  }
}
