import CellComplexes

extension SimplicialComplex {
  /// The cup product of two cochains with coefficients ℝ, by front and back faces (Alexander, Whitney 1935):
  /// (a ⌣ b)[v₀ … v_{p+q}] = a[v₀ … v_p] · b[v_p … v_{p+q}].
  ///
  /// δ(a ⌣ b) = δa ⌣ b + (−1)^p a ⌣ δb, so it passes to cohomology, where a ⌣ b = (−1)^{pq} b ⌣ a.
  ///
  /// - Parameters:
  ///   - a: of degree p, a value for each simplex.
  ///   - b: of degree q.
  /// - Returns: of degree p + q.
  /// - Complexity: two searches for each simplex.
  public func cupProduct(
    _ a: [Double], degree p: Int, _ b: [Double], degree q: Int
  ) -> [Double] {
    let starts = (complex.cells(ofDimension: p), complex.cells(ofDimension: q))
    precondition(
      a.count == starts.0.count && b.count == starts.1.count,
      "cochains of \(a.count) and \(b.count) values")
    return complex.cells(ofDimension: p + q).map { cell in
      let vertices = simplices[cell]
      let front = simplices.cell(vertices.prefix(p + 1))!
      let back = simplices.cell(vertices.suffix(q + 1))!
      return a[front - starts.0.lowerBound] * b[back - starts.1.lowerBound]
    }
  }
}
