import Foundation
import LinearAlgebra

/// Room to invert one small covariance after another, each kept as a lower triangle, column by column.
///
/// Below an order of 24 by loops, which spares the calls of a library whose matrices are of ten rows; LAPACK above.
struct CovarianceInverse {
  private let n: Int
  /// L, then L⁻¹, row by row.
  private var rows: [Double]

  init(order n: Int) {
    self.n = n
    rows = [Double](repeating: 0, count: n * n)
  }

  /// S ← S⁻¹ for the triangle that begins at a place of a list.
  ///
  /// - Returns: log det S; nil where S is not positive definite, and then S is as it was.
  mutating func invert(_ s: inout [Double], at start: Int) -> Double? {
    n < 24 ? invertSmall(&s, at: start) : invertLarge(&s, at: start)
  }

  private mutating func invertSmall(_ s: inout [Double], at start: Int) -> Double? {
    var at = start
    for k in 0..<n {
      for i in k..<n {
        rows[i * n + k] = s[at]
        at += 1
      }
    }
    var determinant = 1.0
    var logDeterminant = 0.0
    for i in 0..<n {
      for k in 0..<i {
        var sum = rows[i * n + k]
        for j in 0..<k { sum -= rows[i * n + j] * rows[k * n + j] }
        rows[i * n + k] = sum * rows[k * n + k]
      }
      var pivot = rows[i * n + i]
      let whole = pivot
      for j in 0..<i { pivot -= rows[i * n + j] * rows[i * n + j] }
      guard pivot > 1e-15 * whole && pivot.isFinite else { return nil }
      // Products of pivots, as long as they stay within range, spare logarithms.
      if pivot > 1e-100 && pivot < 1e100 && determinant > 1e-200 && determinant < 1e200 {
        determinant *= pivot
      } else {
        logDeterminant += log(pivot)
      }
      // The inverse of L_ii, which is what is needed of it.
      rows[i * n + i] = 1 / pivot.squareRoot()
    }
    logDeterminant += log(determinant)
    for i in 0..<n {
      let scale = rows[i * n + i]
      for k in 0..<i {
        var sum = rows[i * n + k] * rows[k * n + k]
        for j in k + 1..<max(i, k + 1) { sum += rows[i * n + j] * rows[j * n + k] }
        rows[i * n + k] = -scale * sum
      }
    }
    at = start
    for k in 0..<n {
      for i in k..<n {
        var sum = 0.0
        for j in i..<n { sum += rows[j * n + i] * rows[j * n + k] }
        s[at] = sum
        at += 1
      }
    }
    return logDeterminant
  }

  private func invertLarge(_ s: inout [Double], at start: Int) -> Double? {
    var matrix = Matrix(rows: n, columns: n)
    var at = start
    for k in 0..<n {
      for i in k..<n {
        matrix[i, k] = s[at]
        at += 1
      }
    }
    guard let factor = try? CholeskyFactorization(matrix) else { return nil }
    var inverse = Matrix.identity(n)
    factor.solve(&inverse)
    at = start
    for k in 0..<n {
      for i in k..<n {
        s[at] = inverse[i, k]
        at += 1
      }
    }
    return factor.logDeterminant
  }
}
