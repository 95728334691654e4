import CKernels

/// Element by element with a coefficient for each row, (rows, 1); in place.
extension Matrix {
  /// self ← scale · diag(d) x + keep · self.
  public mutating func addDiagonalProduct(
    _ d: Matrix, _ x: Matrix, scale: Double = 1, keeping keep: Double = 1
  ) {
    precondition(d.count == rows && x.count == count)
    ck_diagonal_multiply(rows, columns, scale, d.elements, x.elements, keep, &elements)
  }

  /// self ← diag(d) x + b in each column.
  public mutating func setDiagonalAffine(_ d: Matrix, _ x: Matrix, _ b: Matrix) {
    precondition(d.count == rows && b.count == rows && x.count == count)
    ck_diagonal_affine(rows, columns, d.elements, b.elements, x.elements, &elements)
  }

  /// self ← t − (diag(d) x + b) in each column.
  public mutating func setDiagonalDiscrepancy(_ t: Matrix, _ d: Matrix, _ x: Matrix, _ b: Matrix) {
    precondition(d.count == rows && b.count == rows && x.count == count && t.count == count)
    ck_diagonal_discrepancy(
      rows, columns, d.elements, b.elements, x.elements, t.elements, &elements)
  }

  /// self, (rows, 1), ← self + scale · Σⱼ v[:, j] ∘ x[:, j].
  public mutating func addRowDots(_ v: Matrix, _ x: Matrix, scale: Double = 1) {
    precondition(columns == 1 && v.rows == rows && x.rows == rows && v.columns == x.columns)
    ck_add_row_dots(rows, v.columns, scale, v.elements, x.elements, &elements)
  }
}
