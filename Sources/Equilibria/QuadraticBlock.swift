import LinearAlgebra
import NeuralSheaves

/// The quadratic that a stalk sees whose readers are affine, ½⟨s, H s⟩ − ⟨force, s⟩ with H = D + Σ RᵀR, for
/// stalks whose H is too large to factor.
struct QuadraticBlock {
  /// D: 0 for what is held and does not move.
  let diagonal: [Double]
  let operations: [any NetworkOperation]

  /// A step to near the least value, by conjugate gradients from 0, sample by sample: until the gradient is a
  /// hundredth of what it was, or for 20 iterations. It goes down with every iteration.
  ///
  /// Cost: two products per operation and iteration; the iterations grow with the root of cond(H).
  func step(along force: Matrix) -> Matrix {
    var residual = force
    clear(&residual)
    var direction = residual
    var step = Matrix(rows: force.rows, columns: force.columns)
    var squares = (0..<force.columns).map { residual.sumOfSquares(column: $0) }
    let bounds = squares.map { 1e-4 * $0 }
    for _ in 0..<20 where squares.indices.contains(where: { squares[$0] > bounds[$0] }) {
      let product = product(direction)
      var (lengths, ratios) = (squares, squares)
      for j in squares.indices {
        var curvature = 0.0
        for i in 0..<force.rows { curvature += direction[i, j] * product[i, j] }
        lengths[j] = squares[j] > bounds[j] && curvature > 0 ? squares[j] / curvature : 0
      }
      step.addScaledColumns(direction, by: lengths)
      residual.addScaledColumns(product, by: lengths, scale: -1)
      for j in squares.indices {
        let next = residual.sumOfSquares(column: j)
        ratios[j] = squares[j] > 0 ? next / squares[j] : 0
        squares[j] = next
      }
      direction.scaleColumns(by: ratios)
      direction.add(residual)
    }
    return step
  }

  private func product(_ v: Matrix) -> Matrix {
    var result = v
    for j in 0..<v.columns {
      for i in 0..<v.rows { result[i, j] *= diagonal[i] }
    }
    for operation in operations {
      var image = Matrix(rows: operation.targetDimension, columns: v.columns)
      operation.addLinearPart(v, at: .affine, scale: 1, keeping: 0, into: &image)
      operation.addTranspose(image, at: .affine, keeping: 1, into: &result)
    }
    clear(&result)
    return result
  }

  private func clear(_ v: inout Matrix) {
    for (i, d) in diagonal.enumerated() where d == 0 {
      for j in 0..<v.columns { v[i, j] = 0 }
    }
  }
}
