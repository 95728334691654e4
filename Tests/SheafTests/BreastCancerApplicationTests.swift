import CellComplexes
import CellularSheaves
import Datasets
import Foundation
import LinearAlgebra
import SheafInference
import Testing

@testable import SheafApplications

/// Breast cancer as three sensors. The numbers of splits were computed by numpy 2.4.6 and scikit-learn 1.9.1.
@Suite struct BreastCancerApplicationTests {
  @Test func theDataAreTheTable() throws {
    let path = Reference.folder.appendingPathComponent("inference/breast_cancer.csv")
    let rows = try String(contentsOf: path, encoding: .utf8).split(whereSeparator: \.isNewline)
      .dropFirst().map { $0.split(separator: ",").map { Double($0)! } }
    let data = BreastCancer.load()
    #expect(data.features == Matrix(rows.map { Array($0.prefix(30)) }))
    #expect(data.isMalignant == rows.map { $0[30] == 0 })
    #expect(data.features.rows == 569 && data.isMalignant.count { $0 } == 212)
  }

  /// A step in the order of two rows changes an area by 3.3·10⁻⁵.
  @Test func scoresOfSplitsAreThoseOfNumPy() throws {
    let scores = try BreastCancerApplication.scores(seeds: 2).scores
    let expected: [(String, Double, Double)] = [
      ("raw AUROC: squared norm of \"worst\"", 0.98331, 1e-4),
      ("raw AUROC: one edge, error–worst", 0.98120, 1e-4),
      ("raw AUROC: one edge, mean–worst", 0.98021, 1e-4),
      ("raw AUROC: one edge, mean–error", 0.92591, 1e-4),
      ("raw AUROC: sheaf, canonical", 0.97767, 1e-4),
      ("raw AUROC: sheaf, ridge", 0.97622, 1e-4),
      ("raw AUROC: sheaf, diagonal", 0.97526, 1e-4),
      ("raw AUROC: sheaf, Procrustes", 0.96998, 1e-4),
      ("raw AUROC: sheaf, identity", 0.96814, 1e-4),
      ("raw AUROC: sheaf, canonical, and stalk terms", 0.97592, 1e-4),
      ("raw AUROC: Mahalanobis", 0.97579, 1e-4),
      ("raw AUROC: Mahalanobis of \"worst\"", 0.97691, 1e-4),
      ("raw AUROC: hub sheaf", 0.97358, 1e-4),
      ("raw AUROC: squared norm", 0.97269, 1e-4),
      ("raw AUROC: stalk terms only", 0.96160, 1e-4),
      ("raw AUROC: PCA reconstruction, 3", 0.93010, 1e-4),
      ("raw AUROC: PCA reconstruction, 5", 0.92232, 1e-4),
      ("raw AUROC: PCA reconstruction, 10", 0.94518, 1e-4),
      ("log AUROC: sheaf, canonical", 0.91707, 1e-4),
      ("log AUROC: squared norm of \"worst\"", 0.96652, 1e-4),
      ("log R², mean, benign: hub sheaf", 0.90628, 2e-5),
      ("log R², error, benign: hub sheaf", 0.80723, 2e-5),
      ("log R², worst, benign: hub sheaf", 0.89978, 2e-5),
      ("log R², error, malignant: hub sheaf", 0.76389, 2e-5),
      ("log R², mean, benign: ridge from the other 20", 0.90040, 2e-5),
      ("log R², error, benign: ridge from the other 20", 0.73946, 2e-5),
      ("log R², mean, benign: pair sheaf, identity", 0.81010, 2e-5),
      ("log R², mean, benign: pair sheaf, diagonal", 0.81531, 2e-5),
      ("log R², mean, benign: pair sheaf, Procrustes", 0.82579, 2e-5),
      ("log R², mean, benign: pair sheaf, ridge", 0.82508, 2e-5),
      ("log R², mean, benign: pair sheaf, canonical", 0.82665, 2e-5),
      ("raw R², error, benign: hub sheaf", 0.62470, 2e-5),
      ("log fusion: hub sheaf", 0.30100, 2e-5),
      ("log fusion: full covariance (Wiener)", 0.30093, 2e-5),
      ("log fusion: each sensor alone (Wiener)", 0.36051, 2e-5),
      ("log fusion: the reading", 0.49992, 2e-5),
      ("log: factors", 18, 0),
      ("top-1: hub sheaf, leave one out", 0.9790, 1e-4),
      ("top-1: pair sheaf, ridge, edges at the sensor", 0.9860, 1e-4),
      ("top-1: ridge from the other 20", 0.8392, 1e-4),
      ("top-1: the sensor's own Mahalanobis", 0.4056, 1e-4),
      ("fault AUROC: hub sheaf, leave one out", 0.9920, 2e-4),
      ("fault AUROC: pair sheaf, ridge, edges at the sensor", 0.9661, 2e-4),
      ("clean sensors with p < 0.01", 0.0746, 1e-4),
      ("faulty sensor, RMSE as read", 1.3553, 1e-4),
      ("faulty sensor, RMSE after extension", 0.3308, 1e-4),
    ]
    for (name, value, tolerance) in expected {
      let found = scores[name]?.first ?? .nan
      #expect(abs(found - value) <= tolerance, "\(name): \(found), expected \(value)")
    }
  }

