import LinearAlgebra
import SparseFactorizations

/// min ½‖x − y‖² + λ‖Dx‖₁ by an interior-point method for the dual, min ½‖Dᵀu − y‖² with |u| ≤ λ, x = y − Dᵀu
/// (as in Kim, Koh, Boyd, Gorinevsky 2009, "ℓ₁ trend filtering", for any D).
///
/// With multipliers μ± of u ≤ λ and −u ≤ λ a Newton step solves (DDᵀ + Σ) du = g, Σ = μ₊/(λ − u) + μ₋/(λ + u) diagonal;
/// by Woodbury's identity through the Cholesky factorisation of 1 + DᵀΣ⁻¹D, whose pattern is that of the Laplacian.
struct TotalVariation: Sendable {
  private(set) var x: [Double]
  /// λ‖Dx‖₁ − uᵀDx, the duality gap, over ½‖y‖².
  private(set) var gap = Double.infinity
  private(set) var status = SolutionStatus.stepLimit
  private(set) var iterations = 0

  /// - Parameter transposed: Dᵀ.
  init(
    _ transposed: SparseMatrix, _ y: [Double], _ lambda: Double, tolerance: Double = 1e-9
  ) throws(FactorizationError) {
    precondition(lambda >= 0 && lambda.isFinite, "a weight of \(lambda)")
    x = y
    let size = max(y.reduce(0) { $0 + $1 * $1 } / 2, 1e-300)
    let m = transposed.columns
    guard lambda > 0, m > 0 else {
      (gap, status) = (0, .converged)
      return
    }
    func down(_ u: [Double]) -> [Double] { transposed(Matrix(column: u)).column(0) }
    func up(_ v: [Double]) -> [Double] { transposed.adjoint(Matrix(column: v)).column(0) }
    var u = [Double](repeating: 0, count: m)
    // Multipliers to the scale of the gradient.
    let slope = max(up(y).reduce(0) { max($0, abs($1)) }, 1e-300)
    var (plus, minus) = (
      [Double](repeating: slope, count: m), [Double](repeating: slope, count: m)
    )
    // Where multipliers vanish so does Σ: kept this far from 0 the matrix below stays regular.
    var top = 0.0
    for j in 0..<m {
      var square = 0.0
      transposed.forEachEntry(ofColumn: j) { square += $1 * $1 }
      top = max(top, square)
    }
    let least = max(1e-11 * top, 1e-300)
    var analysis: SparseCholesky.Analysis?
    var image = up(x)
    for _ in 0..<100 {
      let primal = lambda * image.reduce(0) { $0 + abs($1) }
      gap = max(0, primal - zip(u, image).reduce(0) { $0 + $1.0 * $1.1 }) / size
      if gap <= tolerance {
        status = .converged
        return
      }
      iterations += 1
      let complementarity =
        (0..<m).reduce(0) { $0 + plus[$1] * (lambda - u[$1]) + minus[$1] * (lambda + u[$1]) }
        / Double(2 * m)
      let sigma = (0..<m).map { plus[$0] / (lambda - u[$0]) + minus[$0] / (lambda + u[$0]) }
        .map { max($0, least) }
      let inverse = sigma.map { 1 / $0 }
      let matrix = transposed.scalingColumns(by: inverse.map { $0.squareRoot() }).outerGram
        .addingToDiagonal(1)
      if analysis == nil { analysis = try SparseCholesky.Analysis(matrix) }
      let factor = try SparseCholesky(matrix, using: analysis!)
      /// (DDᵀ + Σ)⁻¹ g = Σ⁻¹g − Σ⁻¹D(1 + DᵀΣ⁻¹D)⁻¹DᵀΣ⁻¹g.
      func solve(_ g: [Double]) throws(FactorizationError) -> [Double] {
        let first = zip(inverse, g).map { $0 * $1 }
        var middle = Matrix(column: down(first))
        try factor.solve(&middle)
        let last = up(middle.column(0))
        return (0..<m).map { first[$0] - inverse[$0] * last[$0] }
      }
      // The gradient of the dual is −Dx.
      func direction(
        _ target: Double, _ second: [Double]?
      ) throws(FactorizationError) -> (du: [Double], dp: [Double], dm: [Double]) {
        let corrections = second ?? [Double](repeating: 0, count: 2 * m)
        let a = (0..<m).map { (target + corrections[$0]) / (lambda - u[$0]) }
        let b = (0..<m).map { (target + corrections[m + $0]) / (lambda + u[$0]) }
        let du = try solve((0..<m).map { image[$0] - a[$0] + b[$0] })
        let dp = (0..<m).map { a[$0] - plus[$0] + plus[$0] / (lambda - u[$0]) * du[$0] }
        let dm = (0..<m).map { b[$0] - minus[$0] - minus[$0] / (lambda + u[$0]) * du[$0] }
        return (du, dp, dm)
      }
      func longest(_ d: (du: [Double], dp: [Double], dm: [Double])) -> Double {
        var step = 1.0
        for i in 0..<m {
          if d.du[i] > 0 { step = min(step, (lambda - u[i]) / d.du[i]) }
          if d.du[i] < 0 { step = min(step, (lambda + u[i]) / -d.du[i]) }
          if d.dp[i] < 0 { step = min(step, plus[i] / -d.dp[i]) }
          if d.dm[i] < 0 { step = min(step, minus[i] / -d.dm[i]) }
        }
        return step
      }
      // Mehrotra's predictor and corrector.
      let affine = try direction(0, nil)
      let reach = longest(affine)
      var ahead = 0.0
      for i in 0..<m {
        ahead += (plus[i] + reach * affine.dp[i]) * (lambda - u[i] - reach * affine.du[i])
        ahead += (minus[i] + reach * affine.dm[i]) * (lambda + u[i] + reach * affine.du[i])
      }
      let ratio = max(ahead / Double(2 * m) / complementarity, 0)
      let second =
        (0..<m).map { affine.dp[$0] * affine.du[$0] }
        + (0..<m).map { -affine.dm[$0] * affine.du[$0] }
      let final = try direction(ratio * ratio * ratio * complementarity, second)
      let step = min(1, 0.995 * longest(final))
      for i in 0..<m {
        u[i] += step * final.du[i]
        plus[i] += step * final.dp[i]
        minus[i] += step * final.dm[i]
      }
      let removed = down(u)
      for i in x.indices { x[i] = y[i] - removed[i] }
      image = up(x)
    }
  }
}
