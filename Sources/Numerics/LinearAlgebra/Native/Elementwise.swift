import CKernels
import COpenBLAS

/// Element-wise updates and reductions, in place.
extension Matrix {
  /// self ← scale · x + keep · self.
  public mutating func add(_ x: Matrix, scale: Double = 1, keeping keep: Double = 1) {
    precondition(x.rows == rows && x.columns == columns, "\(x.shape) added to \(shape)")
    ck_axpby(count, scale, x.elements, keep, &elements)
  }

  /// self ← scale · x.
  public mutating func set(_ x: Matrix, scale: Double = 1) { add(x, scale: scale, keeping: 0) }

  /// Every element ← `value`.
  public mutating func fill(_ value: Double) {
    for i in elements.indices { elements[i] = value }
  }

  /// self ← factor · self.
  public mutating func scale(by factor: Double) {
    if factor == 0 { return fill(0) }
    for i in elements.indices { elements[i] *= factor }
  }

  /// Every element ← itself times that of `factors`: the Hadamard product.
  public mutating func multiply(elementwise factors: Matrix) {
    precondition(
      factors.rows == rows && factors.columns == columns, "\(factors.shape) times \(shape)")
    let factors = factors.elements
    elements.withUnsafeMutableBufferPointer { x in
      factors.withUnsafeBufferPointer { f in for k in x.indices { x[k] *= f[k] } }
    }
  }

  /// Adds `scale` · v to each column, where v is (rows, 1), and keeps `keep` of the old.
  public mutating func addToEachColumn(
    _ v: Matrix, scale: Double = 1, keeping keep: Double = 1
  ) {
    precondition(v.count == rows, "\(v.shape) added to each column of \(shape)")
    ck_add_column(rows, columns, scale, v.elements, keep, &elements)
  }

  /// self ← t − x.
  public mutating func setDifference(_ t: Matrix, _ x: Matrix) {
    precondition(t.count == count && x.count == count)
    ck_subtract(count, t.elements, x.elements, &elements)
  }

  /// Each column ← that of `t` minus v, where v is (rows, 1).
  public mutating func setDifference(_ t: Matrix, minusEachColumn v: Matrix) {
    precondition(t.rows == rows && t.columns == columns && v.count == rows)
    ck_subtract_column(rows, columns, t.elements, v.elements, &elements)
  }

  /// self, a (rows, 1) column, ← self + scale · the row sums of `x`.
  public mutating func addRowSums(of x: Matrix, scale: Double = 1) {
    precondition(x.rows == rows && columns == 1, "row sums of \(x.shape) into \(shape)")
    ck_add_row_sums(x.rows, x.columns, scale, x.elements, &elements)
  }

  /// self ← self + h · direction; the largest absolute change of an element as stored, NaN if one
  /// is not finite.
  public mutating func advance(along direction: Matrix, by h: Double) -> Double {
    precondition(direction.rows == rows && direction.columns == columns)
    return ck_advance(count, h, direction.elements, &elements)
  }

  /// The squared Frobenius norm ‖self‖².
  public var sumOfSquares: Double { ck_sum_of_squares(count, elements) }

  /// The largest absolute value, NaN if an element is not finite.
  public var maximumMagnitude: Double { ck_max_abs(count, elements) }
}

/// The inner product Σ aᵢⱼ bᵢⱼ of two matrices of one size.
public func dot(_ a: Matrix, _ b: Matrix) -> Double {
  precondition(a.count == b.count, "inner product of \(a.shape) and \(b.shape)")
  BLAS.prepare()
  return cblas_ddot(Int32(a.count), a.elements, 1, b.elements, 1)
}
