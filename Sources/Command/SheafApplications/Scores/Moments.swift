import LinearAlgebra

/// Second moments of samples x₁ … x_n, the columns of a matrix (coordinates, samples), and what is made from them.
enum Moments {
  /// C = X Xᵀ/n, about 0.
  static func covariance(_ x: Matrix) -> Matrix {
    var c = Matrix(rows: x.rows, columns: x.rows)
    c.addGram(x, scale: 1 / Double(x.columns))
    return c
  }

  /// (1 − γ) C + γ (tr C/d) 1, γ = 0.05: regular whatever the samples (Ledoit, Wolf 2004, with γ fixed).
  static func shrunk(_ c: Matrix, _ gamma: Double = 0.05) -> Matrix {
    let d = c.rows
    let mean = (0..<d).reduce(0) { $0 + c[$1, $1] } / Double(d)
    var result = c
    result.scale(by: 1 - gamma)
    for i in 0..<d { result[i, i] += gamma * mean }
    return result
  }

  /// The inverse of the shrunk covariance of samples: the weight of an edge whose discrepancies they are.
  static func precision(_ x: Matrix) throws -> Matrix { try inverse(shrunk(covariance(x))) }

  /// A⁻¹ of a symmetric positive definite matrix, symmetric to the last digit.
  static func inverse(_ a: Matrix) throws -> Matrix {
    var b = Matrix.identity(a.rows)
    try CholeskyFactorization(a).solve(&b)
    for j in 0..<b.columns {
      for i in 0..<j {
        let mean = (b[i, j] + b[j, i]) / 2
        (b[i, j], b[j, i]) = (mean, mean)
      }
    }
    return b
  }

  /// A^(−1/2) of a symmetric positive definite matrix.
  static func inverseRoot(_ a: Matrix) throws -> Matrix {
    let eigen = try SymmetricEigendecomposition(a)
    var scaled = eigen.vectors
    scaled.scaleColumns(by: eigen.values.map { 1 / $0.squareRoot() })
    return product(scaled, eigen.vectors, .right)
  }

  /// A B with one factor transposed.
  static func product(_ a: Matrix, _ b: Matrix, _ transposing: Matrix.Transposition) -> Matrix {
    var c = Matrix(
      rows: transposing == .left ? a.columns : a.rows,
      columns: transposing == .right ? b.rows : b.columns)
    c.setProduct(a, b, transposing: transposing)
    return c
  }

  /// xᵀ P x of each column.
  static func energies(_ x: Matrix, _ precision: Matrix) -> [Double] {
    var sums = [Double](repeating: 0, count: x.columns)
    (precision * x).addColumnDots(x, into: &sums)
    return sums
  }

  /// ‖x‖² of each column.
  static func squaredNorms(_ x: Matrix) -> [Double] {
    (0..<x.columns).map { x.sumOfSquares(column: $0) }
  }

  /// The map F that makes Σ ‖y − F x‖² + λ‖F‖² least: F = Y Xᵀ(X Xᵀ + λ)⁻¹ (Hoerl, Kennard 1970).
  static func ridge(from x: Matrix, to y: Matrix, _ lambda: Double) throws -> Matrix {
    var gram = Matrix.diagonal([Double](repeating: lambda, count: x.rows))
    gram.addGram(x)
    var f = product(y, x, .right)
    try CholeskyFactorization(gram).solveFromRight(&f)
    return f
  }
}

extension Matrix {
  /// Some rows, in the order of the list.
  func rows(_ list: [Int]) -> Matrix { self[rows: list, columns: Array(0..<columns)] }

  /// a − b.
  static func difference(_ a: Matrix, _ b: Matrix) -> Matrix {
    var c = a
    c.add(b, scale: -1)
    return c
  }

  /// For each column the row of its largest entry, the first of several.
  var largestRows: [Int] {
    (0..<columns).map { j in (1..<rows).reduce(0) { self[$1, j] > self[$0, j] ? $1 : $0 } }
  }

  /// The largest entry of each column.
  var columnMaxima: [Double] { largestRows.enumerated().map { self[$1, $0] } }
}
