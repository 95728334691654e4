extension Panel {
  /// The axes' spans, by the ranges asked for or the data; nil if no layer has anything to show.
  var frame: Frame? {
    var (xs, ys) = (Extent(), Extent())
    var (tightX, tightY) = (true, false)
    let (xScale, yScale) = scales
    for layer in layers {
      for point in layer.outline(x: xScale, y: yScale) {
        if Span.admits(point.x, xScale) { xs.include(point.x) }
        if Span.admits(point.y, yScale) { ys.include(point.y) }
      }
      switch layer {
      case .points, .path, .vectors: tightX = false
      case .heatMap, .contours: tightY = true
      default: break
      }
    }
    guard !(xs.isEmpty && ys.isEmpty) else { return nil }
    return Frame(
      x: Span(xs, range: x.range, scale: xScale, padding: tightX || tightY ? 0 : 0.03),
      y: Span(ys, range: y.range, scale: yScale, padding: tightY ? 0 : 0.05))
  }

  /// The axes' scales; places of categories and rows of bar codes are linear in any case.
  private var scales: (x: Axis.Scale, y: Axis.Scale) {
    var scales = (x: x.scale, y: y.scale)
    for layer in layers {
      switch layer {
      case .bars: scales.x = .linear
      case .barcode: scales.y = .linear
      default: break
      }
    }
    return scales
  }

  /// For each layer, its place among the series: those take turns that leave their colour open.
  var turns: [Int] {
    var next = 0
    return layers.map { layer in
      defer { if layer.takesTurn { next += 1 } }
      return next
    }
  }
}

extension Layer {
  /// Whether the next series has another colour than this one.
  fileprivate var takesTurn: Bool {
    switch self {
    case .line(_, _, _, let style), .steps(_, _, _, let style), .path(_, _, _, let style):
      style.colour == .automatic
    case .points(_, _, _, let style): style.colour == .automatic
    case .histogram(_, _, _, let colour): colour == .automatic
    default: false
    }
  }

  /// Points whose bounding box the axes must show; NaN where a layer leaves a coordinate open.
  func outline(x xScale: Axis.Scale, y yScale: Axis.Scale) -> [Point] {
    let free = Double.nan
    func shown(_ points: [Point]) -> [Point] {
      points.filter { Span.admits($0.x, xScale) && Span.admits($0.y, yScale) }
    }
    switch self {
    case .line(let x, let y, _, _), .points(let x, let y, _, _), .path(let x, let y, _, _):
      return shown(pairs(x, y))
    case .band(let x, let low, let high, _, _):
      return shown(pairs(x, low) + pairs(x, high))
    case .steps(let edges, let counts, _, _), .histogram(let edges, let counts, _, _):
      precondition(
        edges.count == counts.count + 1, "\(edges.count) edges of \(counts.count) counts")
      let tops = shown(
        pairs(Array(edges.dropLast()), counts) + pairs(Array(edges.dropFirst()), counts))
      return tops + (tops.isEmpty || yScale == .logarithmic ? [] : [Point(x: free, y: 0)])
    case .bars(let categories, let series):
      for one in series {
        precondition(
          one.values.count == categories.count,
          "\(one.values.count) values of \(categories.count) categories")
      }
      let heights = series.flatMap(\.values).filter { Span.admits($0, yScale) }
      guard let least = heights.min() else { return [] }
      // On a logarithmic axis the least bar keeps some height.
      let base = yScale == .linear ? 0 : least / 2
      return heights.map { Point(x: free, y: $0) }
        + [Point(x: -0.6, y: base), Point(x: Double(categories.count) - 0.4, y: base)]
    case .heatMap(let x, let y, _, _, _, _):
      let (columns, rows) = (CellEdges(x, xScale), CellEdges(y, yScale))
      guard let left = columns.ends, let low = rows.ends else { return [] }
      return [Point(x: left.low, y: low.low), Point(x: left.high, y: low.high)]
    case .contours(let x, let y, _, _, _, _):
      guard !x.isEmpty, !y.isEmpty else { return [] }
      return shown(pairs([x[0], x[x.count - 1]], [y[0], y[y.count - 1]]))
    case .vectors(let x, let y, let dx, let dy, _):
      return shown(pairs(x, y)) + shown(pairs(sum(x, dx), sum(y, dy)))
    case .verticalMark(let x, _):
      return Span.admits(x, xScale) ? [Point(x: x, y: free)] : []
    case .horizontalMark(let y, _):
      return Span.admits(y, yScale) ? [Point(x: free, y: y)] : []
    case .text(let x, let y, _): return shown([Point(x: x, y: y)])
    case .barcode(let intervals):
      let ends = intervals.filter { Span.admits($0.birth, xScale) }
      guard !ends.isEmpty else { return [] }
      let deaths = ends.map(\.death).filter { Span.admits($0, xScale) }
      var extent = Extent()
      for end in ends.map(\.birth) + deaths { extent.include(end) }
      // What does not end goes beyond what does.
      let span = Span(extent, range: nil, scale: xScale, padding: 0)
      let high = deaths.count < ends.count ? span.value(1.08) : span.high
      return [Point(x: extent.low, y: free), Point(x: high, y: free)]
        + [Point(x: free, y: -0.5), Point(x: free, y: Double(ends.count) - 0.5)]
    }
  }
}

/// Entry by entry.
func sum(_ a: [Double], _ b: [Double]) -> [Double] {
  precondition(a.count == b.count, "\(a.count) and \(b.count) coordinates")
  return zip(a, b).map(+)
}
