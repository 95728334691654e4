import CKernels
import LinearAlgebra

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
