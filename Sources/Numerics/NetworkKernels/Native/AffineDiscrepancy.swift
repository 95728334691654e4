import CKernels
import LinearAlgebra

extension Matrix {
  /// Each column ← that of t minus (A x + b), where b is (rows, 1).
  public mutating func setAffineDiscrepancy(_ t: Matrix, _ a: Matrix, _ x: Matrix, _ b: Matrix) {
    if (1...4).contains(a.columns) {
      precondition(
        t.rows == rows && t.columns == columns && a.rows == rows && x.rows == a.columns
          && x.columns == columns && b.count == rows)
      ck_affine_discrepancy(
        rows, columns, a.columns, a.elements, b.elements, x.elements, t.elements, &elements)
    } else {
      setDifference(t, minusEachColumn: b)
      addProduct(a, x, scale: -1)
    }
  }
}
