import Foundation
import LinearAlgebra

/// Multinomial logistic regression: log-probabilities of the classes up to a constant, V x + b.
///
/// V and b make C Σ −log p(class of x) + ½‖V‖² least, which is convex: by Newton's method with step halving, to any
/// precision.
struct SoftmaxRegression {
  /// (V, b), (classes, inputs + 1).
  private(set) var parameters: Matrix
  /// The largest entry of the gradient at the end.
  private(set) var gradient = Double.infinity

  /// Fits samples (inputs, samples) to their classes.
  ///
  /// - Parameters:
  ///   - c: C, the weight of the samples.
  ///   - tolerance: on the largest entry of the gradient.
  /// - Throws: `noConvergence` if it is not met in 100 steps.
  /// - Complexity: a step takes k²(p² n + k p³/3) operations for k classes, p inputs and n samples.
  init(
    _ x: Matrix, classes: [Int], of k: Int = 10, c: Double = 1, tolerance: Double = 1e-8
  ) throws {
    let problem = Problem(x, classes, k, c)
    parameters = Matrix(rows: k, columns: x.rows + 1)
    var value = problem.value(parameters)
    for _ in 0..<100 {
      let p = problem.probabilities(parameters)
      let slope = problem.gradient(parameters, p)
      gradient = slope.maximumMagnitude
      if gradient <= tolerance { return }
      let step = try problem.newtonStep(slope, p)
      let decrease = dot(slope, step)
      var length = 1.0
      while true {
        var next = parameters
        next.add(step, scale: -length)
        let new = problem.value(next)
        // Near the minimum a decrease is lost in rounding: Newton's step is good there.
        if new <= value - 1e-4 * length * decrease || decrease < 1e-9 * max(abs(value), 1) {
          (parameters, value) = (next, new)
          break
        }
        length /= 2
        guard length > 1e-12 else { throw FactorizationError.noConvergence }
      }
    }
    throw FactorizationError.noConvergence
  }

  /// V x + b, (classes, samples).
  func callAsFunction(_ x: Matrix) -> Matrix { parameters * Self.extended(x) }

  /// Inputs with a row of ones.
  private static func extended(_ x: Matrix) -> Matrix {
    Matrix(
      stacking: [x, Matrix(rows: 1, columns: x.columns, repeating: 1)], columns: x.columns)
  }

  /// The loss and its derivatives.
  private struct Problem {
    let x: Matrix
    let classes: [Int]
    let k: Int
    let c: Double

    init(_ x: Matrix, _ classes: [Int], _ k: Int, _ c: Double) {
      self.x = SoftmaxRegression.extended(x)
      (self.classes, self.k, self.c) = (classes, k, c)
    }

    func value(_ w: Matrix) -> Double {
      let s = w * x
      var sum = 0.0
      for j in 0..<s.columns {
        sum += Logits.logSumExp((0..<k).map { s[$0, j] }) - s[classes[j], j]
      }
      return c * sum + w.columns(0..<x.rows - 1).sumOfSquares / 2
    }

    func probabilities(_ w: Matrix) -> Matrix { Logits.probabilities(w * x) }

    /// C (P − Y) Xᵀ + (V, 0).
    func gradient(_ w: Matrix, _ p: Matrix) -> Matrix {
      var error = p
      for (j, i) in classes.enumerated() { error[i, j] -= 1 }
      var result = Matrix(rows: k, columns: x.rows)
      result.addProduct(error, x, transposing: .right, scale: c)
      for j in 0..<x.rows - 1 { for i in 0..<k { result[i, j] += w[i, j] } }
      return result
    }

    /// H⁻¹ g, H in blocks of classes: H_ab = C X diag(p_a(δ_ab − p_b)) Xᵀ + δ_ab diag(1, …, 1, 0).
    func newtonStep(_ g: Matrix, _ p: Matrix) throws -> Matrix {
      let m = x.rows
      var h = Matrix(rows: k * m, columns: k * m)
      for a in 0..<k {
        for b in 0...a {
          var scaled = x
          scaled.scaleColumns(
            by: (0..<x.columns).map { c * p[a, $0] * ((a == b ? 1 : 0) - p[b, $0]) })
          var block = Moments.product(scaled, x, .right)
          if a == b { for i in 0..<m - 1 { block[i, i] += 1 } }
          // What all b have in common changes nothing; held at 0, as the gradient has no part in it.
          block[m - 1, m - 1] += 1
          h.setBlock(row: a * m, column: b * m, to: block)
        }
      }
      var step = Matrix(column: g.rowMajor)
      try CholeskyFactorization(h).solve(&step)
      return Matrix(rows: k, columns: m, rowMajor: step.elements)
    }
  }
}

/// Log-probabilities of classes up to a constant, one sample a column.
enum Logits {
  static func logSumExp(_ s: [Double]) -> Double {
    let top = s.max()!
    return top + log(s.reduce(0) { $0 + exp($1 - top) })
  }

  /// exp of the logits over its sum.
  static func probabilities(_ s: Matrix) -> Matrix {
    var p = s
    for j in 0..<s.columns {
      let total = logSumExp(s.column(j))
      for i in 0..<s.rows { p[i, j] = exp(s[i, j] - total) }
    }
    return p
  }

  /// Logits minus their mean.
  static func centred(_ s: Matrix) -> Matrix {
    var result = s
    for j in 0..<s.columns {
      let mean = s.column(j).reduce(0, +) / Double(s.rows)
      for i in 0..<s.rows { result[i, j] -= mean }
    }
    return result
  }

  /// An orthonormal basis of the centred vectors of ℝ¹⁰, one a column (Helmert): (10, 9).
  static let helmert: Matrix = {
    var h = Matrix(rows: 10, columns: 9)
    for j in 1..<10 {
      let norm = Double(j * (j + 1)).squareRoot()
      for i in 0..<j { h[i, j - 1] = 1 / norm }
      h[j, j - 1] = -Double(j) / norm
    }
    return h
  }()
}
