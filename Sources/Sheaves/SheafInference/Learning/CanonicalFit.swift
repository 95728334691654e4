import LinearAlgebra

/// Maps of an edge between stalks of any dimensions.
enum CanonicalFit {
  /// Why a covariance cannot be whitened: its rank.
  struct Singular: Error {
    let rank: Int
  }

  /// C^{−1/2} for the covariance C = X Xᵀ/N + ridge · (tr X Xᵀ/(N d)) · 1.
  ///
  /// Of signals that vanish nothing is known: 1. Eigenvalues up to 1e-14 d of the largest count as 0.
  ///
  /// - Throws: `Singular` where the matrix is.
  static func whitening(
    _ x: Matrix, ridge: Double
  ) throws -> Matrix {
    let d = x.rows
    var c = Matrix(rows: d, columns: d)
    c.addGram(x, scale: 1 / Double(x.columns), keeping: 0)
    let mean = (0..<d).reduce(0) { $0 + c[$1, $1] } / Double(max(d, 1))
    guard mean > 0 else { return .identity(d) }
    let pairs = try SymmetricEigendecomposition(c)
    let values = pairs.values.map { $0 + ridge * mean }
    let bound = 1e-14 * Double(d) * (values.last ?? 0)
    guard let least = values.first, least > bound else {
      throw Singular(rank: values.filter { $0 > bound }.count)
    }
    var scaled = pairs.vectors
    scaled.scaleColumns(by: values.map { 1 / $0.squareRoot() })
    return scaled * pairs.vectors.transposed
  }

  /// F_u, F_v of canonical correlations, given the whitenings T_u, T_v: with T_u (X_u X_vᵀ/N) T_v = P diag(ρ) Qᵀ the first
  /// r rows of Pᵀ T_u and Qᵀ T_v. They have F_u C_u F_uᵀ = 1 and, F_u C_uv F_vᵀ being diag(ρ), the largest correlations.
  ///
  /// - Complexity: a singular value decomposition of (d_u, d_v).
  static func canonical(
    _ x: Matrix, _ y: Matrix, whitenings: (Matrix, Matrix), rank: Int
  ) throws(FactorizationError) -> (Matrix, Matrix) {
    var product = Matrix(rows: x.rows, columns: y.rows)
    product.setProduct(x, y, transposing: .right, scale: 1 / Double(x.columns))
    let parts = try SingularValueDecomposition(whitenings.0 * product * whitenings.1)
    let r = min(rank, parts.values.count)
    return (
      parts.left.columns(0..<r).transposed * whitenings.0,
      parts.right.columns(0..<r).transposed * whitenings.1
    )
  }

  /// [F_u | F_v] of the r smallest eigenvalues of [X_u; −X_v][X_u; −X_v]ᵀ/N, with orthonormal rows.
  ///
  /// - Complexity: an eigen-decomposition of order d_u + d_v.
  static func joint(
    _ x: Matrix, _ y: Matrix, rank: Int
  ) throws(FactorizationError) -> (Matrix, Matrix) {
    var negative = y
    negative.scale(by: -1)
    let both = Matrix(stacking: [x, negative], columns: x.columns)
    var gram = Matrix(rows: both.rows, columns: both.rows)
    gram.addGram(both, scale: 1 / Double(x.columns), keeping: 0)
    let vectors = try SymmetricEigendecomposition(gram).vectors
    let rows = vectors.columns(0..<min(rank, both.rows)).transposed
    let all = Array(0..<rows.rows)
    return (
      rows[rows: all, columns: Array(0..<x.rows)],
      rows[rows: all, columns: Array(x.rows..<both.rows)]
    )
  }
}
