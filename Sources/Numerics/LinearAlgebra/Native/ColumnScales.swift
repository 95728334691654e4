import CKernels

/// One number for each column.
extension Matrix {
  /// Column j ← t_j · column j.
  public mutating func scaleColumns(by t: [Double]) {
    precondition(t.count == columns, "\(t.count) factors for the columns of \(shape)")
    ck_scale_columns(rows, columns, t, &elements)
  }

  /// Column j ← column j + scale · t_j · (column j of x).
  public mutating func addScaledColumns(_ x: Matrix, by t: [Double], scale: Double = 1) {
    precondition(
      x.rows == rows && x.columns == columns && t.count == columns,
      "\(x.shape) with \(t.count) factors added to \(shape)")
    ck_add_scaled_columns(rows, columns, scale, t, x.elements, &elements)
  }

  /// sums_j ← sums_j + scale · ⟨column j, column j of x⟩.
  public func addColumnDots(_ x: Matrix, scale: Double = 1, into sums: inout [Double]) {
    precondition(
      x.rows == rows && x.columns == columns && sums.count == columns,
      "inner products of columns of \(shape) and \(x.shape) into \(sums.count) sums")
    ck_add_column_dots(rows, columns, scale, elements, x.elements, &sums)
  }
}
