import Datasets

/// Monthly temperatures, of which some months are withheld, as anomalies from the climatology of the others.
///
/// Months are numbered from January 1950, so that t mod 12 is the month of the year from 0.
struct MonthlySeries: Sendable {
  /// In °C.
  let temperatures: [Double]
  /// Whether a month's reading may be used.
  let isObserved: [Bool]
  /// The mean of each month of the year over the observed years, in °C.
  let climatology: [Double]
  /// Temperatures minus climatology, in °C, of all months; those not observed are for comparison only.
  let anomalies: [Double]

  /// - Parameter isObserved: all if nil; each month of the year in some year.
  init(_ temperatures: [Double] = ElNino.series, isObserved: [Bool]? = nil) {
    self.temperatures = temperatures
    let known = isObserved ?? temperatures.map { _ in true }
    self.isObserved = known
    let climatology = (0..<12).map { month in
      ReportText.mean(
        temperatures.indices.filter { $0 % 12 == month && known[$0] }.map { temperatures[$0] })
    }
    self.climatology = climatology
    anomalies = temperatures.enumerated().map { $1 - climatology[$0 % 12] }
  }

  /// The number of months.
  var count: Int { temperatures.count }
  /// The months with a reading, ascending.
  var observed: [Int] { isObserved.indices.filter { isObserved[$0] } }
  /// The others.
  var missing: [Int] { isObserved.indices.filter { !isObserved[$0] } }
  /// The months after a month with a reading that have one as well.
  var pairs: [Int] { (1..<count).filter { isObserved[$0] && isObserved[$0 - 1] } }

  /// The population variance of the observed anomalies, in °C².
  var variance: Double {
    let values = observed.map { anomalies[$0] }
    let m = ReportText.mean(values)
    return values.reduce(0) { $0 + ($1 - m) * ($1 - m) } / Double(values.count)
  }

  /// Year and month of the year, as 1997-08.
  static func name(_ month: Int) -> String {
    let m = month % 12 + 1
    return "\(1950 + month / 12)-\(m < 10 ? "0" : "")\(m)"
  }

  /// Values of the observed months interpolated linearly, the first and the last continued.
  func interpolated(_ values: [Double]) -> [Double] {
    let known = observed
    var next = 0
    return (0..<count).map { t in
      while next < known.count && known[next] < t { next += 1 }
      guard next < known.count else { return values[known.last!] }
      guard next > 0, known[next] != t else { return values[known[next]] }
      let (a, b) = (known[next - 1], known[next])
      return values[a] + (values[b] - values[a]) * Double(t - a) / Double(b - a)
    }
  }
}
