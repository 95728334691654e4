import CellComplexes
import CellularSheaves
import Foundation
import LinearAlgebra

/// The helix with one map for all months: stalks ℝ² and the map r R(θ), a rotation that shrinks, so that anomalies swing with the
/// period 2π/θ; for θ = 0 one number r.
///
///     (δx)_t = x_t − r R(θ) x_{t−1} with weight 1/(q (1 − r²)),   (δx)_root = x_0 with weight 1/q
///
/// A month's reading sees the first coordinate, with the variance 10⁻⁴ q: it is a vertex of its own, joined to the stalk by an edge
/// with the map (1 0) and the weight 10⁴/q. The covariance of the first coordinates is q r^k cos kθ at a distance of k months.
struct RotationHelix: Sendable {
  /// r.
  let factor: Double
  /// θ in radians.
  let angle: Double
  /// q in °C².
  let variance: Double

  /// Variances of readings over q.
  static let noise = 1e-4

  /// 2π/θ in months.
  var period: Double { 2 * Double.pi / angle }

  /// r R(θ).
  private var map: Matrix {
    let (c, s) = (factor * cos(angle), factor * sin(angle))
    return Matrix([[c, -s], [s, c]])
  }

  /// The sheaf of so many months: vertex t is the stalk of month t, vertex `count` + t its reading.
  func sheaf(_ count: Int) throws -> CellularSheaf {
    let complex = try CellComplex.graph(
      vertices: 2 * count,
      edges: [(0, nil)] + (1..<count).map { ($0 - 1, $0) } + (0..<count).map { ($0, count + $0) })
    let (step, sight) = (RestrictionMap.matrix(map), RestrictionMap.matrix(Matrix([[1, 0]])))
    let maps: [RestrictionMap] =
      [.identity] + (1..<count).flatMap { _ in [step, .identity] }
      + (0..<count).flatMap { _ in [sight, .identity] }
    let one = [Int](repeating: 1, count: count)
    let two = [Int](repeating: 2, count: count)
    let weights: [InnerProduct] =
      [InnerProduct](repeating: .standard, count: 2 * count) + [.scalar(1 / variance)]
      + [InnerProduct](repeating: .scalar(1 / (variance * (1 - factor * factor))), count: count - 1)
      + [InnerProduct](repeating: .scalar(1 / (variance * Self.noise)), count: count)
    return try CellularSheaf(complex, stalks: two + one + two + one, weights: weights) { maps[$0] }
  }

  /// The map of the largest marginal likelihood, by a compass search over log r/(1 − r) and log θ (Kolda, Lewis, Torczon 2003).
  ///
  /// - Parameter isRotating: whether θ is free, or 0.
  init(fittedTo series: MonthlySeries, isRotating: Bool) {
    var best = [2.0, log(2 * Double.pi / 48)]
    func helix(_ p: [Double]) -> (factor: Double, angle: Double) {
      (1 / (1 + exp(-p[0])), isRotating ? exp(p[1]) : 0)
    }
    func cost(_ p: [Double]) -> Double {
      let (r, angle) = helix(p)
      return Self.likelihood(series, r, angle).cost
    }
    var (least, step) = (cost(best), 0.25)
    while step > 1e-5 {
      var hasMoved = false
      for axis in 0..<(isRotating ? 2 : 1) {
        for sign in [1.0, -1] {
          var p = best
          p[axis] += sign * step
          let found = cost(p)
          if found < least { (best, least, hasMoved) = (p, found, true) }
        }
      }
      if !hasMoved { step /= 2 }
    }
    (factor, angle) = helix(best)
    variance = Self.likelihood(series, factor, angle).variance
  }

  /// −log of the marginal likelihood of the readings, for the best q.
  static func negativeLogLikelihood(_ series: MonthlySeries, _ helix: RotationHelix) -> Double {
    likelihood(series, helix.factor, helix.angle).cost
  }

  /// n/2 log q + ½ log det S + n/2 (1 + log 2π) with S the covariance of the readings over q, and q = aᵀS⁻¹a/n, the best.
  ///
  /// One elimination of the stalks along the helix, month by month: the Kalman filter.
  private static func likelihood(
    _ series: MonthlySeries, _ r: Double, _ angle: Double
  ) -> (cost: Double, variance: Double) {
    let (c, s) = (r * cos(angle), r * sin(angle))
    let added = 1 - r * r
    // Mean and covariance of the stalk given the readings so far.
    var (m0, m1, p00, p01, p11) = (0.0, 0.0, 1.0, 0.0, 1.0)
    var (n, logarithm, squares) = (0.0, 0.0, 0.0)
    for t in 0..<series.count {
      if t > 0 {
        (m0, m1) = (c * m0 - s * m1, s * m0 + c * m1)
        (p00, p01, p11) = (
          c * c * p00 - 2 * c * s * p01 + s * s * p11 + added,
          c * s * (p00 - p11) + (c * c - s * s) * p01,
          s * s * p00 + 2 * c * s * p01 + c * c * p11 + added
        )
      }
      guard series.isObserved[t] else { continue }
      let variance = p00 + noise
      let e = series.anomalies[t] - m0
      (n, logarithm, squares) = (n + 1, logarithm + log(variance), squares + e * e / variance)
      let (g0, g1) = (p00 / variance, p01 / variance)
      (m0, m1) = (m0 + g0 * e, m1 + g1 * e)
      (p00, p01, p11) = (p00 - g0 * p00, p01 - g0 * p01, p11 - g1 * p01)
    }
    let q = squares / n
    return ((n * log(q) + logarithm + n * (1 + log(2 * Double.pi))) / 2, q)
  }
}
