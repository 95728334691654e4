import CellComplexes
import LinearAlgebra

/// The covariance Σ of a value on a stalk, symmetric positive definite.
public enum Covariance: Sendable, Equatable {
  /// Σ = v·1.
  case scalar(Double)
  /// Σ = diag(v).
  case diagonal([Double])
  /// Any.
  case matrix(Matrix)

  /// Σ on a stalk of dimension n.
  public func dense(_ n: Int) -> Matrix {
    switch self {
    case .scalar(let v): .diagonal([Double](repeating: v, count: n))
    case .diagonal(let v): .diagonal(v)
    case .matrix(let v): v
    }
  }

  /// What is wrong with it on a stalk of dimension n: what was found and what is expected.
  func problem(on n: Int) -> (found: String, expected: String)? {
    switch self {
    case .scalar(let v):
      return v > 0 && v.isFinite ? nil : ("the variance \(v)", "a positive finite number")
    case .diagonal(let v):
      guard v.count == n else {
        return ("\(v.count) variances", "\(n), the dimension of the stalk")
      }
      return v.first { !($0 > 0 && $0.isFinite) }.map {
        ("the variance \($0)", "positive finite numbers")
      }
    case .matrix(let v):
      guard v.rows == n && v.columns == n else {
        return ("a covariance of shape \(v.shape)", "(\(n), \(n))")
      }
      guard v.firstNonFinite == nil else {
        return ("a covariance with an entry that is not finite", "finite entries")
      }
      for j in 0..<n {
        // Rounding of a product leaves entries equal to the size of the variances, not to their own.
        for i in 0..<j
        where abs(v[i, j] - v[j, i]) > 1e-12
          * max(abs(v[i, i] * v[j, j]).squareRoot(), abs(v[i, j]))
        {
          return (
            "covariances \(v[i, j]) and \(v[j, i]) at (\(i), \(j)) and (\(j), \(i))",
            "a symmetric matrix"
          )
        }
      }
      return (try? CholeskyFactorization(v)) == nil
        ? ("a covariance that is not positive definite", "a positive definite one") : nil
    }
  }

  /// T with TᵀT = Σ⁻¹: T e has unit covariance for an error e. Lower triangular, L⁻¹ for Σ = L Lᵀ.
  func whitening(_ n: Int) -> Whitening {
    switch self {
    case .scalar(let v): return .diagonal([Double](repeating: 1 / v.squareRoot(), count: n))
    case .diagonal(let v): return .diagonal(v.map { 1 / $0.squareRoot() })
    case .matrix(let v):
      // Checked to have a factorisation when the assignment was made.
      let l = madeToFit { try CholeskyFactorization(v).lowerTriangle }
      var inverse = Matrix(rows: n, columns: n)
      for j in 0..<n {
        for i in j..<n {
          var sum = i == j ? 1.0 : 0
          for k in j..<i { sum -= l[i, k] * inverse[k, j] }
          inverse[i, j] = sum / l[i, i]
        }
      }
      return .matrix(inverse)
    }
  }
}

/// A square matrix T that turns errors into ones of unit covariance.
enum Whitening: Sendable {
  case diagonal([Double])
  case matrix(Matrix)

  /// That of an inner product W = RᵀR taken as a precision: R.
  init(root: Matrix) {
    let n = root.rows
    let isDiagonal = (0..<n).allSatisfy { j in (0..<n).allSatisfy { $0 == j || root[$0, j] == 0 } }
    self = isDiagonal ? .diagonal((0..<n).map { root[$0, $0] }) : .matrix(root)
  }

  /// T x.
  func callAsFunction(_ x: [Double]) -> [Double] {
    switch self {
    case .diagonal(let d): return zip(d, x).map { $0 * $1 }
    case .matrix(let t):
      return (0..<t.rows).map { i in (0..<t.columns).reduce(0) { $0 + t[i, $1] * x[$1] } }
    }
  }

  /// T A.
  func callAsFunction(_ a: Matrix) -> Matrix {
    switch self {
    case .diagonal(let d):
      var result = a
      for j in 0..<a.columns { for i in 0..<a.rows { result[i, j] *= d[i] } }
      return result
    case .matrix(let t): return t * a
    }
  }

  /// Row i of T as (column, value).
  func row(_ i: Int) -> [(Int, Double)] {
    switch self {
    case .diagonal(let d): [(i, d[i])]
    case .matrix(let t): (0..<t.columns).compactMap { t[i, $0] == 0 ? nil : ($0, t[i, $0]) }
    }
  }

  /// s T.
  func scaled(by s: Double) -> Whitening {
    switch self {
    case .diagonal(let d): .diagonal(d.map { s * $0 })
    case .matrix(var t):
      {
        t.scale(by: s)
        return .matrix(t)
      }()
    }
  }

  /// T⁻¹ x.
  func unwhitened(_ x: [Double]) -> [Double] {
    switch self {
    case .diagonal(let d): return zip(x, d).map { $0 / $1 }
    case .matrix(let t):
      return madeToFit { try t.solve(Matrix(column: x)).column(0) }
    }
  }

  /// T⁻¹ A T⁻ᵀ: a covariance in the units of the values.
  func unwhitened(covariance a: Matrix) -> Matrix {
    switch self {
    case .diagonal(let d):
      var result = a
      for j in 0..<a.columns { for i in 0..<a.rows { result[i, j] /= d[i] * d[j] } }
      return result
    case .matrix(let t):
      return madeToFit { try t.solve(try t.solve(a).transposed) }
    }
  }
}
