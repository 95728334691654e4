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

  /// Σ‖b − Q a‖² is least for the orthogonal factor of Σ b aᵀ: no rotation of it does better.
  @Test func orthogonalPartIsOrthogonalAndBest() throws {
    for seed in UInt64(0)..<10 {
      var g = RandomGenerator(case: seed)
      let n = g.integer(1...10)
      var m = Matrix(rows: n, columns: n)
      for j in 0..<n { for i in 0..<n { m[i, j] = g.normal() } }
      let q = try PairSheaf.orthogonalPart(of: m)
      let unit = Matrix.difference(Moments.product(q, q, .left), .identity(n))
      #expect(unit.maximumMagnitude < 1e-12, "seed \(seed)")
      // m = Q S with S symmetric and positive semidefinite: tr(QᵀM) is the largest.
      let s = Moments.product(q, m, .left)
      let scale = m.maximumMagnitude
      #expect(
        Matrix.difference(s, s.transposed).maximumMagnitude < 1e-10 * scale, "seed \(seed)")
      #expect(try SymmetricEigendecomposition(s).values[0] > -1e-10 * scale, "seed \(seed)")
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

/// Five views of digits. The numbers of splits were computed by numpy 2.4.6 and scikit-learn 1.9.1 (lbfgs, tolerance 10⁻⁷).
@Suite struct DigitViewsApplicationTests {
  @Test func rowsAreTheSplit() throws {
    let path = Reference.folder.appendingPathComponent("digits/digits-split.csv")
    let rows = try String(contentsOf: path, encoding: .utf8).split(whereSeparator: \.isNewline)
      .map { Int($0)! }
    #expect(Digits.rows == rows)
  }

  /// The split of a seed has the rows of the table that SplitMix64 shuffles there.
  @Test func splitsAreRowsOfTheTable() throws {
    let table = try String(
      contentsOf: Reference.folder.appendingPathComponent("digits/digits.csv"), encoding: .utf8
    ).split(whereSeparator: \.isNewline).map { $0.split(separator: ",").map { Double($0)! } }
    var generator = SplitMix64(seed: 1)
    let order = generator.shuffled(1797)
    let split = DigitSplit(seed: 1)
    var wrong = 0
    for j in 0..<1797 {
      let row = table[order[j]]
      let (images, classes, k) =
        j < 1297
        ? (split.training, split.trainingClasses, j) : (split.test, split.testClasses, j - 1297)
      if classes[k] != Int(row[64]) || images.column(k) != row[..<64].map({ $0 / 16 }) {
        wrong += 1
      }
    }
    #expect(wrong == 0)
  }

  @Test func shufflesAreThoseOfTheReference() {
    var g = SplitMix64(seed: 0)
    #expect(
      [g.next(), g.next(), g.next()] == [
        0xe220_a839_7b1d_cdaf, 0x6e78_9e6a_a1b9_65f4, 0x06c4_5d18_8009_454f,
      ])
    g = SplitMix64(seed: 0)
    #expect(g.shuffled(10) == [6, 3, 2, 9, 8, 1, 4, 7, 0, 5])
  }

  /// One sample of 500 may change: 0.002.
  @Test func scoresOfSplitsAreThoseOfScikitLearn() throws {
    let scores = try DigitViewsApplication.scores(seeds: 2).scores
    let expected: [(String, [Double])] = [
      ("C of the stacking", [0.03, 0.03]),
      ("clean: majority vote", [0.9460]), ("swap: majority vote", [0.9320]),
      ("noise: majority vote", [0.9440]),
      ("clean: mean log-probability", [0.9580, 0.9360]),
      ("swap: mean log-probability", [0.9220, 0.9000]),
      ("noise: mean log-probability", [0.9340, 0.9180]),
      ("clean: median of logits", [0.9480]), ("swap: median of logits", [0.9400]),
      ("clean: least squares to a class vertex", [0.9440]),
      ("swap: least squares to a class vertex", [0.8820]),
      ("clean: class section of least energy", [0.9540]),
      ("clean: class section of least energy, joint covariance", [0.9640, 0.9540]),
      ("swap: class section of least energy, joint covariance", [0.7420, 0.7480]),
      ("clean: stacking", [0.9840, 0.9680]), ("swap: stacking", [0.8480, 0.8560]),
      ("noise: stacking", [0.8920, 0.9280]),
      ("clean: stacking trained with swapped views", [0.9840, 0.9640]),
      ("swap: stacking trained with swapped views", [0.9060, 0.8980]),
      ("swap: drop by edge sum, mean log-probability", [0.9580, 0.9240]),
      ("clean: repair by edge sum, stacking", [0.9840, 0.9680]),
      ("swap: repair by edge sum, stacking", [0.9820, 0.9640]),
      ("noise: repair by edge sum, stacking", [0.9800, 0.9620]),
      ("swap: repair by harmonic, stacking", [0.9820, 0.9620]),
      ("swap: repair by joint, stacking", [0.9800, 0.9600]),
      ("swap: repair by KL from the mean of the others, stacking", [0.9740, 0.9580]),
      ("swap: repair by distance to the mean of the others, stacking", [0.9740, 0.9600]),
      ("swap: repair of the corrupted view, stacking", [0.9820, 0.9640]),
      ("clean: one regression on all pixels", [0.9780]),
      ("clean: view 0 alone", [0.8180]), ("clean: view 4 alone", [0.9140]),
      ("swap, top-1: edge sum", [1.0]), ("noise, top-1: edge sum", [0.9960]),
      ("swap, top-1: harmonic", [0.9980]), ("noise, top-1: joint", [1.0]),
      ("swap, top-1: KL from the mean of the others", [0.9780]),
      ("swap, top-1: distance to the mean of the others", [0.9520]),
      ("clean, flagged: edge sum", [0.0160, 0.0200]),
      ("clean views with p < 0.01: harmonic", [0.0216]),
      ("disjoint, swap, top-1: edge sum", [0.5540]),
      ("disjoint, noise, top-1: joint", [0.9140]),
      ("disjoint, swap: repair by edge sum, stacking", [0.7960]),
      ("disjoint, swap: stacking", [0.7500]),
    ]
    for (name, values) in expected {
      let found = scores[name] ?? [.nan, .nan]
      for (a, b) in zip(found, values) {
        #expect(abs(a - b) < 0.00201, "\(name): \(a), expected \(b)")
      }
    }
    let areas: [(String, [Double])] = [
      ("swap, AUROC of samples: edge sum", [0.9989, 0.99969]),
      ("swap, AUROC of views: edge sum", [0.9035, 0.90380]),
      ("noise, AUROC of views: joint", [0.9718, 0.97128]),
      ("swap, AUROC of views: KL from the mean of the others", [0.9834]),
      ("disjoint, noise, AUROC of views: joint", [0.9371]),
    ]
    for (name, values) in areas {
      for (a, b) in zip(scores[name] ?? [.nan, .nan], values) {
        #expect(abs(a - b) < 2e-4, "\(name): \(a), expected \(b)")
      }
    }
  }

  /// The loss, written out anew, is stationary where the trainer ends, and larger around.
  @Test func softmaxRegressionIsTheMinimum() throws {
    for seed in UInt64(0)..<5 {
      var g = RandomGenerator(case: seed)
      let (inputs, classes, samples) = (g.integer(1...4), g.integer(2...4), g.integer(10...40))
      let c = g.uniform(0.1, 3)
      var x = Matrix(rows: inputs, columns: samples)
      for j in 0..<samples { for i in 0..<inputs { x[i, j] = g.normal() } }
      let labels = (0..<samples).map { _ in g.integer(0...classes - 1) }
      let model = try SoftmaxRegression(x, classes: labels, of: classes, c: c)
      #expect(model.gradient <= 1e-8, "seed \(seed)")
      func loss(_ w: Matrix) -> Double {
        var sum = 0.0
        for j in 0..<samples {
          let scores = (0..<classes).map { k in
            (0..<inputs).reduce(w[k, inputs]) { $0 + w[k, $1] * x[$1, j] }
          }
          sum -=
            c
            * Foundation.log(
              exp(scores[labels[j]]) / scores.reduce(0) { $0 + exp($1) })
        }
        for i in 0..<inputs { for k in 0..<classes { sum += w[k, i] * w[k, i] / 2 } }
        return sum
      }
      let w = model.parameters
      let least = loss(w)
      for i in 0..<w.rows {
        for j in 0..<w.columns {
          var (above, below) = (w, w)
          above[i, j] += 1e-4
          below[i, j] -= 1e-4
          let slope = (loss(above) - loss(below)) / 2e-4
          #expect(abs(slope) < 1e-5, "seed \(seed), parameter (\(i), \(j))")
          #expect(loss(above) >= least - 1e-10, "seed \(seed), parameter (\(i), \(j))")
        }
      }
    }
  }

  /// ẑ_v minimises Σ δᵀWδ over its edges: (Σ FᵀWF)⁻¹ Σ FᵀW(what the other end says), written out from the maps.
  @Test func repairIsTheMinimumOfTheEdgesAtTheView() throws {
    var g = RandomGenerator(case: 11)
    let n = 60
    let logits = (0..<5).map { _ -> Matrix in
      var l = Matrix(rows: 10, columns: n)
      for j in 0..<n { for i in 0..<10 { l[i, j] = g.normal() } }
      return Logits.centred(l)
    }
    let windows = DigitWindows.overlapping
    #expect(windows.pairs.count == 10)
    let views = try ViewSheaf(logits, pairs: windows.pairs)
    let sheaf = views.sheaf
    let z = views.coordinates(logits)
    let view = 2
    var (left, right) = (Matrix(rows: 9, columns: 9), Matrix(rows: 9, columns: n))
    for edge in sheaf.complex.cells(ofDimension: 1) {
      let ends = sheaf.complex.incidences(of: edge)
      guard let own = ends.first(where: { sheaf.complex.face($0) == view }) else { continue }
      let other = ends.first { sheaf.complex.face($0) != view }!
      let weight = sheaf.innerProduct(of: edge).dense(9)
      let f = sheaf.map(own).dense(9)
      left.add(f.transposed * weight * f)
      right.add(
        f.transposed * weight * sheaf.map(other).dense(9)
          * z.rows(sheaf.range(of: sheaf.complex.face(other))))
    }
    let expected = try left.solve(right)
    let repaired = try views.repaired(logits, [Int?](repeating: view, count: n))
    let found = views.coordinates(repaired).rows(sheaf.range(of: view))
    #expect(Matrix.difference(found, expected).maximumMagnitude < 1e-9)
    for v in 0..<5 where v != view { #expect(repaired[v] == logits[v]) }
    // Repaired logits are centred.
    for j in 0..<n { #expect(abs(repaired[view].column(j).reduce(0, +)) < 1e-10) }
  }

  /// Against the definitions, by counting pairs and by hand.
  @Test func rankingsAreCounts() {
    for seed in UInt64(0)..<10 {
      var g = RandomGenerator(case: seed)
      let a = (0..<g.integer(1...20)).map { _ in Double(g.integer(0...5)) }
      let b = (0..<g.integer(1...20)).map { _ in Double(g.integer(1...6)) }
      var pairs = 0.0
      for x in a { for y in b { pairs += y > x ? 1 : y == x ? 0.5 : 0 } }
      let expected = pairs / Double(a.count * b.count)
      #expect(abs(Ranking.areaUnderROC(a, b) - expected) < 1e-12, "seed \(seed)")
    }
    #expect(Ranking.quantile([4, 1, 3, 2], 0.5) == 2.5)
    #expect(Ranking.quantile([4, 1, 3, 2], 1) == 4)
  }
}
