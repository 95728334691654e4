extension GnuplotScript {
  /// The blocks of a shape's data, and the elements of a `plot` command that draw them; none for texts.
  mutating func elements(_ shape: Shape) -> [String] {
    switch shape {
    case .curves(let curves, let stroke):
      guard let data = block(curves) else { return [] }
      return ["\(data) using 1:2 with lines \(Self.pen(stroke))"]
    case .areas(let areas, let paint):
      guard let data = block(areas) else { return [] }
      return [
        "\(data) using 1:2 with filledcurves closed fillcolor rgb \(paint.code) fillstyle solid noborder"
      ]
    case .markers(let places, let marker, let size, let paint):
      guard let data = block([places]) else { return [] }
      return [
        "\(data) using 1:2 with points "
          + point(marker, size: size, paint).dropFirst("point ".count)
      ]
    case .arrows(let arrows, let stroke, let headLength):
      guard !arrows.isEmpty else { return [] }
      let data = block(
        arrows.map { "\($0.x) \($0.y) \($1.x - $0.x) \($1.y - $0.y)" })
      let size = "size screen \(Self.number(headLength / width)),20 fixed"
      return ["\(data) using 1:2:3:4 with vectors head filled \(size) \(Self.pen(stroke))"]
    case .picture(let picture):
      guard picture.cells.contains(where: { $0 != nil }) else { return [] }
      // Some readers of SVG blur the borders of cells, over the width of one.
      let drawn = format == .svg ? picture.refined(to: 240) : picture
      let rows = drawn.cells.count / drawn.columns
      let data = block(
        drawn.cells.enumerated().map { k, paint in
          let x = (Double(k % drawn.columns) + 0.5) / Double(drawn.columns)
          let y = (Double(k / drawn.columns) + 0.5) / Double(rows)
          let colour = paint.map { $0.channels.map { "\(Int($0))" } + ["255"] } ?? ["0 0 0 0"]
          return "\(Self.number(x)) \(Self.number(y)) " + colour.joined(separator: " ")
        })
      // Fractions of the frame, whatever the scales of its axes.
      return ["\(data) using 1:2:3:4:5:6 axes x2y2 with rgbalpha"]
    case .words: return []
    }
  }

  /// A block of runs of points; nil if there are none.
  private mutating func block(_ runs: [[Point]]) -> String? {
    let filled = runs.filter { !$0.isEmpty }
    guard !filled.isEmpty else { return nil }
    return block(filled.map { run in run.map { "\($0.x) \($0.y)\n" }.joined() })
  }
}

extension Picture {
  /// The same picture with each cell cut into so many that there are about `count` along each side along which
  /// colours change.
  fileprivate func refined(to count: Int) -> Picture {
    let rows = cells.count / columns
    let across = cells.indices.contains { cells[$0] != cells[$0 - $0 % columns] }
    let up = cells.indices.contains { cells[$0] != cells[$0 % columns] }
    let (wide, high) = (
      across ? max(1, count / columns) : 1, up ? max(1, count / rows) : 1
    )
    let refined = (0..<rows * high).flatMap { j in
      (0..<columns * wide).map { i in cells[j / high * columns + i / wide] }
    }
    return Picture(columns: columns * wide, cells: refined)
  }
}
