import CKernels

/// Products with dense matrices, column by column. Cost: one multiplication per entry and column.
extension SparseMatrix {
  /// y ← scale · A x + keep · y.
  public func addProduct(
    _ x: Matrix, scale: Double, keeping keep: Double, into y: inout Matrix
  ) {
    check(x, y)
    let (n, m) = (rowCount, columnCount)
    x.elements.withUnsafeBufferPointer { x in
      y.elements.withUnsafeMutableBufferPointer { y in
        for j in 0..<(n > 0 ? y.count / n : 0) {
          ck_sparse_multiply(
            n, starts, columns, values, scale, x.baseAddress! + j * m, keep,
            y.baseAddress! + j * n)
        }
      }
    }
  }

  /// u ← Aᵀ v + keep · u.
  public func addTransposedProduct(_ v: Matrix, keeping keep: Double, into u: inout Matrix) {
    check(u, v)
    if keep != 1 { u.scale(by: keep) }
    let (n, m) = (rowCount, columnCount)
    v.elements.withUnsafeBufferPointer { v in
      u.elements.withUnsafeMutableBufferPointer { u in
        for j in 0..<(n > 0 ? v.count / n : 0) {
          ck_sparse_scatter(
            n, starts, columns, values, v.baseAddress! + j * n, u.baseAddress! + j * m)
        }
      }
    }
  }

  private func check(_ source: Matrix, _ target: Matrix) {
    precondition(
      source.rows == columnCount && target.rows == rowCount && source.columns == target.columns,
      "a matrix (\(rowCount), \(columnCount)) with \(source.shape) and \(target.shape)")
  }
}
