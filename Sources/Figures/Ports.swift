/// Where the segments of a layered graph meet its nodes.
///
/// A segment meets the box of a vertex as near as can be to the node at its other end, in the order
/// of these nodes and at a distance from the next segment; it meets a bend at its only point.
struct Ports {
  /// The x-coordinate of the upper end of each segment.
  private(set) var upper: [Double]
  /// The x-coordinate of the lower end of each segment.
  private(set) var lower: [Double]

  init(
    _ graph: LayeredGraph, _ straightening: Straightening, x: [Double], boxWidths: [Double],
    _ spacing: LayeredLayout.Spacing
  ) {
    upper = graph.segments.map { x[$0.upper] }
    lower = graph.segments.map { x[$0.lower] }
    for v in 0..<graph.vertexCount {
      let reach = max(0, boxWidths[v] / 2 - spacing.portInset)
      let below = Self.spread(
        graph.below[v], otherEnd: { graph.segments[$0].lower },
        mate: straightening.mateBelow[v], graph, x: x, around: x[v], reach: reach, spacing)
      for (s, value) in below { upper[s] = value }
      let above = Self.spread(
        graph.above[v], otherEnd: { graph.segments[$0].upper },
        mate: straightening.mateAbove[v], graph, x: x, around: x[v], reach: reach, spacing)
      for (s, value) in above { lower[s] = value }
    }
  }

  /// The width of a box with room for a number of segments on one side, one of them in the middle.
  static func boxWidth(forPorts count: Int, _ spacing: LayeredLayout.Spacing) -> Double {
    min(spacing.widestPorts, Double(count) * spacing.portGap + 2 * spacing.portInset)
  }

  /// The ports of the segments on one side of a vertex.
  private static func spread(
    _ segments: [Int], otherEnd: (Int) -> Int, mate: Int?, _ graph: LayeredGraph, x: [Double],
    around centre: Double, reach: Double, _ spacing: LayeredLayout.Spacing
  ) -> [(segment: Int, x: Double)] {
    guard !segments.isEmpty else { return [] }
    let ordered = segments.sorted {
      (graph.position[otherEnd($0)], $0) < (graph.position[otherEnd($1)], $1)
    }
    let gap = min(spacing.portGap, 2 * reach / Double(max(1, segments.count - 1)))
    let desired = ordered.map { min(max(x[otherEnd($0)], centre - reach), centre + reach) }
    // The straight line keeps its place.
    let places = separated(
      desired, weights: ordered.map { otherEnd($0) == mate ? 1000 : 1 },
      by: ordered.dropFirst().map { _ in gap })
    let last = Double(ordered.count - 1)
    return zip(ordered, places).enumerated().map { i, port in
      let low = centre - reach + Double(i) * gap
      let high = centre + reach - (last - Double(i)) * gap
      return (port.0, min(max(port.1, low), high))
    }
  }
}
