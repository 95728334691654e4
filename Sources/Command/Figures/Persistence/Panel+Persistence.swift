extension Panel {
  /// A barcode: the bars of each degree together, in its colour, from the bottom by degree, then by birth; an arrow at
  /// those without end.
  ///
  /// - Parameters:
  ///   - intervals: those whose birth is no number are left out.
  ///   - axis: the values of the filtration.
  public static func barcode(
    _ intervals: [Layer.Interval], title: String? = nil, axis: Axis = Axis("filtration value")
  ) -> Panel {
    // Few bars are no thicker than eight would be.
    let count = Double(Layer.rows(intervals, axis.scale).count)
    let middle = (count - 1) / 2
    return Panel(
      title, x: axis, y: Axis(range: count < 8 && count > 0 ? middle - 4...middle + 4 : nil),
      legend: .below, layers: [.barcode(intervals)])
  }

  /// A persistence diagram: a mark for each pair of birth and death, its form and colour telling the degree, how many
  /// classes there are beside it where it is more than one. Classes without end stand on a line above all others. Looks
  /// best in figures of aspect 1.
  ///
  /// - Parameters:
  ///   - intervals: those whose birth is no number are left out.
  ///   - birth: the name of the horizontal axis.
  ///   - death: that of the vertical one.
  public static func persistenceDiagram(
    _ intervals: [Layer.Interval], title: String? = nil, birth: String = "birth",
    death: String = "death"
  ) -> Panel {
    let shown = intervals.filter { Span.admits($0.birth, .linear) && !$0.death.isNaN }
    var extent = Extent()
    for interval in shown {
      extent.include(interval.birth)
      if Span.admits(interval.death, .linear) { extent.include(interval.death) }
    }
    let axis = (Axis(birth), Axis(death))
    guard !extent.isEmpty else { return Panel(title, x: axis.0, y: axis.1, layers: []) }
    let plan = DiagramAxes(extent, hasEndless: shown.contains { $0.death > 1e100 })
    let ends = [plan.span.low, plan.span.high]
    var layers: [Layer] = [
      .band(x: ends, low: [ends[0], ends[0]], high: ends, colour: .muted),
      .line(x: ends, y: ends, style: LineStyle(.muted, dash: .solid, width: 0.7)),
    ]
    if plan.endless != nil {
      layers.append(
        .line(
          x: ends, y: [plan.top, plan.top], style: LineStyle(.muted, dash: .dashed, width: 0.7)))
    }
    var notes: [Layer] = []
    for degree in Set(shown.map(\.dimension)).sorted() {
      let points = plan.points(shown.filter { $0.dimension == degree })
      layers.append(
        .points(
          x: points.map(\.x), y: points.map(\.y), label: Layer.homology(degree),
          style: PointStyle(.series(degree), size: 4.5, opacity: 0.85)))
      // On the line of the endless ones above it.
      let length = ends[1] - ends[0]
      notes += points.filter { $0.count > 1 }.map {
        .text(
          x: $0.x + 0.02 * length, y: $0.y + ($0.y == plan.top ? 0.032 * length : 0),
          "×\($0.count)")
      }
    }
    return Panel(
      title, x: Axis(birth, range: ends[0]...ends[1], ticks: plan.ticks),
      y: Axis(
        death, range: ends[0]...plan.upper, ticks: plan.ticks + (plan.endless.map { [$0] } ?? [])),
      legend: .bottomRight, layers: layers + notes)
  }

  /// A persistence image: a heat map over births and persistences.
  ///
  /// - Parameters:
  ///   - births: the middles of the columns, increasing.
  ///   - persistences: the middles of the rows, increasing.
  ///   - values: `births.count` for each persistence, one row after the other.
  public static func persistenceImage(
    births: [Double], persistences: [Double], values: [Double], title: String? = nil,
    colourLabel: String? = nil
  ) -> Panel {
    Panel(
      title, x: Axis("birth"), y: Axis("persistence"), colourLabel: colourLabel,
      layers: [.heatMap(x: births, y: persistences, values: values)])
  }

  /// A persistence landscape: λ₁, λ₂, … as curves, the first ones named, those behind the eighth grey.
  ///
  /// - Parameter functions: the critical points of each.
  public static func persistenceLandscape(
    _ functions: [(places: [Double], values: [Double])], title: String? = nil,
    axis: Axis = Axis("filtration value")
  ) -> Panel {
    // Dashes, as each coincides with the one before in places.
    let layers = functions.enumerated().map { k, function -> Layer in
      .line(
        x: function.places, y: function.values, label: k < 5 ? "λ" + Layer.lowered(k + 1) : nil,
        style: k < 8 ? LineStyle(.series(k)) : LineStyle(.muted, dash: .solid, width: 0.6))
    }
    return Panel(
      title, x: axis, y: Axis("λ"), legend: .topRight, layers: layers)
  }
}

/// The common axis of births and deaths, and a place for deaths at infinity.
private struct DiagramAxes {
  /// Of births and finite deaths.
  let span: Span
  /// Round numbers of it.
  let ticks: [Axis.Tick]
  /// Where classes without end are.
  let top: Double
  /// The upper end of the vertical axis.
  let upper: Double
  /// The label there; nil if there are none.
  let endless: Axis.Tick?

  init(_ extent: Extent, hasEndless: Bool) {
    let tight = Span(extent, range: extent.low...extent.high, scale: .linear, padding: 0)
    span = Span(
      Extent(), range: tight.value(-0.04)...tight.value(1.04), scale: .linear, padding: 0)
    let labelled = Ticks(span, count: 5).labelled
    top = span.value(1.08)
    ticks = labelled.filter { [span] in span.fraction($0.value) <= (hasEndless ? 0.99 : 1) }
    upper = hasEndless ? span.value(1.14) : span.high
    endless = hasEndless ? Axis.Tick(top, "∞") : nil
  }

  /// The different points with their multiplicities, in the order of births and deaths.
  func points(_ intervals: [Layer.Interval]) -> [(x: Double, y: Double, count: Int)] {
    var counts: [Point: Int] = [:]
    for interval in intervals {
      let y = interval.death > 1e100 ? top : interval.death
      counts[Point(x: interval.birth, y: y), default: 0] += 1
    }
    return counts.map { ($0.key.x, $0.key.y, $0.value) }.sorted { ($0.0, $0.1) < ($1.0, $1.1) }
  }
}
