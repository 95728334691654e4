import Figures
import Foundation

/// The figures of the helix of months.
enum ElNinoFigure {
  static let months = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
  ]

  /// The middle of a month as a year.
  private static func year(_ month: Int) -> Double { 1950 + (Double(month) + 0.5) / 12 }

  /// The anomalies on the cylinder cut open, the maps round the ring, and the windows by their z.
  static func figure(_ series: MonthlySeries, _ maps: MonthMaps, _ scan: GuardedScan) -> Figure {
    let years = series.count / 12
    let cylinder = Panel(
      "Anomalies on the cylinder, cut open; the helix winds up it",
      x: Axis("year", range: 1949.5...2010.5),
      y: Axis(
        "month", ticks: [0, 3, 6, 9].map { Axis.Tick(Double($0), months[$0]) }),
      colourLabel: "anomaly, °C",
      layers: [
        .heatMap(
          x: (0..<years).map { 1950 + Double($0) }, y: (0..<12).map(Double.init),
          values: (0..<12).flatMap { m in (0..<years).map { series.anomalies[12 * $0 + m] } },
          palette: .diverging, range: -4...4)
      ])
    let ring = Panel(
      "The twelve maps ρ: what is left a month later",
      x: Axis("to the month"), y: Axis("ρ", range: 0...1.2),
      layers: [
        .bars(categories: months, series: [.init("", maps.transport)]),
        .horizontalMark(y: 1),
      ])
    let last = scan.rounds.last!
    let half = Double(scan.settings.window - 1) / 24
    let spans = scan.spans.map { span in
      Layer.band(
        x: [year(span.lowerBound), year(span.upperBound - 1)], low: [-4, -4], high: [6.5, 6.5],
        colour: .series(1))
    }
    let windows = Panel(
      "Windows of nine months against what is a year away from them; shaded: found",
      x: Axis("middle of the window", range: 1949.5...2010.5), y: Axis("z", range: -4...6.5),
      layers: spans + [
        .line(
          x: last.scores.indices.map { year($0) + half }, y: last.scores,
          style: LineStyle(.series(0), dash: .solid, width: 0.9)),
        .horizontalMark(
          y: scan.threshold ?? .nan, label: "q = \(scan.settings.level)"),
      ])
    return Figure(
      columns: 1, width: .page, aspect: 0.32, panels: [cylinder, ring, windows])
  }

  /// Some months of 1982–83 taken away and filled.
  struct Gap: Sendable {
    let months: Range<Int>
    let removed: Range<Int>
    let series: MonthlySeries
    let found: Imputation
    let linear: [Double]

    init(_ full: MonthlySeries) throws {
      months = 32 * 12..<35 * 12
      removed = 33 * 12 + 1..<33 * 12 + 7
      var isObserved = [Bool](repeating: true, count: full.count)
      for t in removed { isObserved[t] = false }
      series = MonthlySeries(full.temperatures, isObserved: isObserved)
      let maps = MonthMaps(learningFrom: series)
      found = try Imputation(
        maps.sheaf(0..<series.count),
        given: Dictionary(
          uniqueKeysWithValues: series.observed.map { [series] in ($0, series.anomalies[$0]) }),
        wanted: Array(removed))
      linear = series.interpolated(series.anomalies)
    }
  }

  /// A gap, linear interpolation and the extension with its 95 % band.
  static func figure(_ gap: Gap) -> Figure {
    let around = Array(gap.removed.lowerBound - 1...gap.removed.upperBound)
    let x = around.map(year)
    let deviations = around.map { 1.959964 * (gap.found.deviations[$0] ?? 0) }
    let values = around.map { gap.found.values[$0] }
    let all = Array(gap.months)
    return Figure(
      columns: 1, width: .column, aspect: 0.75,
      panels: [
        Panel(
          "February to July 1983 taken away",
          x: Axis("year", ticks: [1982, 1983, 1984, 1985].map { Axis.Tick($0, "\(Int($0))") }),
          y: Axis("anomaly, °C"), legend: .below,
          layers: [
            .band(
              x: x, low: zip(values, deviations).map { $0 - $1 },
              high: zip(values, deviations).map { $0 + $1 }, label: "95 % of the extension",
              colour: .series(0)),
            .line(
              x: x, y: around.map { gap.linear[$0] }, label: "interpolation",
              style: LineStyle(.series(1), dash: .dashed, width: 1)),
            .line(
              x: x, y: values, label: "harmonic extension",
              style: LineStyle(.series(0), dash: .solid, width: 1.2)),
            .points(
              x: all.filter { !gap.removed.contains($0) }.map(year),
              y: all.filter { !gap.removed.contains($0) }.map { gap.series.anomalies[$0] },
              label: "readings", style: PointStyle(.ink, marker: .circle, size: 2.5)),
            .points(
              x: gap.removed.map(year), y: gap.removed.map { gap.series.anomalies[$0] },
              label: "taken away", style: PointStyle(.ink, marker: .openCircle, size: 3)),
          ])
      ])
  }
}
