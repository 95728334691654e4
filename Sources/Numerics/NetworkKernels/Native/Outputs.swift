import CKernels
import LinearAlgebra

/// Output activations and the step of Adam, in place.
extension Matrix {
  /// self ← 1 / (1 + e^{−z}), element by element, within a few units in the last place.
  public mutating func setSigmoid(of z: Matrix) {
    precondition(z.rows == rows && z.columns == columns, "sigmoid of \(z.shape) into \(shape)")
    ck_sigmoid(count, z.elements, &elements)
  }

  /// Each column ← e^z over the sum of its elements, within a few units in the last place.
  public mutating func setSoftmax(of z: Matrix) {
    precondition(z.rows == rows && z.columns == columns, "softmax of \(z.shape) into \(shape)")
    guard count > 0 else { return }
    ck_softmax(rows, columns, z.elements, &elements)
  }

  /// One step of Adam (Kingma, Ba 2015) on self with gradient g and moments m, v, the bias
  /// corrections folded into `rate` and `epsilon` by the caller.
  public mutating func adamStep(
    gradient g: Matrix, first m: inout Matrix, second v: inout Matrix, rate: Double,
    beta1: Double, beta2: Double, epsilon: Double
  ) {
    precondition(g.count == count && m.count == count && v.count == count)
    ck_adam(count, rate, beta1, beta2, epsilon, g.elements, &m.elements, &v.elements, &elements)
  }
}
