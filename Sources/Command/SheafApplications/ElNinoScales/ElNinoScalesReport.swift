import Figures
import Foundation
import LinearAlgebra

/// The anomalies of sea-surface temperature at the scales of a month, a season and a year, and which carry El Niño.
struct ElNinoScalesReport {
  /// The events that guarded windows find at the level .1.
  static let events = [267..<278, 389..<409, 564..<586]
  static let names = ["month", "season", "year"]

  private(set) var report = ApplicationReport(
    "El Niño at the scales of a month, a season and a year: sheaf wavelets on the path of months")
  private let series = MonthlySeries()
  private let scales: MonthScales
  private let maps: MonthMaps

  /// - parameter seeds: 80 series are drawn from the sheaf with twelve maps for each.
  init(seeds: Int) throws {
    scales = try MonthScales(series.count)
    maps = MonthMaps(learningFrom: series)
    // The anomalies of a drawn series, as those of the readings.
    let draws = (0..<80 * seeds).map { k in
      var generator = SplitMix64(seed: UInt64(k))
      return MonthlySeries(maps.sample(series.count, &generator)).anomalies
    }
    addEnergies(draws)
    addRanks()
    addOrder(draws)
    try addEvents()
    try addBlocksOfYears(draws)
    try addMaps()
    addRunningMeans()
    report.figures = [("el-nino-scales", ElNinoScalesFigure.figure(series, scales))]
    report.remarks = [
      "1997–98 and 1982–83 are the four largest details of a season and the three largest of a year; 1972 is fifth, and fourth of the "
        + "warm ones. The year carries the events, 1972–73 only just.",
      "The grid matters: 1982 and 1983 trade places with the month in which a year starts, so that events are given by the mean over the "
        + "twelve starts.",
      "A year as warm as 1997 is no surprise to the sheaf with twelve maps, a second one hardly; how the seasons of the four years swing "
        + "is one.",
      "Learned maps make it worse: a section decays from month to month (ρ < 1 is regression), and anomalies do not. The constant sheaf "
        + "is taken for the scales, the twelve maps for the draws.",
      "A running mean of twelve months has its largest values in the same three: the scales give an account, they detect "
        + "nothing more.",
    ]
  }

  private mutating func record(_ key: String, _ value: Double) { report.numbers[key] = value }

  private static func range(_ list: [Double], _ digits: Int) -> String {
    ReportText.fixed(ReportText.mean(list), digits) + ", "
      + ReportText.fixed(Ranking.quantile(list, 0.025), digits) + "–"
      + ReportText.fixed(Ranking.quantile(list, 0.975), digits)
  }

  private static func matrix(_ series: [[Double]]) -> Matrix {
    Matrix(rows: series[0].count, columns: series.count, columnMajor: series.flatMap { $0 })
  }

  /// Each scale's share of the energy, of each column.
  private static func shares(_ energies: [[Double]]) -> [[Double]] {
    energies.map { scale in
      scale.indices.map { j in scale[j] / energies.reduce(0) { $0 + $1[j] } }
    }
  }

  private mutating func addEnergies(_ draws: [[Double]]) {
    let energies = scales.energies(Matrix(column: series.anomalies)).map { $0[0] }
    let drawn = Self.shares(scales.energies(Self.matrix(draws)))
    let total = energies.reduce(0, +)
    var rows = [
      [
        "scale", "energy, °C²", "share", "coefficients", "variance of one", "share in draws, 95 %",
      ]
    ]
    for (k, name) in Self.names.enumerated() {
      // The sum of all anomalies is 0.
      let count = scales.counts[k] - (k == 2 ? 1 : 0)
      rows.append([
        name, ReportText.fixed(energies[k], 1), ReportText.fixed(energies[k] / total, 3),
        "\(count)", ReportText.fixed(energies[k] / Double(count), 3), Self.range(drawn[k], 3),
      ])
      record("energy, \(name)", energies[k])
      record("share, \(name)", energies[k] / total)
      record("share in draws, \(name)", ReportText.mean(drawn[k]))
    }
    report.tables.append(
      .init("Energy of the anomalies by scale; \(draws.count) draws of the sheaf", rows))
  }

  private mutating func addRanks() {
    let years = scales.energiesByBlock(series.anomalies)
    var rows = [["rank among 61 years"] + Self.names]
    let orders = years.map { list in list.indices.sorted { list[$0] > list[$1] } }
    for year in [1972, 1973, 1982, 1983, 1997, 1998] {
      let ranks = orders.map { $0.firstIndex(of: year - 1950)! + 1 }
      rows.append(["\(year)"] + ranks.map { "\($0)" })
      for (k, name) in Self.names.enumerated() {
        record("rank of \(year), \(name)", Double(ranks[k]))
      }
    }
    report.tables.append(.init("Details of each year, ranked by energy", rows))
    var largest = [["scale", "the largest, °C²"]]
    for (k, name) in Self.names.enumerated() {
      largest.append([
        name,
        orders[k].prefix(7).map {
          let isCold = series.anomalies[12 * $0..<12 * $0 + 12].reduce(0, +) < 0
          return
            "\(1950 + $0)\(isCold && k == 2 ? " (cold)" : "") \(ReportText.fixed(years[k][$0], 1))"
        }.joined(separator: ", "),
      ])
      for (i, year) in orders[k].prefix(7).enumerated() {
        record("largest \(i + 1), \(name)", years[k][year])
        record("largest \(i + 1), \(name), year", Double(1950 + year))
      }
    }
    report.tables.append(.init("The seven largest", largest))
  }

