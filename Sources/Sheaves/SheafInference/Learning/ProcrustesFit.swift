import LinearAlgebra

/// The orthogonal matrix Q of least ‖Q X − Y‖ (Schönemann 1966).
public enum ProcrustesFit {
  /// With Y Xᵀ = U S Vᵀ, ‖Q X − Y‖² = ‖X‖² + ‖Y‖² − 2 tr(Qᵀ U S Vᵀ) and tr(Qᵀ U S Vᵀ) = Σ s_i (UᵀQV)_ii ≤ Σ s_i, with
  /// equality for Q = U Vᵀ. Among those of determinant 1, where det U Vᵀ = −1, the last column of U changes its sign:
  /// the trace loses 2 s_d, the least that it can (Kabsch 1976).
  ///
  /// - Parameters:
  ///   - x: X, (d, samples).
  ///   - y: Y, as large.
  ///   - reflections: whether Q may have determinant −1.
  /// - Returns: Q, (d, d).
  /// - Throws: `notFinite`, `noConvergence`.
  /// - Complexity: a singular value decomposition of order d.
  public static func map(
    _ x: Matrix, _ y: Matrix, reflections: Bool = true
  ) throws(FactorizationError) -> Matrix {
    var product = Matrix(rows: y.rows, columns: x.rows)
    product.setProduct(y, x, transposing: .right)
    let parts = try SingularValueDecomposition(product)
    let q = parts.left * parts.right.transposed
    guard !reflections, q.isReflection else { return q }
    var turned = parts.left
    let last = turned.columns - 1
    for i in 0..<turned.rows { turned[i, last] *= -1 }
    return turned * parts.right.transposed
  }
}

extension Matrix {
  /// Whether the determinant of an orthogonal matrix is −1, by elimination with pivoting.
  fileprivate var isReflection: Bool {
    var a = self
    var isNegative = false
    for k in 0..<rows {
      guard let pivot = (k..<rows).max(by: { abs(a[$0, k]) < abs(a[$1, k]) }) else { break }
      if pivot != k {
        for j in 0..<columns { (a[k, j], a[pivot, j]) = (a[pivot, j], a[k, j]) }
        isNegative.toggle()
      }
      if a[k, k] < 0 { isNegative.toggle() }
      for i in k + 1..<max(rows, k + 1) {
        let factor = a[i, k] / a[k, k]
        for j in k..<columns { a[i, j] -= factor * a[k, j] }
      }
    }
    return isNegative
  }
}
