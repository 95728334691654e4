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

/// The parametric rectifier: z where z ≥ 0, slope · z elsewhere, with a slope for each row.
extension Matrix {
  /// self ← the rectified z.
  public mutating func setRectified(_ z: Matrix, slopes: Matrix) {
    precondition(slopes.count == rows && z.count == count)
    ck_prelu_apply(rows, columns, slopes.elements, z.elements, &elements)
  }

  /// self ← a − the rectified z.
  public mutating func setRectifiedDiscrepancy(_ a: Matrix, _ z: Matrix, slopes: Matrix) {
    precondition(slopes.count == rows && z.count == count && a.count == count)
    ck_prelu_discrepancy(rows, columns, slopes.elements, z.elements, a.elements, &elements)
  }

  /// self ← scale · (1 on branch 1, the slope on branch 0) · v + keep · self.
  public mutating func addRectifiedLinearPart(
    _ branches: [UInt16], _ v: Matrix, slopes: Matrix, scale: Double, keeping keep: Double
  ) {
    precondition(slopes.count == rows && v.count == count && branches.count == count)
    ck_prelu_multiply(
      rows, columns, slopes.elements, branches, scale, v.elements, keep, &elements)
  }

  /// self, (rows, 1), ← self + scale · Σⱼ v[:, j] ∘ min(z[:, j], 0): the gradient in the slopes.
  public mutating func addSlopeGradient(_ v: Matrix, _ z: Matrix, scale: Double) {
    precondition(columns == 1 && v.rows == rows && z.rows == rows && v.columns == z.columns)
    ck_add_prelu_gradient(rows, v.columns, scale, v.elements, z.elements, &elements)
  }
}
