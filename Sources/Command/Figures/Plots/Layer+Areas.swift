extension Layer {
  /// The bars of each series, which stand beside each other in 0.8 of a category's width.
  static func bars(_ categories: [String], _ series: [Series], in frame: Frame) -> [Shape] {
    let width = 0.8 / Double(max(series.count, 1))
    let bars = series.enumerated().map { s, one in
      let areas = one.values.enumerated().compactMap { k, value -> [Point]? in
        guard Span.admits(value, frame.y.scale) else { return nil }
        let left = Double(k) - 0.4 + Double(s) * width
        // A narrow gap between neighbours.
        let (a, b) = (left + 0.04 * width, left + 0.96 * width)
        return [
          Point(x: a, y: frame.base), Point(x: a, y: value), Point(x: b, y: value),
          Point(x: b, y: frame.base),
        ]
      }
      return Shape.areas(areas, .series(s))
    }
    guard frame.y.low < 0, frame.y.scale == .linear else { return bars }
    let ends = [Point(x: frame.x.low, y: 0), Point(x: frame.x.high, y: 0)]
    return bars + [.curves([ends], Stroke(paint: .frame, width: 0.6))]
  }

  /// The intervals that can be shown, in the order of their rows.
  static func rows(_ intervals: [Interval], _ scale: Axis.Scale) -> [Interval] {
    intervals.filter { Span.admits($0.birth, scale) && !$0.death.isNaN }
      .sorted { ($0.dimension, $0.birth, $0.death) < ($1.dimension, $1.birth, $1.death) }
  }

  /// A bar for each interval; the head of an arrow at those that do not end.
  static func barcode(_ intervals: [Interval], in frame: Frame) -> [Shape] {
    let rows = rows(intervals, frame.x.scale)
    // Thick where there is room.
    let height = rows.count > 60 ? 0.4 : 0.28
    return Set(rows.map(\.dimension)).sorted().flatMap { dimension -> [Shape] in
      var areas: [[Point]] = []
      for (row, one) in rows.enumerated() where one.dimension == dimension {
        let (y, endless) = (Double(row), one.death > 1e100)
        let end = endless ? frame.x.value(0.975) : one.death
        guard Span.admits(end, frame.x.scale), end >= one.birth else { continue }
        areas.append([
          Point(x: one.birth, y: y - height), Point(x: one.birth, y: y + height),
          Point(x: end, y: y + height), Point(x: end, y: y - height),
        ])
        guard endless else { continue }
        areas.append([
          Point(x: end, y: y - 1.7 * height), Point(x: end, y: y + 1.7 * height),
          Point(x: frame.x.high, y: y),
        ])
      }
      return [.areas(areas, .series(dimension))]
    }
  }
}

extension Picture {
  /// At most so many cells along an axis whose cells are not equally wide.
  private static var finest: Int { 240 }

  /// The cells of a heat map, cut to the frame.
  init(
    columns: CellEdges, rows: CellEdges, values: [Double], palette: Layer.Palette, span: Span,
    scale: Axis.Scale, in frame: Frame
  ) {
    let width = max(columns.edges.count - 1, 0)
    precondition(
      values.count == width * max(rows.edges.count - 1, 0) || columns.edges.isEmpty
        || rows.edges.isEmpty, "\(values.count) values in rows of \(width)")
    let across = columns.indices(in: frame.x, atMost: Self.finest)
    let up = rows.indices(in: frame.y, atMost: Self.finest)
    self.columns = across.count
    cells = up.flatMap { j in
      across.map { i in
        guard let i, let j else { return nil }
        let value = values[j * width + i]
        return Span.admits(value, span.scale) ? palette.paint(value, in: span) : .missing
      }
    }
  }
}
