import CKernels

/// Products with dense matrices, column by column. Cost: one multiplication per entry and column.
extension SparseMatrix {
  /// y ← scale · A x + keep · y. Scatters; where that is done often, `addTransposedProduct` of the transpose
  /// is faster.
  public func addProduct(
    _ x: Matrix, scale: Double = 1, keeping keep: Double, into y: inout Matrix
  ) {
    check(x, y)
    if keep != 1 { y.scale(by: keep) }
    let (m, n) = (rows, columns)
    x.elements.withUnsafeBufferPointer { x in
      y.elements.withUnsafeMutableBufferPointer { y in
        for j in 0..<(m > 0 && n > 0 ? y.count / m : 0) {
          ck_sparse_scatter(
            n, columnStarts, rowIndices, values, scale, x.baseAddress! + j * n,
            y.baseAddress! + j * m)
        }
      }
    }
  }

  /// x ← scale · Aᵀ y + keep · x.
  public func addTransposedProduct(
    _ y: Matrix, scale: Double = 1, keeping keep: Double, into x: inout Matrix
  ) {
    check(x, y)
    let (m, n) = (rows, columns)
    y.elements.withUnsafeBufferPointer { y in
      x.elements.withUnsafeMutableBufferPointer { x in
        for j in 0..<(n > 0 ? x.count / n : 0) {
          ck_sparse_gather(
            n, columnStarts, rowIndices, values, scale, m > 0 ? y.baseAddress! + j * m : nil, keep,
            x.baseAddress! + j * n)
        }
      }
    }
  }

  private func check(_ x: Matrix, _ y: Matrix) {
    precondition(
      x.rows == columns && y.rows == rows && x.columns == y.columns,
      "a matrix (\(rows), \(columns)) with \(x.shape) and \(y.shape)")
  }
}
