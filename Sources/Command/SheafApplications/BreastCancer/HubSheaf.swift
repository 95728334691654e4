import CellComplexes
import CellularSheaves
import LinearAlgebra

/// A sheaf on a star: a hub with the stalk ℝᵏ, what a patient is, and the sensors around it, what is read of it.
///
/// The edge hub–v holds δ = x_v − W_v h with the weight 1/ψ_v, and a half-open edge at the hub holds h itself with weight 1, so
/// that the energy is −log of a Gaussian density: ½‖δ‖² = ½(Σ_v (x_v − W_v h)ᵀψ_v⁻¹(x_v − W_v h) + ‖h‖²). W and ψ are those of
/// factor analysis.
struct HubSheaf {
  static let hub = 0

  /// The vertex of a sensor.
  static func vertex(_ sensor: Int) -> Int { sensor + 1 }

  let factors: FactorAnalysis
  let sheaf: CellularSheaf

  /// Learns the sheaf from samples of three sensors of ten coordinates, (30, samples).
  init(_ training: Matrix, factors k: Int) throws {
    try self.init(FactorAnalysis(training, factors: k))
  }

  /// The sheaf of factors.
  init(_ factors: FactorAnalysis) throws {
    self.factors = factors
    let names = SensorSplit.sensors
    let graph = try CellComplex.graph(
      vertices: 4, edges: [(0, 1), (0, 2), (0, 3), (0, nil)],
      names: ["hub"] + names + names.map { "hub–\($0)" } + ["prior"])
    let k = factors.loadings.columns
    var maps: [RestrictionMap] = []
    var weights = [InnerProduct](repeating: .standard, count: 4)
    for v in 0..<3 {
      let range = SensorSplit.range(v)
      maps += [.matrix(factors.loadings.rows(range)), .identity]
      weights.append(.diagonal(range.map { 1 / factors.variances[$0] }))
    }
    maps.append(.identity)
    weights.append(.standard)
    sheaf = try CellularSheaf(
      graph, stalks: [k, 10, 10, 10, 10, 10, 10, k], weights: weights
    ) { maps[$0] }
  }

  /// The reading of a sensor as the other two tell it, by harmonic extension.
  ///
  /// - Parameter x: (30, samples).
  func recovered(_ sensor: Int, from x: Matrix) throws -> Matrix {
    let extended = try sheaf.extended(x.rows(SensorSplit.others(sensor)), from: given(sensor))
    return extended.rows(sheaf.range(of: Self.vertex(sensor)))
  }

  /// The vertices of the sensors but one.
  private func given(_ missing: Int) -> [Int] {
    (0..<3).filter { $0 != missing }.map { Self.vertex($0) }
  }

  /// ‖δ‖² of readings of all sensors, with the hub where it is least.
  func energies(_ x: Matrix) throws -> [Double] {
    let extended = try sheaf.extended(x, from: [1, 2, 3])
    let edges = sheaf.edgeEnergies(extended)
    return (0..<x.columns).map { j in (0..<edges.rows).reduce(0) { $0 + edges[$1, j] } }
  }

  /// D_v = r_vᵀ(W_v G W_vᵀ + ψ_v)⁻¹r_v for each sensor, r_v what is read minus what the others tell: χ²₁₀ if all is
  /// right. `Anomalies` finds the same for one sample; here it is one extension for all of them. (3, samples).
  func discrepancies(_ x: Matrix) throws -> Matrix {
    var result = Matrix(rows: 3, columns: x.columns)
    for v in 0..<3 {
      let residual = Matrix.difference(
        x.rows(SensorSplit.range(v)), try recovered(v, from: x))
      let covariance = try sheaf.extensionCovariance(of: Self.vertex(v), from: given(v))
      for (j, d) in Moments.energies(residual, try Moments.inverse(covariance)).enumerated() {
        result[v, j] = d
      }
    }
    return result
  }

  /// The values behind readings with errors of a variance: each reading is a vertex of its own, tied to its sensor by an
  /// edge of weight 1/variance, and what is read is extended to the sensors. `Fusion` in the agreement model finds the
  /// same for one sample.
  func fused(_ readings: Matrix, variance: Double) throws -> Matrix {
    let k = sheaf.stalk(of: Self.hub)
    let names = SensorSplit.sensors
    let graph = try CellComplex.graph(
      vertices: 7, edges: [(0, 1), (0, 2), (0, 3), (0, nil), (1, 4), (2, 5), (3, 6)],
      names: ["hub"] + names + names.map { "reading of \($0)" } + names.map { "hub–\($0)" }
        + ["prior"] + names.map { "error of \($0)" })
    let own = sheaf.complex.cells(ofDimension: 1)
    let count = sheaf.complex.incidenceCount
    let larger = try CellularSheaf(
      graph, stalks: [k] + [Int](repeating: 10, count: 9) + [k, 10, 10, 10],
      weights: [InnerProduct](repeating: .standard, count: 7)
        + own.map { sheaf.innerProduct(of: $0) }
        + [InnerProduct](repeating: .scalar(1 / variance), count: 3)
    ) { $0 < count ? sheaf.map($0) : .identity }
    return try larger.extended(readings, from: [4, 5, 6]).rows(larger.coordinates([1, 2, 3]))
  }

  /// The number of factors, of those offered, with which readings of held-out samples are recovered best: 4 folds, by place
  /// modulo 4; the first of several.
  static func factorCount(_ training: Matrix, among offered: [Int]) throws -> Int {
    let places = Array(0..<training.columns)
    var best = (count: offered[0], error: Double.infinity)
    for k in offered {
      var error = 0.0
      for fold in 0..<4 {
        let hub = try HubSheaf(training.columns(places.filter { $0 % 4 != fold }), factors: k)
        let held = training.columns(places.filter { $0 % 4 == fold })
        for v in 0..<3 {
          let rest = Matrix.difference(
            held.rows(SensorSplit.range(v)), try hub.recovered(v, from: held))
          error += rest.sumOfSquares
        }
      }
      if error < best.error { best = (k, error) }
    }
    return best.count
  }
}
