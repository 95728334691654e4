import CellularSheaves
import LinearAlgebra
import SheafCohomology
import SheafInference

/// Values of the vertices of a sheaf that have none: the harmonic extension of the others, with its standard deviations.
///
/// For an energy that is minus the logarithm of a Gaussian density the harmonic extension is the conditional mean,
/// x_m = −Q_mm⁻¹ Q_mo x_o with Q = δᵀWδ, and the conditional covariance is Q_mm⁻¹.
struct Imputation: Sendable {
  /// All values, those given included.
  let values: [Double]
  /// By vertex, of those that were not given.
  let deviations: [Int: Double]

  /// The variance that a reading is given where covariances are asked for, in the square of the reading's unit: too little to be
  /// seen beside those of maps.
  static let exact = 1e-8

  /// - Parameters:
  ///   - given: by vertex, of stalks of dimension 1.
  ///   - wanted: the vertices whose deviations are asked for.
  init(_ sheaf: CellularSheaf, given: [Int: Double], wanted: [Int]) throws {
    let fixed = given.keys.sorted()
    let extended = try HarmonicExtension(
      of: Matrix(column: fixed.map { given[$0]! }),
      on: sheaf.coordinates(fixed), in: sheaf)
    values = extended.cochains.column(0)
    // The agreement model takes edges for what they are here: errors whose precisions are the weights.
    var settings = Fusion.Settings()
    settings.model = .agreement
    let fusion = try Fusion(
      sheaf,
      Assignment(
        given.mapValues { Assignment.Reading([$0], covariance: .scalar(Self.exact), unit: "°C") }),
      settings: settings)
    var deviations: [Int: Double] = [:]
    for vertex in wanted {
      deviations[vertex] = try fusion.covariance(of: vertex).map { $0[0, 0].squareRoot() }
    }
    self.deviations = deviations
  }
}

/// Which months are taken away.
enum RemovedMonths: String, Sendable, CaseIterable {
  /// A tenth of all, one by one.
  case single = "single months"
  /// As many, in runs of 3 to 6 with readings on both sides.
  case runs = "runs of 3–6 months"

  /// Whether each month keeps its reading.
  func isObserved(_ count: Int, seed: UInt64) -> [Bool] {
    var generator = SplitMix64(seed: seed)
    var isObserved = [Bool](repeating: true, count: count)
    let wanted = count / 10
    switch self {
    case .single:
      for t in generator.shuffled(count).prefix(wanted) { isObserved[t] = false }
    case .runs:
      var removed = 0
      while removed < wanted {
        let length = 3 + generator.below(4)
        let start = generator.below(count - length + 1)
        let around = max(0, start - 1)..<min(count, start + length + 1)
        guard isObserved[around].allSatisfy({ $0 }) else { continue }
        for t in start..<start + length { isObserved[t] = false }
        removed += length
      }
    }
    return isObserved
  }
}

/// What fills the gaps of a series, by name.
struct ImputationContest: Sendable {
  enum Method: String, Sendable, CaseIterable {
    case monthMeans = "month means of the other years"
    case linear = "linear interpolation of temperatures"
    case linearAnomalies = "linear interpolation of anomalies"
    case scaling = "sheaf, one scaling map"
    case rotation = "sheaf, one rotation"
    case twelveMaps = "sheaf, twelve maps"
  }

  /// The root of the mean squared error over the missing months, in °C.
  private(set) var errors: [Method: Double] = [:]
  /// The share of missing months within 1.96 standard deviations.
  private(set) var coverages: [Method: Double] = [:]

  /// Everything, climatology and maps, is learnt from the observed months.
  init(_ series: MonthlySeries) throws {
    func add(_ method: Method, _ anomalies: [Double], _ deviations: [Int: Double]? = nil) {
      let misses = series.missing.map { anomalies[$0] - series.anomalies[$0] }
      errors[method] = ReportText.mean(misses.map { $0 * $0 }).squareRoot()
      if let deviations {
        coverages[method] =
          Double(zip(series.missing, misses).count { abs($1) < 1.959964 * deviations[$0]! })
          / Double(misses.count)
      }
    }
    add(.monthMeans, [Double](repeating: 0, count: series.count))
    let linear = series.interpolated(series.temperatures)
    add(.linear, linear.enumerated().map { $1 - series.climatology[$0 % 12] })
    add(.linearAnomalies, series.interpolated(series.anomalies))
    let given = Dictionary(uniqueKeysWithValues: series.observed.map { ($0, series.anomalies[$0]) })
    for method in [Method.scaling, .rotation] {
      let helix = RotationHelix(fittedTo: series, isRotating: method == .rotation)
      // Readings are the vertices behind those of the stalks.
      let n = series.count
      let found = try Imputation(
        helix.sheaf(n), given: Dictionary(uniqueKeysWithValues: given.map { (n + $0, $1) }),
        wanted: series.missing.map { n + $0 })
      add(
        method, Array(found.values.suffix(n)),
        Dictionary(uniqueKeysWithValues: found.deviations.map { ($0 - n, $1) }))
    }
    let maps = MonthMaps(learningFrom: series)
    let found = try Imputation(
      maps.sheaf(0..<series.count), given: given, wanted: series.missing)
    add(.twelveMaps, found.values, found.deviations)
  }
}
