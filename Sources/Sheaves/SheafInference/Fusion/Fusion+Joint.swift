import LinearAlgebra

extension Fusion {
  /// The joint covariance of the values of several cells: the blocks of `covariance(of:)` on the diagonal, in the order of the list,
  /// and between them the covariances of different cells; nil where the readings do not determine all of them.
  ///
  /// - Complexity: a solve for each unknown that the values depend on.
  public func covariance(ofCells cells: [Int]) throws -> Matrix? {
    var columns: SparseMatrix?
    for cell in cells {
      guard let part = model.value(of: cell, at: fit.point)?.transposed else { return nil }
      columns = columns?.beside(part) ?? part
    }
    guard let columns else { return Matrix(rows: 0, columns: 0) }
    return try normal.covariance(of: reduced(columns))
  }
}
