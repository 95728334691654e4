import Figures

/// The anomalies and their parts at three scales.
enum ElNinoScalesFigure {
  static func figure(_ series: MonthlySeries, _ scales: MonthScales) -> Figure {
    let parts = scales.parts(series.anomalies)
    let time = series.anomalies.indices.map { 1950 + (Double($0) + 0.5) / 12 }
    let edges = (0...series.count).map { 1950 + Double($0) / 12 }
    let panels = [
      ("Year: means of years, and the anomalies", 2, -3.0...5.0),
      ("Season: means of seasons minus means of years", 1, -3.0...3.0),
      ("Month: what is left", 0, -2.0...2.0),
    ].map { title, scale, range in
      let bands = ElNinoScalesReport.events.map { event in
        Layer.band(
          x: [edges[event.lowerBound], edges[event.upperBound]],
          low: [range.lowerBound, range.lowerBound], high: [range.upperBound, range.upperBound],
          colour: .series(1))
      }
      let raw: [Layer] =
        scale == 2
        ? [
          .line(
            x: time, y: series.anomalies, style: LineStyle(.muted, dash: .solid, width: 0.6))
        ] : []
      // Each value from the beginning of its month to the end.
      let steps = Layer.line(
        x: series.anomalies.indices.flatMap { [edges[$0], edges[$0 + 1]] },
        y: parts[scale].flatMap { [$0, $0] },
        style: LineStyle(.series(0), dash: .solid, width: scale == 0 ? 0.6 : 1))
      return Panel(
        title, x: Axis("year", range: 1949.5...2011.5), y: Axis("°C", range: range),
        layers: bands + raw + [steps])
    }
    return Figure(columns: 1, width: .page, aspect: 0.26, panels: panels)
  }
}
