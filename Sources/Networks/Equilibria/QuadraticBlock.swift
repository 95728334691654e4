import LinearAlgebra
import NeuralSheaves

/// The quadratic that a stalk sees whose readers are affine, ½⟨s, H s⟩ − ⟨force, s⟩ with H = D + Σ RᵀΓR, for
/// stalks whose H is too large to factor.
struct QuadraticBlock: SymmetricOperator {
  /// D: 0 for what is held and does not move.
  let diagonal: [Double]
  /// The edges that read the stalk.
  let readers: [Network.Edge]
  let stiffness: Stiffness

  var rows: Int { diagonal.count }
  var traits: OperatorTraits { .positiveSemidefinite }

  /// A step to near the least value, by conjugate gradients from 0, sample by sample: until the gradient is a
  /// hundredth of what it was, or for 20 iterations. It goes down with every iteration.
  ///
  /// Cost: two products per operation and iteration; the iterations grow with the root of cond(H).
  func step(along force: Matrix) -> Matrix {
    var right = force
    clear(&right)
    return ConjugateGradients(tolerance: 1e-2, stepLimit: 20).solve(self, right).value
  }

  /// H x; what is held is taken for 0 and stays 0.
  func apply(_ vector: Matrix, into y: inout Matrix) {
    var x = vector
    clear(&x)
    y = x
    for j in 0..<x.columns {
      for i in 0..<x.rows { y[i, j] *= diagonal[i] }
    }
    for edge in readers {
      let operation = edge.operation
      var image = Matrix(rows: operation.targetDimension, columns: x.columns)
      operation.addLinearPart(x, at: .affine, scale: 1, keeping: 0, into: &image)
      stiffness.multiply(&image, of: edge.target)
      operation.addTranspose(image, at: .affine, keeping: 1, into: &y)
    }
    clear(&y)
  }

  private func clear(_ v: inout Matrix) {
    for (i, d) in diagonal.enumerated() where d == 0 {
      for j in 0..<v.columns { v[i, j] = 0 }
    }
  }
}
