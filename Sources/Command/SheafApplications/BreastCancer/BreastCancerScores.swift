import CellularSheaves
import LinearAlgebra

/// The questions asked of the sheaves of the sensors, each beside simple answers, on one split.
struct BreastCancerScores {
  let split: SensorSplit
  let hub: HubSheaf
  let pairs: [PairSheaf.Kind: PairSheaf]

  /// Numbers of factors that are tried.
  static let factorCounts = Array(stride(from: 6, through: 18, by: 2))

  /// Learns all sheaves from the benign training rows.
  ///
  /// - Parameter factors: of the hub; found by cross-validation if nil.
  init(_ split: SensorSplit, factors: Int? = nil) throws {
    self.split = split
    let training = split.training
    hub = try HubSheaf(
      training,
      factors: try factors ?? HubSheaf.factorCount(training, among: Self.factorCounts))
    let parts = Self.parts(training)
    pairs = try Dictionary(
      uniqueKeysWithValues: PairSheaf.Kind.allCases.map {
        ($0, try PairSheaf($0, parts, names: SensorSplit.sensors))
      })
  }

  /// The readings of each sensor.
  static func parts(_ x: Matrix) -> [Matrix] { x.split([10, 10, 10]) }

  /// How well statistics that were learnt from benign patients tell malignant ones: the area under the ROC curve.
  func malignancy(into sheet: inout ScoreSheet, prefix: String) throws {
    let training = split.training
    func add(_ name: String, _ score: (Matrix) throws -> [Double]) rethrows {
      sheet.add(
        "\(prefix): \(name)",
        Ranking.areaUnderROC(try score(split.benign), try score(split.malignant)))
    }
    for (kind, pair) in pairs {
      add("sheaf, \(kind.rawValue)") { sums(pair.sheaf.edgeEnergies($0)) }
    }
    let canonical = pairs[.canonical]!.sheaf
    for (e, name) in ["mean–error", "mean–worst", "error–worst"].enumerated() {
      add("one edge, \(name)") { x in
        let energies = canonical.edgeEnergies(x)
        return (0..<x.columns).map { energies[e, $0] }
      }
    }
    let own = try Self.parts(training).map { try Moments.precision($0) }
    let stalkTerms = { (x: Matrix) in
      zip(Self.parts(x), own).map { Moments.energies($0, $1) }.reduce(
        [Double](repeating: 0, count: x.columns)
      ) { zip($0, $1).map { $0 + $1 } }
    }
    add("stalk terms only", stalkTerms)
    add("sheaf, canonical, and stalk terms") { x in
      zip(sums(canonical.edgeEnergies(x)), stalkTerms(x)).map { $0 + $1 }
    }
    try add("hub sheaf") { try hub.energies($0) }
    let precision = try Moments.inverse(Moments.covariance(training))
    add("Mahalanobis") { Moments.energies($0, precision) }
    add("Mahalanobis of \"worst\"") { Moments.energies(Self.parts($0)[2], own[2]) }
    add("squared norm", Moments.squaredNorms)
    add("squared norm of \"worst\"") { Moments.squaredNorms(Self.parts($0)[2]) }
    let axes = try SymmetricEigendecomposition(Moments.covariance(training)).vectors
    for k in [3, 5, 10] {
      let leading = axes.columns(30 - k..<30)
      add("PCA reconstruction, \(k)") { x in
        let kept = Moments.squaredNorms(Moments.product(leading, x, .left))
        return zip(Moments.squaredNorms(x), kept).map { $0 - $1 }
      }
    }
  }

  private func sums(_ energies: Matrix) -> [Double] {
    (0..<energies.columns).map { j in (0..<energies.rows).reduce(0) { $0 + energies[$1, j] } }
  }

  /// A missing sensor from the other two: R² against the training mean.
  func recovery(into sheet: inout ScoreSheet, prefix: String) throws {
    for (v, sensor) in SensorSplit.sensors.enumerated() {
      let others = SensorSplit.others(v)
      let towards = try PairSheaf.Kind.allCases.map {
        (
          $0,
          try PairSheaf(
            $0, Self.parts(split.training), names: SensorSplit.sensors,
            pairs: (0..<3).filter { $0 != v }.map { ($0, v) }
          ).sheaf
        )
      }
      let ridge = try Moments.ridge(
        from: split.training.rows(others), to: split.training.rows(SensorSplit.range(v)),
        PairSheaf.ridge)
      for (group, x) in [("benign", split.benign), ("malignant", split.malignant)] {
        let truth = x.rows(SensorSplit.range(v))
        func add(_ name: String, _ prediction: Matrix) {
          let rest = Matrix.difference(truth, prediction).sumOfSquares
          sheet.add("\(prefix), \(sensor), \(group): \(name)", 1 - rest / truth.sumOfSquares)
        }
        add("hub sheaf", try hub.recovered(v, from: x))
        add("ridge from the other 20", ridge * x.rows(others))
        let given = (0..<3).filter { $0 != v }
        func add(_ name: String, _ sheaf: CellularSheaf) throws {
          add(
            name, try sheaf.extended(x.rows(others), from: given).rows(SensorSplit.range(v)))
        }
        for (kind, sheaf) in towards { try add("pair sheaf, \(kind.rawValue)", sheaf) }
        try add("pair sheaf, canonical, all edges u < v", pairs[.canonical]!.sheaf)
      }
    }
  }

  /// Readings of the benign test rows with errors of standard deviation ½: the root mean square error of what is made of them.
  func fusion(into sheet: inout ScoreSheet, prefix: String, seed: Int) throws {
    let truth = split.benign
    var generator = SplitMix64(seed: UInt64(1000 + seed))
    var readings = truth
    for j in 0..<truth.columns {
      for i in 0..<truth.rows { readings[i, j] += 0.5 * generator.normal() }
    }
    func add(_ name: String, _ values: Matrix) {
      let rest = Matrix.difference(values, truth).sumOfSquares
      sheet.add("\(prefix): \(name)", (rest / Double(truth.count)).squareRoot())
    }
    add("the reading", readings)
    add("each value shrunk", readings.mapped { $0 / 1.25 })
    let c = Moments.covariance(split.training)
    add("full covariance (Wiener)", try Self.wiener(c, readings))
    let alone = try (0..<3).map { v -> Matrix in
      let range = Array(SensorSplit.range(v))
      return try Self.wiener(c[rows: range, columns: range], readings.rows(range))
    }
    add("each sensor alone (Wiener)", Matrix(stacking: alone, columns: truth.columns))
    add("hub sheaf", try hub.fused(readings, variance: 0.25))
  }

  /// C(C + ¼)⁻¹ y.
  private static func wiener(_ c: Matrix, _ y: Matrix) throws -> Matrix {
    var noisy = c
    for i in 0..<c.rows { noisy[i, i] += 0.25 }
    var x = y
    try CholeskyFactorization(noisy).solve(&x)
    return c * x
  }
}
