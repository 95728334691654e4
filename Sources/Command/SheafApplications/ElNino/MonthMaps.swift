import CellComplexes
import CellularSheaves
import Foundation

/// The twelve maps of the month ring: what is left of an anomaly one month later, and how much is added.
///
/// The base of the sheaf is a helix, the months t = 0, 1, 2, … one after the other, wound around the ring of the
/// twelve months of a year. Its stalks are ℝ. The edge from t − 1 to t carries the map ρ_m of the month m of t, the same in every
/// year, and a half-open edge at the beginning says how large anomalies are:
///
///     (δx)_t = x_t − ρ_m x_{t−1} with weight 1/v_m,   (δx)_root = x_0 with weight 1/s²
///
/// The energy ½‖δx‖² is, up to a constant, minus the logarithm of a Gaussian density: that of x_0 ~ N(0, s²), x_t ~ N(ρ_m x_{t−1}, v_m).
struct MonthMaps: Sendable {
  /// ρ_m, from the map of December to January on.
  let transport: [Double]
  /// v_m in °C².
  let variances: [Double]
  /// s² in °C².
  let rootVariance: Double

  /// Once round the ring: what of an anomaly is left a year later.
  var holonomy: Double { transport.reduce(1, *) }

  /// The variance of each month's anomaly, P_0 = s², P_t = ρ_m² P_{t−1} + v_m.
  func marginalVariances(_ count: Int) -> [Double] {
    var result = [rootVariance]
    for t in 1..<max(count, 1) {
      let rho = transport[t % 12]
      result.append(rho * rho * result[t - 1] + variances[t % 12])
    }
    return result
  }

  /// The sheaf on some consecutive months; vertex k is month `months.lowerBound` + k.
  ///
  /// A part of the helix has the density that the whole one has on it, if its half-open edge has the weight 1/P of its first month:
  /// what comes before tells of the others through that one only, and what comes after is not asked.
  ///
  /// - Parameter rootVariance: P; s² if nil.
  func sheaf(_ months: Range<Int>, rootVariance: Double? = nil) throws -> CellularSheaf {
    let n = months.count
    // The edges in order: the half-open one, then those to months 1, 2, ….
    let complex = try CellComplex.graph(
      vertices: n, edges: [(0, nil)] + (1..<n).map { ($0 - 1, $0) })
    let ring = { (edge: Int) in (months.lowerBound + edge) % 12 }
    let precisions = (0..<n).map { edge in
      edge == 0 ? 1 / (rootVariance ?? self.rootVariance) : 1 / variances[ring(edge)]
    }
    var map: [RestrictionMap] = []
    for edge in 0..<n {
      if edge > 0 { map.append(.scalar(transport[ring(edge)])) }
      map.append(.identity)
    }
    return try CellularSheaf(
      complex, stalks: [Int](repeating: 1, count: 2 * n),
      weights: [InnerProduct](repeating: .standard, count: n)
        + precisions.map { .scalar($0) }
    ) { map[$0] }
  }

  /// A series drawn from the sheaf's density.
  func sample(_ count: Int, _ generator: inout SplitMix64) -> [Double] {
    var x = [rootVariance.squareRoot() * generator.normal()]
    for t in 1..<count {
      x.append(transport[t % 12] * x[t - 1] + variances[t % 12].squareRoot() * generator.normal())
    }
    return x
  }

  /// −log of the density of anomalies that are all known.
  func negativeLogLikelihood(_ x: [Double]) -> Double {
    func term(_ r: Double, _ v: Double) -> Double { (log(2 * Double.pi * v) + r * r / v) / 2 }
    return (1..<x.count).reduce(term(x[0], rootVariance)) { sum, t in
      sum + term(x[t] - transport[t % 12] * x[t - 1], variances[t % 12])
    }
  }
}
