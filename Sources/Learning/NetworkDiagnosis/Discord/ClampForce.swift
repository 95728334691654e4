import LinearAlgebra
import NeuralSheaves

/// The force λ = y − φ(z + Cλ) that a clamp with κ = 1 exerts on z_{k+1} where the rest of the network answers with C.
struct ClampForce {
  private let activation: OutputActivation
  private let z: Matrix
  private let covariance: Matrix

  /// At z, (n, 1).
  init(_ activation: OutputActivation, z: Matrix, _ covariance: Matrix) {
    (self.activation, self.z, self.covariance) = (activation, z, covariance)
  }

  /// E λλᵀ and the mean discord of the clamp over targets from the network's own output: the classes of a softmax; of several sigmoids one after the other,
  /// the others at their probabilities, which is right to first order in what they do to each other; values with independent errors of a variance.
  func moments(variance: Double) -> (square: Matrix, energy: Double) {
    let n = z.rows
    var square = Matrix(rows: n, columns: n)
    var energy = 0.0
    let p = activation(z)
    switch activation {
    case .identity:
      // λ = (I + C)⁻¹ r, and z + Cλ − y = −λ.
      var s = covariance
      for i in 0..<n { s[i, i] += 1 }
      guard let factor = try? CholeskyFactorization(s) else { return (square, .nan) }
      var inverse = Matrix.identity(n)
      factor.solve(&inverse)
      square.addProduct(inverse, inverse, scale: variance)
      for i in 0..<n { energy += square[i, i] }
    case .softmax:
      for c in 0..<n where p[c, 0] > 1e-9 {
        var y = Matrix(rows: n, columns: 1)
        y[c, 0] = 1
        let lambda = solve(y)
        square.addProduct(lambda, lambda, transposing: .right, scale: p[c, 0])
        energy += p[c, 0] * activation.crossEntropy(answer(lambda), y, sample: 0)
      }
    case .sigmoid:
      for i in 0..<n {
        for (value, weight) in [(0.0, 1 - p[i, 0]), (1, p[i, 0])] where weight > 1e-9 {
          var y = p
          y[i, 0] = value
          let lambda = solve(y)
          square.addProduct(lambda, lambda, transposing: .right, scale: weight)
          // Of this coordinate alone: the others have their turns.
          energy +=
            weight
            * activation.crossEntropy(
              answer(lambda).rows(i..<i + 1), y.rows(i..<i + 1), sample: 0)
        }
      }
    }
    return (square, energy)
  }

  /// z + Cλ.
  private func answer(_ lambda: Matrix) -> Matrix {
    var sum = z
    sum.addProduct(covariance, lambda)
    return sum
  }

  /// λ, by Newton's method on y − φ(z + Cλ) − λ with halved steps.
  private func solve(_ y: Matrix) -> Matrix {
    let n = z.rows
    var lambda = Matrix(rows: n, columns: 1)
    func residual(_ p: Matrix, _ l: Matrix) -> Matrix {
      var r = p
      r.add(y, scale: -1)
      r.add(l)
      return r
    }
    var p = activation(answer(lambda))
    var r = residual(p, lambda)
    for _ in 0..<50 where r.maximumMagnitude > 1e-12 {
      // I + HC.
      var jacobian = covariance
      activation.applyJacobian(at: p.columns([Int](repeating: 0, count: n)), to: &jacobian)
      for c in 0..<n { jacobian[c, c] += 1 }
      guard let step = try? jacobian.solve(r) else { break }
      var t = 1.0
      while true {
        var next = lambda
        next.add(step, scale: -t)
        let trial = activation(answer(next))
        let left = residual(trial, next)
        if left.sumOfSquares < r.sumOfSquares || t < 1e-6 {
          (lambda, p, r) = (next, trial, left)
          break
        }
        t /= 2
      }
      if t < 1e-6 { break }
    }
    return lambda
  }
}
