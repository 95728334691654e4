import CellComplexes
import CellularSheaves
import Foundation
import LinearAlgebra

/// A Gaussian density of images whose −log is the energy of a sheaf: pixels with the stalk ℝ, edges between neighbours with maps a
/// and b, and a half-open edge h at each pixel,
///
///     −log p(x) = ½ Σ_e (a_e x_u − b_e x_v)² + ½ Σ_v h_v² x_v² − ½ log det Q + const,
///
/// Q the Laplacian; x is the image minus a mean. The maps are those of maximum likelihood for a covariance S: they make
/// tr QS − log det Q least, with the gradient 2(S − Q⁻¹) contracted with ∂Q.
struct SheafField {
  /// The pairs of pixels with an edge.
  let edges: [(Int, Int)]
  /// a_e, b_e, h_v, one after the other.
  let maps: [Double]

  /// The pairs of pixels, of 8 × 8, that touch by a side or a corner.
  static let eightNeighbours: [(Int, Int)] = (0..<64).flatMap { p in
    [(0, 1), (1, 0), (1, 1), (1, -1)].compactMap { di, dj in
      let (i, j) = (p / 8 + di, p % 8 + dj)
      return i < 8 && j >= 0 && j < 8 ? (p, 8 * i + j) : nil
    }
  }

  /// - Parameters:
  ///   - covariance: S, positive definite.
  ///   - steps: at most so many of L-BFGS.
  init(learntFrom covariance: Matrix, edges: [(Int, Int)] = eightNeighbours, steps: Int = 400) {
    let d = (0..<covariance.rows).map { 1 / covariance[$0, $0].squareRoot() }
    let start = edges.map { 0.5 * d[$0.0] } + edges.map { 0.5 * d[$0.1] } + d
    self.edges = edges
    maps = LimitedMemoryDescent.least(from: start, steps: steps) { maps in
      let field = SheafField(edges: edges, maps: maps)
      let q = field.precision
      guard let factors = try? CholeskyFactorization(q) else { return nil }
      var inverse = Matrix.identity(q.rows)
      factors.solve(&inverse)
      let g = Matrix.difference(covariance, inverse)
      let value = dot(q, covariance) - factors.logDeterminant
      return (value, field.contracted(g))
    }
  }

  private init(edges: [(Int, Int)], maps: [Double]) { (self.edges, self.maps) = (edges, maps) }

  /// Q, with 10⁻⁶ on the diagonal.
  var precision: Matrix {
    let (m, n) = (edges.count, maps.count - 2 * edges.count)
    var q = Matrix(rows: n, columns: n)
    for (e, (u, v)) in edges.enumerated() {
      let (a, b) = (maps[e], maps[m + e])
      q[u, u] += a * a
      q[v, v] += b * b
      q[u, v] -= a * b
      q[v, u] -= a * b
    }
    for v in 0..<n { q[v, v] += maps[2 * m + v] * maps[2 * m + v] + 1e-6 }
    return q
  }

  /// Σ G ∂Q/∂map of each map.
  private func contracted(_ g: Matrix) -> [Double] {
    let m = edges.count
    var result = maps
    for (e, (u, v)) in edges.enumerated() {
      let (a, b) = (maps[e], maps[m + e])
      result[e] = 2 * (g[u, u] * a - g[u, v] * b)
      result[m + e] = 2 * (g[v, v] * b - g[u, v] * a)
    }
    for v in 0..<g.rows { result[2 * m + v] = 2 * g[v, v] * maps[2 * m + v] }
    return result
  }

  /// The sheaf itself.
  func sheaf() throws -> CellularSheaf {
    let (m, n) = (edges.count, maps.count - 2 * edges.count)
    let complex = try CellComplex.graph(
      vertices: n, edges: edges.map { ($0.0, Optional($0.1)) } + (0..<n).map { ($0, nil) })
    let ordered =
      (0..<m).flatMap { [maps[$0], maps[m + $0]] } + (0..<n).map { maps[2 * m + $0] }
    return try CellularSheaf(complex, stalks: [Int](repeating: 1, count: complex.count)) {
      .scalar(ordered[$0])
    }
  }

  /// The mean of images given noisy ones: μ + (1 + σ²Q)⁻¹(y − μ).
  func denoiser(mean: [Double], noise: Double) throws -> AffineDenoiser {
    var a = precision
    a.scale(by: noise * noise)
    for i in 0..<a.rows { a[i, i] += 1 }
    return AffineDenoiser(mean: mean, gain: try Moments.inverse(a))
  }
}
