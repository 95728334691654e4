extension Frame {
  /// The frame with its vertical axis drawn out, so that no data lie under a legend in a corner. Frames with a range
  /// that was asked for, or heat maps, remain.
  ///
  /// - Parameters:
  ///   - width: of the frame in points, nearly.
  ///   - height: as well.
  func clearing(_ legend: LegendPlan, in panel: Panel, width: Double, height: Double) -> Frame {
    let isMap = panel.layers.contains { if case .heatMap = $0 { true } else { false } }
    guard panel.y.range == nil, !isMap, legend.place != .below, legend.place != .none else {
      return self
    }
    let isRight = legend.place == .topRight || legend.place == .bottomRight
    let isTop = legend.place == .topRight || legend.place == .topLeft
    let (wide, high) = ((legend.width + 12) / width, (legend.height + 9) / height)
    let beside = fractions(panel).filter {
      isRight ? $0.x >= 1 - wide && $0.x <= 1 : $0.x <= wide && $0.x >= 0
    }
    let reach = beside.reduce(0) { max($0, isTop ? $1.y : 1 - $1.y) }
    // Bars stand on their axis.
    guard reach <= 1 + 1e-9, high < 0.5, reach > 1 - high, isTop || y.low != 0 else { return self }
    let stretch = reach / (1 - high)
    let range = isTop ? y.low...y.value(stretch) : y.value(1 - stretch)...y.high
    return Frame(x: x, y: Span(Extent(), range: range, scale: y.scale, padding: 0))
  }

  /// Places along what is drawn, in fractions of the frame.
  private func fractions(_ panel: Panel) -> [Point] {
    func place(_ point: Point) -> Point {
      Point(x: x.fraction(point.x), y: y.fraction(point.y))
    }
    return zip(panel.layers, panel.turns).flatMap { $0.shapes(in: self, turn: $1) }.flatMap {
      shape -> [Point] in
      switch shape {
      case .curves(let runs, _), .areas(let runs, _):
        return runs.flatMap { run in
          zip(run, run.dropFirst() + run.prefix(1)).flatMap { a, b in
            let (a, b) = (place(a), place(b))
            let pieces = min(
              20, max(1, Int((20 * max(abs(b.x - a.x), abs(b.y - a.y))).rounded(.up))))
            return (0..<pieces).map { k -> Point in
              let t = Double(k) / Double(pieces)
              return Point(x: a.x + t * (b.x - a.x), y: a.y + t * (b.y - a.y))
            }
          }
        }
      case .markers(let points, _, _, _): return points.map(place)
      case .arrows(let arrows, _, _): return arrows.flatMap { [place($0.tail), place($0.head)] }
      case .picture, .words: return []
      }
    }
  }
}
