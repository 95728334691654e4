import LinearAlgebra

/// Roots of the curvature of the cross-entropy, which is that of squared error for the identity: BBᵀ = J_φ with B = I, diag √φ(1 − φ) for a
/// sigmoid, and for a softmax diag √φ − φ√φᵀ, whose square is diag φ − φφᵀ, as Σφ = 1.
extension OutputActivation {
  /// c ← Bε, sample by sample, where p = φ(z). Shapes (n, batch).
  package func setCurvatureRoot(at p: Matrix, of epsilon: Matrix, into c: inout Matrix) {
    switch self {
    case .identity: c.set(epsilon)
    case .sigmoid:
      for j in 0..<p.columns {
        for i in 0..<p.rows { c[i, j] = (p[i, j] * (1 - p[i, j])).squareRoot() * epsilon[i, j] }
      }
    case .softmax:
      for j in 0..<p.columns {
        var sum = 0.0
        for i in 0..<p.rows {
          c[i, j] = p[i, j].squareRoot() * epsilon[i, j]
          sum += c[i, j]
        }
        for i in 0..<p.rows { c[i, j] -= p[i, j] * sum }
      }
    }
  }

  /// g gains the derivative of ⟨v, B(z)ε⟩ in z, sample by sample, where p = φ(z).
  package func addCurvatureRootGradient(
    at p: Matrix, of epsilon: Matrix, along v: Matrix, into g: inout Matrix
  ) {
    switch self {
    case .identity: break
    case .sigmoid:
      for j in 0..<p.columns {
        for i in 0..<p.rows {
          let x = p[i, j]
          g[i, j] += v[i, j] * epsilon[i, j] * (0.5 - x) * (x * (1 - x)).squareRoot()
        }
      }
    case .softmax:
      for j in 0..<p.columns {
        // ⟨v, c⟩ = Σ v r − ⟨v, p⟩ Σ r with r = √p ε; h = p times its derivative in p.
        var (mean, sum) = (0.0, 0.0)
        for i in 0..<p.rows {
          mean += v[i, j] * p[i, j]
          sum += p[i, j].squareRoot() * epsilon[i, j]
        }
        var total = 0.0
        for i in 0..<p.rows {
          let h =
            p[i, j].squareRoot() * epsilon[i, j] * (v[i, j] - mean) / 2
            - p[i, j] * v[i, j] * sum
          g[i, j] += h
          total += h
        }
        for i in 0..<p.rows { g[i, j] -= p[i, j] * total }
      }
    }
  }
}
