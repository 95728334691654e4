import LinearAlgebra

/// x = W h + noise with h ~ N(0, 1) in ℝᵏ and independent noises of variances ψ, fitted by expectation and maximisation
/// (Rubin, Thayer 1982) from the k principal components.
struct FactorAnalysis {
  /// W, (coordinates, k).
  fileprivate(set) var loadings: Matrix
  /// ψ, at least 10⁻³.
  fileprivate(set) var variances: [Double]
}

extension FactorAnalysis {
  /// Fits samples of mean 0, one a column.
  ///
  /// - Complexity: `rounds` times 4 d²k operations for d coordinates.
  init(_ x: Matrix, factors k: Int, rounds: Int = 60) throws {
    let c = Moments.covariance(x)
    let d = c.rows
    let eigen = try SymmetricEigendecomposition(c)
    let leading = Array((d - k..<d).reversed())
    var w = eigen.vectors.columns(leading)
    w.scaleColumns(by: leading.map { max(eigen.values[$0], 0).squareRoot() })
    self.init(loadings: w, variances: [])
    updateVariances(c, w)
    for _ in 0..<rounds { try improve(c) }
  }

  /// ψ = max(diag(C − W Yᵀ), 10⁻³).
  private mutating func updateVariances(_ c: Matrix, _ y: Matrix) {
    variances = (0..<c.rows).map { i in
      max(c[i, i] - (0..<y.columns).reduce(0) { $0 + loadings[i, $1] * y[i, $1] }, 1e-3)
    }
  }

  /// One round: h given x has the covariance G = (1 + Wᵀψ⁻¹W)⁻¹ and the mean B x, B = G Wᵀψ⁻¹; then
  /// W = C Bᵀ(G + B C Bᵀ)⁻¹.
  private mutating func improve(_ c: Matrix) throws {
    let k = loadings.columns
    var a = loadings.transposed
    a.scaleColumns(by: variances.map { 1 / $0 })
    var precision = a * loadings
    for i in 0..<k { precision[i, i] += 1 }
    let g = try Moments.inverse(precision)
    let b = g * a
    let cb = Moments.product(c, b, .right)
    var second = b * cb
    second.add(g)
    loadings = cb
    try CholeskyFactorization(second).solveFromRight(&loadings)
    updateVariances(c, cb)
  }
}
