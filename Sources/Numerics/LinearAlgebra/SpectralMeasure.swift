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
    var lanczos = TridiagonalLanczos(
      from: generator.normalMatrix(rows: a.rows, columns: vectors))
    var taken = 0
    let wanted = min(steps, a.rows)
    while taken < wanted && halt.reason == nil {
      lanczos.step(a)
      taken += 1
    }
    var points: [(Double, Double)] = []
    for j in 0..<(taken == 0 ? 0 : vectors) {
      guard let ritz = lanczos.ritz(j) else { continue }
      for (k, theta) in ritz.values.enumerated() {
        points.append((theta, ritz.vectors[0, k] * ritz.vectors[0, k] / Double(vectors)))
      }
    }
    points.sort { $0.0 < $1.0 }
    nodes = points.map(\.0)
    isWhole = taken == wanted
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
