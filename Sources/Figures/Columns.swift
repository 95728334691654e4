/// The layers of a layout cut into columns, and their heights.
///
/// The segments across a cut run in tracks: below the foot of the column, upwards in the gutter on
/// its right and over the head of the next. The tracks are nested, the segment furthest to the left
/// in the outermost at the foot and in the innermost at the head, so they cross only where the
/// segments themselves would.
struct Columns {
  /// The layers of each column.
  let ranges: [Range<Int>]
  /// The segments across each cut in the order of their upper ends.
  private(set) var crossing: [[Int]] = []
  /// The y-coordinate of the head of each layer.
  private(set) var top: [Double]
  private(set) var height = 0.0

  private let graph: LayeredGraph
  private let ports: Ports
  private let spacing: LayeredLayout.Spacing
  private let column: [Int]

  init(
    _ graph: LayeredGraph, x: [Double], _ ports: Ports, _ spacing: LayeredLayout.Spacing
  ) {
    self.graph = graph
    self.ports = ports
    self.spacing = spacing
    // How far the lines below each layer run to the side asks for more height.
    let gaps = graph.layers.indices.map { l in
      let run = graph.segmentsBelow(layer: l).map { abs(ports.upper[$0] - ports.lower[$0]) }.max()
      return min(spacing.layerGap + (run ?? 0) / 8, spacing.widestLayerGap)
    }
    let heights = gaps.map { $0 + spacing.boxHeight }
    ranges = Self.cut(graph, heights: heights, width: x.max()! - x.min()!, spacing)
    column = ranges.enumerated().flatMap { c, range in range.map { _ in c } }
    for range in ranges.dropLast() {
      crossing.append(
        graph.segmentsBelow(layer: range.upperBound - 1).sorted {
          (ports.upper[$0], ports.lower[$0], $0) < (ports.upper[$1], ports.lower[$1], $1)
        })
    }

    let tracks = crossing.map { Double($0.count - 1) * spacing.trackGap }
    top = []
    for (c, range) in ranges.enumerated() {
      var y = tracks.max().map { $0 + spacing.layerGap } ?? 0
      for l in range {
        top.append(y)
        y += heights[l]
      }
      let foot = top[range.upperBound - 1] + spacing.boxHeight
      height = max(
        height, c < tracks.count ? foot + spacing.trackMargin + tracks[c] : foot)
    }
  }

  /// Cuts a tall drawing where the fewest lines cross the cut, near equal parts.
  private static func cut(
    _ graph: LayeredGraph, heights: [Double], width: Double, _ spacing: LayeredLayout.Spacing
  ) -> [Range<Int>] {
    let layers = graph.layers.count
    var count = (layers + spacing.columnLayers - 1) / spacing.columnLayers
    // Broad drawings stay whole: columns are to make a long drawing squarer.
    let total = heights.reduce(0, +)
    while count > 1 && width * Double(count) > 2 * total / Double(count) { count -= 1 }
    let ends = heights.reduce(into: [0.0]) { $0.append($0.last! + $1) }
    var cuts = [0]
    for c in 1..<max(count, 1) {
      let ideal = ends.firstIndex { $0 >= Double(c) * total / Double(count) }!
      let slack = min(4, layers / count / 4)
      let lowest = max(cuts.last! + 1, ideal - slack)
      guard lowest < layers else { break }
      let lines = { (l: Int) in graph.segmentsBelow(layer: l - 1).count }
      cuts.append(
        (lowest...max(lowest, min(layers - 1, ideal + slack))).min {
          (lines($0), abs($0 - ideal), $0) < (lines($1), abs($1 - ideal), $1)
        }!)
    }
    return zip(cuts, cuts.dropFirst() + [layers]).map { $0..<$1 }
  }

  /// The column of a node.
  func index(of node: Int) -> Int { column[graph.layer[node]] }

  /// The width between a column and the next.
  func gutterWidth(after c: Int) -> Double {
    2 * spacing.trackMargin + Double(crossing[c].count - 1) * spacing.trackGap
  }

  /// The free strip above layer l, from top to bottom.
  func gap(above l: Int) -> ClosedRange<Double> {
    let isHead = l == ranges[column[l]].lowerBound
    return
      (isHead
      ? top[l] - spacing.layerGap + spacing.cornerRadius : top[l - 1] + spacing.boxHeight)...top[l]
  }

  /// The part of a segment in the strip above the layer of its lower end: all of it, unless it
  /// comes from another column.
  func gapPath(_ s: Int) -> Path {
    let segment = graph.segments[s]
    let strip = gap(above: graph.layer[segment.lower])
    let isWhole = index(of: segment.upper) == index(of: segment.lower)
    var path = Path(
      from: Point(x: isWhole ? ports.upper[s] : ports.lower[s], y: strip.lowerBound))
    let arrow = graph.isBend(segment.lower) ? 0 : spacing.arrowLength
    path.addCurve(to: Point(x: ports.lower[s], y: strip.upperBound - arrow))
    path.addLine(to: Point(x: ports.lower[s], y: strip.upperBound))
    return path
  }

  /// The part of a segment before its `gapPath`, when it comes from the column before.
  ///
  /// - Parameters:
  ///   - start: the x-coordinate of its upper end.
  ///   - end: the x-coordinate of its lower end.
  ///   - gutter: the right end of its column.
  func trackPath(_ s: Int, from start: Double, to end: Double, gutter: Double) -> Path {
    let c = index(of: graph.segments[s].upper)
    let place = crossing[c].firstIndex(of: s)!
    let outer = Double(crossing[c].count - 1 - place) * spacing.trackGap
    let foot = top[ranges[c].upperBound - 1] + spacing.boxHeight
    let footTrack = foot + spacing.trackMargin + outer
    let gutterTrack = gutter + spacing.trackMargin + outer
    let strip = gap(above: ranges[c + 1].lowerBound).lowerBound
    let headTrack = strip - spacing.cornerRadius - Double(place) * spacing.trackGap
    var path = Path(from: Point(x: start, y: foot))
    path.addRoundedLine(
      through: [
        Point(x: start, y: footTrack), Point(x: gutterTrack, y: footTrack),
        Point(x: gutterTrack, y: headTrack), Point(x: end, y: headTrack),
      ], to: Point(x: end, y: strip), radius: spacing.cornerRadius)
    return path
  }
}