  /// The marginal covariance of the sensors is C = W Wᵀ + ψ: extension and leave-one-out are its conditional mean and
  /// covariance.
  @Test func extensionIsTheConditionalMean() throws {
    for seed in UInt64(0)..<5 {
      var g = RandomGenerator(case: seed)
      let k = g.integer(1...6)
      let hub = try HubSheaf(Self.factors(k, &g))
      var x = Matrix(rows: 30, columns: 4)
      for j in 0..<4 { for i in 0..<30 { x[i, j] = g.normal() } }
      let w = hub.factors.loadings
      var c = Matrix.diagonal(hub.factors.variances)
      c.addGram(w)
      let found = try hub.discrepancies(x)
      for v in 0..<3 {
        let (own, others) = (Array(SensorSplit.range(v)), SensorSplit.others(v))
        let across = c[rows: own, columns: others]
        let inner = c[rows: others, columns: others]
        let mean = across * (try inner.solve(x.rows(others)))
        let residual = Matrix.difference(mean, try hub.recovered(v, from: x))
        #expect(residual.maximumMagnitude < 1e-9, "seed \(seed), sensor \(v)")
        let covariance = Matrix.difference(
          c[rows: own, columns: own], across * (try inner.solve(across.transposed)))
        let r = Matrix.difference(x.rows(own), mean)
        let d = try covariance.solve(r)
        for j in 0..<4 {
          let expected = zip(r.column(j), d.column(j)).reduce(0) { $0 + $1.0 * $1.1 }
          #expect(
            abs(found[v, j] - expected) < 1e-8 * expected, "seed \(seed), sensor \(v), row \(j)")
        }
      }
      // The energy with the best hub is that of the marginal density.
      let whole = try c.solve(x)
      for (j, e) in try hub.energies(x).enumerated() {
        let expected = zip(x.column(j), whole.column(j)).reduce(0) { $0 + $1.0 * $1.1 }
        #expect(abs(e - expected) < 1e-8 * expected, "seed \(seed), row \(j)")
      }
    }
  }

  private static func factors(_ k: Int, _ g: inout RandomGenerator) -> FactorAnalysis {
    var w = Matrix(rows: 30, columns: k)
    for j in 0..<k { for i in 0..<30 { w[i, j] = g.normal() } }
    return FactorAnalysis(loadings: w, variances: (0..<30).map { _ in g.uniform(0.1, 1) })
  }

  /// The discrepancies of all rows in closed form are what `Anomalies` says of one: in the section model the values of sensors
  /// are W_v h, and ψ are the errors of their readings.
  @Test func leaveOneOutIsAnomalies() throws {
    var g = RandomGenerator(case: 7)
    let hub = try HubSheaf(Self.factors(5, &g))
    let star = try CellComplex.graph(vertices: 4, edges: [(0, 1), (0, 2), (0, 3)])
    // The first six incidences, those of the edges between hub and sensors, are the same.
    let sheaf = try CellularSheaf(star, stalks: [5, 10, 10, 10, 10, 10, 10]) {
      hub.sheaf.map($0)
    }
    let x = Matrix(column: (0..<30).map { _ in g.normal() })
    var assignment = Assignment([0: .init([Double](repeating: 0, count: 5))])
    for v in 0..<3 {
      let range = Array(SensorSplit.range(v))
      assignment.readings[v + 1] = .init(
        x.rows(range).elements,
        covariance: .diagonal(range.map { hub.factors.variances[$0] }))
    }
    let anomalies = try Anomalies(Fusion(sheaf, assignment), cells: [1, 2, 3])
    let found = try hub.discrepancies(x)
    #expect(anomalies.entries.count == 3)
    for (v, entry) in anomalies.entries.enumerated() {
      #expect(entry.degreesOfFreedom == 10)
      #expect(abs(entry.statistic - found[v, 0]) < 1e-8 * entry.statistic, "sensor \(v)")
    }
  }

  /// What is extended from vertices of readings is what `Fusion` finds in the agreement model.
  @Test func extensionFromReadingsIsFusion() throws {
    var g = RandomGenerator(case: 8)
    let hub = try HubSheaf(Self.factors(4, &g))
    let y = Matrix(column: (0..<30).map { _ in g.normal() })
    var assignment = Assignment()
    for v in 0..<3 {
      assignment.readings[HubSheaf.vertex(v)] = .init(
        y.rows(SensorSplit.range(v)).elements, covariance: .scalar(0.25))
    }
    var settings = Fusion.Settings()
    settings.model = .agreement
    let fusion = try Fusion(hub.sheaf, assignment, settings: settings)
    let fused = try hub.fused(y, variance: 0.25)
    for v in 0..<3 {
      let expected = try #require(fusion.value(of: HubSheaf.vertex(v)))
      for (a, b) in zip(expected, fused.rows(SensorSplit.range(v)).elements) {
        #expect(abs(a - b) < 1e-8)
      }
    }
  }

  /// A round of expectation and maximisation never lowers the likelihood.
  @Test func factorAnalysisImproves() throws {
    var g = RandomGenerator(case: 9)
    var x = Matrix(rows: 30, columns: 80)
    for j in 0..<80 {
      let h = [g.normal(), g.normal()]
      for i in 0..<30 { x[i, j] = h[i % 2] + 0.5 * g.normal() }
    }
    let c = Moments.covariance(x)
    func likelihood(_ rounds: Int) throws -> Double {
      let f = try FactorAnalysis(x, factors: 3, rounds: rounds)
      var model = Matrix.diagonal(f.variances)
      model.addGram(f.loadings)
      let solved = try model.solve(c)
      let trace = (0..<30).reduce(0) { $0 + solved[$1, $1] }
      return -(try CholeskyFactorization(model).logDeterminant + trace) / 2
    }
    let values = try [0, 1, 2, 5, 20, 60].map(likelihood)
    for (a, b) in zip(values, values.dropFirst()) { #expect(b >= a - 1e-9, "\(values)") }
  }
}