  /// The largest details against those of draws, rank by rank.
  private mutating func addOrder(_ draws: [[Double]]) {
    func largest(_ x: [Double]) -> [[Double]] {
      scales.energiesByBlock(x)[1...].map { Array($0.sorted(by: >).prefix(4)) }
    }
    let found = largest(series.anomalies)
    let drawn = draws.map(largest)
    var rows = [["scale", "rank", "energy, °C²", "in draws: median", "95 % quantile"]]
    for (k, name) in ["season", "year"].enumerated() {
      for i in 0..<4 {
        let list = drawn.map { $0[k][i] }
        rows.append([
          name, "\(i + 1)", ReportText.fixed(found[k][i], 1),
          ReportText.fixed(Ranking.quantile(list, 0.5), 1),
          ReportText.fixed(Ranking.quantile(list, 0.95), 1),
        ])
        record("95 % of draws, largest \(i + 1), \(name)", Ranking.quantile(list, 0.95))
      }
    }
    report.tables.append(.init("The largest details against those of draws", rows))
  }

  private mutating func addEvents() throws {
    let spun = try MonthScales.spunSquares(series.anomalies)
    let calendar = scales.parts(series.anomalies).map { $0.map { $0 * $0 } }
    let total = series.anomalies.reduce(0) { $0 + $1 * $1 }
    func sums(_ squares: [[Double]], _ months: [Int]) -> [Double] {
      squares.map { s in months.reduce(0) { $0 + s[$1] } }
    }
    func shares(_ e: [Double]) -> String {
      e.map { ReportText.fixed($0 / e.reduce(0, +), 2) }.joined(separator: ", ")
    }
    var rows = [
      ["months", "energy, °C²", "share of all", "month, season, year", "calendar years"]
    ]
    let inside = Self.events.flatMap { Array($0) }
    let others = series.anomalies.indices.filter { !inside.contains($0) }
    for (name, months) in zip(
      Self.events.map(GuardedScan.name) + ["all others"], Self.events.map { Array($0) } + [others])
    {
      let energy = months.reduce(0) { $0 + series.anomalies[$1] * series.anomalies[$1] }
      let e = sums(spun, months)
      rows.append([
        name, ReportText.fixed(energy, 1), ReportText.fixed(energy / total, 3), shares(e),
        shares(sums(calendar, months)),
      ])
      record("\(name), energy", energy)
      for (k, scale) in Self.names.enumerated() {
        record("\(name), share of \(scale)", e[k] / e.reduce(0, +))
      }
    }
    report.tables.append(
      .init("Events by scale, the mean over the twelve months in which a year may start", rows))
    let (of, all) = (sums(spun, inside), sums(spun, Array(series.anomalies.indices)))
    report.tables.append(
      .init(
        "The three events have \(ReportText.fixed(Double(inside.count) / Double(series.count), 3)) of the months, and of the energy",
        [Self.names, (0..<3).map { ReportText.fixed(of[$0] / all[$0], 3) }]))
    for (k, name) in Self.names.enumerated() { record("events' share of \(name)", of[k] / all[k]) }
  }

  /// 1950–2009 with the years in blocks of 4 and 20.
  private mutating func addBlocksOfYears(_ draws: [[Double]]) throws {
    let scales = try MonthScales(720, blocks: [3, 12, 48, 240])
    func centred(_ x: [Double]) -> [Double] {
      MonthlySeries(Array(x[..<720])).anomalies
    }
    let found = Self.shares(scales.energies(Matrix(column: centred(series.temperatures))))
      .map { $0[0] }
    let drawn = Self.shares(scales.energies(Self.matrix(draws.map(centred))))
    var rows = [["scale", "share", "in draws, 95 %"]]
    let names = ["month", "season", "year in 4 years", "4 years in 20", "20 years"]
    for (k, name) in names.enumerated() {
      rows.append([name, ReportText.fixed(found[k], 3), Self.range(drawn[k], 3)])
      record("blocks, \(name)", found[k])
      record("blocks in draws, \(name), 2.5 %", Ranking.quantile(drawn[k], 0.025))
      record("blocks in draws, \(name), 97.5 %", Ranking.quantile(drawn[k], 0.975))
    }
    report.tables.append(.init("1950–2009 with blocks of 4 and 20 years", rows))
  }

  private mutating func addMaps() throws {
    var rows = [["sheaf"] + Self.names]
    for (name, list) in [("constant", nil), ("twelve maps", Optional(maps.transport))] {
      let shares = Self.shares(
        try MonthScales(series.count, maps: list).energies(Matrix(column: series.anomalies)))
      rows.append([name] + shares.map { ReportText.fixed($0[0], 3) })
      record("\(name), share of year", shares[2][0])
    }
    report.tables.append(.init("Energy by scale, constants or sections", rows))
  }

  /// The largest means of twelve months that are a year and a half apart, what needs no scales.
  private mutating func addRunningMeans() {
    var means = (0...series.count - 12).map {
      ReportText.mean(Array(series.anomalies[$0..<$0 + 12]))
    }
    var rows = [["twelve months from", "mean, °C"]]
    for k in 1...3 {
      let start = means.indices.max { means[$0] < means[$1] }!
      rows.append([MonthlySeries.name(start), ReportText.fixed(means[start], 2)])
      record("running mean \(k), month", Double(start))
      record("running mean \(k)", means[start])
      for t in max(start - 18, 0)..<min(start + 19, means.count) { means[t] = -.infinity }
    }
    report.tables.append(.init("The largest means of twelve months", rows))
  }
}

extension Application {
  /// Sea-surface temperatures at the scales of a month, a season and a year.
  static let elNinoScales = Application(
    name: "el-nino-scales",
    summary: "sea-surface temperatures at the scales of a month, a season and a year"
  ) { seeds in
    try ElNinoScalesReport(seeds: seeds).report
  }
}
