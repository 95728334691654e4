/// The distribution of a symmetric operator's eigenvalues, estimated by stochastic Lanczos quadrature (Golub, Meurant,
/// *Matrices, Moments and Quadrature*, 2010; Ubaru, Chen, Saad 2017): (1/n) Σ f(λ_i) ≈ Σ w_j f(θ_j).
///
/// For each random vector v the Gauss quadrature of f ↦ vᵀf(A)v/vᵀv, whose nodes are the Ritz values of m Lanczos
/// steps, exact for polynomials of degree 2m − 1; the mean over vectors has the trace as its expectation, with a
/// standard deviation of order 1/√(n · vectors).
public struct SpectralMeasure: Sendable {
  /// The nodes θ, ascending.
  public let nodes: [Double]
  /// Their weights, positive; the sum is 1.
  public let weights: [Double]
  /// Whether all steps were taken that were asked for.
  public let isWhole: Bool

  /// The measure of one map.
  ///
  /// Cost: `steps` applications to `vectors` vectors. Orthogonality is not kept: what that repeats of a Ritz value
  /// shares its weight.
  /// - Parameters:
  ///   - a: symmetric, (n, n), of one system or, with `system`, of several.
  ///   - halt: asked before each step; fewer steps are taken then.
  public init(
    of a: some LinearOperator, system: Int? = nil, vectors: Int = 10, steps: Int = 60,
    halt: Halt = .never, using generator: inout RandomGenerator
  ) {
    precondition(a.traits.contains(.symmetric) && vectors > 0 && steps > 0)
    let a = system.map { a.systems([Int](repeating: $0, count: vectors)) } ?? a
    let n = a.rows
    var v = generator.normalMatrix(rows: n, columns: vectors)
    var (previous, w) = (v, Matrix(rows: n, columns: vectors))
    var norms = v.columnNorms
    v.scaleColumns(by: norms.map { 1 / $0 })
    var diagonals = [[Double]](repeating: [], count: vectors)
    var besides = diagonals
    for k in 0..<min(steps, n) where halt.reason == nil {
      a.apply(v, into: &w)
      var alpha = [Double](repeating: 0, count: vectors)
      v.addColumnDots(w, into: &alpha)
      w.addScaledColumns(v, by: alpha, scale: -1)
      if k > 0 { w.addScaledColumns(previous, by: norms, scale: -1) }
      for j in 0..<vectors {
        // A Krylov space that is exhausted gains nothing more.
        if k > 0 && besides[j].count < k { continue }
        diagonals[j].append(alpha[j])
      }
      norms = w.columnNorms
      for j in 0..<vectors where diagonals[j].count == k + 1 {
        let scale = diagonals[j].maximumMagnitude
        if norms[j] > 1e-13 * scale && k + 1 < min(steps, n) { besides[j].append(norms[j]) }
      }
      w.scaleColumns(by: norms.map { $0 > 1e-300 ? 1 / $0 : 0 })
      swap(&previous, &v)
      swap(&v, &w)
    }
    var points: [(Double, Double)] = []
    for j in 0..<vectors where !diagonals[j].isEmpty {
      let beside = Array(besides[j].prefix(diagonals[j].count - 1))
      guard let ritz = try? TridiagonalEigendecomposition(diagonal: diagonals[j], beside: beside)
      else { continue }
      for (k, theta) in ritz.values.enumerated() {
        points.append((theta, ritz.vectors[0, k] * ritz.vectors[0, k] / Double(vectors)))
      }
    }
    points.sort { $0.0 < $1.0 }
    nodes = points.map(\.0)
    isWhole = halt.reason == nil
    let total = points.reduce(0) { $0 + $1.1 }
    weights = points.map { $0.1 / total }
  }

  /// Σ w_j f(θ_j), an estimate of (1/n) tr f(A).
  public func mean(_ f: (Double) -> Double) -> Double {
    zip(nodes, weights).reduce(0) { $0 + $1.1 * f($1.0) }
  }

  /// The share of the eigenvalues that each cell between ascending edges holds.
  public func shares(between edges: [Double]) -> [Double] {
    var shares = [Double](repeating: 0, count: max(edges.count - 1, 0))
    for (theta, weight) in zip(nodes, weights) {
      guard let k = edges.lastIndex(where: { $0 <= theta }), k < shares.count else { continue }
      shares[k] += weight
    }
    return shares
  }
}
