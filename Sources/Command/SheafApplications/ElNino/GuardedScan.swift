import Distributions
import SheafInference

/// Windows of months that the months around them do not explain, once those next to them are not asked.
///
/// Each window B of w months is predicted from the readings that are farther from it than g months and nearer than g + 60:
///
///     z = 1ᵀ(a_B − â_B) / √(1ᵀ C 1),   C the covariance of a_B given those readings,
///
/// made robust, z ← (z − median)/(1.4826 · median |z − median|), with p = 1 − Φ(z) and the false discoveries among
/// all windows controlled (Benjamini, Hochberg 1995). The guard g is needed as radar needs its guard cells: the neighbours of a month of
/// an event are months of the event. The readings of significant windows are withdrawn, everything is learnt
/// anew, and all windows are tested again, until the same are found.
struct GuardedScan: Sendable {
  /// What is standardised.
  enum Statistic: String, Sendable {
    /// z above, of the sheaf with twelve maps.
    case sheaf = "sheaf, twelve maps"
    /// The mean anomaly of the window.
    case runningMean = "running mean"
  }

  /// What is tested.
  struct Settings: Sendable {
    var statistic = Statistic.sheaf
    /// w: El Niño lasts 9 to 12 months.
    var window = 9
    /// g: a year.
    var guardMonths = 12
    /// How far readings beyond the guard are asked.
    var reach = 60
    /// The rate of false discoveries.
    var level = 0.1
    /// The variance of readings in °C².
    var noise = 1e-4
    var maximumRounds = 8
  }

  /// One test of all windows.
  struct Round: Sendable {
    /// z of the window that begins with each month.
    let scores: [Double]
    /// Adjusted p-values, of warm and of cold windows.
    let warm: [Double]
    let cold: [Double]
    /// By what raw z were made robust.
    let median: Double
    let scale: Double
  }

  let settings: Settings
  private(set) var rounds: [Round] = []
  /// The found months of the last round, in spans.
  private(set) var spans: [Range<Int>] = []
  /// The same of windows that are too cold.
  private(set) var coldSpans: [Range<Int>] = []
  /// Whether the last two rounds found the same.
  private(set) var isSettled = false

  init(_ temperatures: [Double], settings: Settings = Settings()) throws {
    self.settings = settings
    var isObserved = [Bool](repeating: true, count: temperatures.count)
    for _ in 0..<settings.maximumRounds {
      let series = MonthlySeries(temperatures, isObserved: isObserved)
      let round = try Self.round(series, settings)
      rounds.append(round)
      var next = [Bool](repeating: true, count: temperatures.count)
      for t in round.warm.indices where round.warm[t] <= settings.level {
        for month in t..<t + settings.window { next[month] = false }
      }
      spans = Self.spans(round.warm, settings)
      coldSpans = Self.spans(round.cold, settings)
      isSettled = next == isObserved
      if isSettled { break }
      isObserved = next
    }
  }

  /// The smallest z of a found window in the last round; nil if there is none.
  var threshold: Double? {
    let last = rounds.last!
    return last.scores.indices.filter { last.warm[$0] <= settings.level }.map { last.scores[$0] }
      .min()
  }

  /// The first month, z and adjusted p-value of the windows that stand out most in the last round, a year apart from each
  /// other.
  func peaks(_ count: Int) -> [(month: Int, score: Double, q: Double)] {
    let last = rounds.last!
    var open = last.scores
    return (0..<count).map { _ in
      let t = open.indices.max { open[$0] < open[$1] }!
      for near in max(0, t - 12)..<min(open.count, t + 13) { open[near] = -.infinity }
      return (t, last.scores[t], last.warm[t])
    }
  }

  /// One test of all windows, everything being learnt from the readings that a series has.
  static func round(_ series: MonthlySeries, _ settings: Settings) throws -> Round {
    let starts = 0...(series.count - settings.window)
    let raw: [Double]
    switch settings.statistic {
    case .runningMean:
      raw = starts.map { ReportText.mean(Array(series.anomalies[$0..<$0 + settings.window])) }
    case .sheaf:
      let maps = MonthMaps(learningFrom: series)
      let marginal = maps.marginalVariances(series.count)
      raw = try starts.map { try score(series, $0, maps, marginal, settings) }
    }
    let median = Self.median(raw)
    let scale = 1.4826 * Self.median(raw.map { abs($0 - median) })
    let scores = raw.map { ($0 - median) / scale }
    let normal = NormalDistribution()
    return Round(
      scores: scores,
      warm: FalseDiscoveryRate.benjaminiHochberg(scores.map { normal.upperTail($0) }),
      cold: FalseDiscoveryRate.benjaminiHochberg(scores.map { normal.cdf($0) }), median: median,
      scale: scale)
  }

  /// z of the window from a month on, before it is made robust.
  static func score(
    _ series: MonthlySeries, _ start: Int, _ maps: MonthMaps, _ marginal: [Double],
    _ settings: Settings
  ) throws -> Double {
    let (g, end) = (settings.guardMonths, start + settings.window)
    let before = max(0, start - g - settings.reach)..<max(0, start - g)
    let after = min(series.count, end + g)..<min(series.count, end + g + settings.reach)
    let asked = (Array(before) + Array(after)).filter { series.isObserved[$0] }
    // Months farther away have no reading that is asked: the sheaf may end there.
    let first = min(asked.first ?? start, start)
    let months = first..<max((asked.last ?? end) + 1, end)
    let sheaf = try maps.sheaf(months, rootVariance: marginal[first])
    var fusion = Fusion.Settings()
    (fusion.model, fusion.wantsCovariance) = (.agreement, false)
    let found = try Fusion(
      sheaf,
      Assignment(
        Dictionary(
          uniqueKeysWithValues: asked.map {
            (
              $0 - first,
              Assignment.Reading([series.anomalies[$0]], covariance: .scalar(settings.noise))
            )
          })), settings: fusion)
    let window = Array(start..<end)
    let difference = window.reduce(0) {
      $0 + series.anomalies[$1] - found.value(of: $1 - first)![0]
    }
    // 1ᵀ C 1: the prediction's, and the noise of the readings of the window.
    let covariance = try found.covariance(ofCells: window.map { $0 - first })!
    let variance = covariance.elements.reduce(0, +) + settings.noise * Double(window.count)
    return difference / variance.squareRoot()
  }

  /// The months of the windows with q up to the level; windows at most three months apart are one span.
  private static func spans(_ q: [Double], _ settings: Settings) -> [Range<Int>] {
    var spans: [Range<Int>] = []
    for t in q.indices where q[t] <= settings.level {
      let window = t..<t + settings.window
      if let last = spans.last, t <= last.upperBound + 2 {
        spans[spans.count - 1] = last.lowerBound..<max(last.upperBound, window.upperBound)
      } else {
        spans.append(window)
      }
    }
    return spans
  }

  static func median(_ values: [Double]) -> Double {
    let sorted = values.sorted()
    let n = sorted.count
    return n % 2 == 1 ? sorted[n / 2] : (sorted[n / 2 - 1] + sorted[n / 2]) / 2
  }

  /// A span as 1972-04..1973-02.
  static func name(_ span: Range<Int>) -> String {
    "\(MonthlySeries.name(span.lowerBound))..\(MonthlySeries.name(span.upperBound - 1))"
  }
}
