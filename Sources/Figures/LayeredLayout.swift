/// Boxes, lines and places of labels for a directed acyclic graph, drawn from top to bottom.
///
/// Between two layers lines run in a gap that no box reaches into; past a layer they run vertically
/// at the place of a bend. So no line meets a box but at its ends. A drawing of many layers is cut
/// into columns.
struct LayeredLayout: Sendable {
  /// The box of each vertex.
  private(set) var boxes: [Box] = []
  /// The line of each edge, from the foot of its source to the head of its target.
  private(set) var routes: [Path] = []
  /// The end of each line that no edge before it shares.
  private(set) var branches: [Path] = []
  /// The place of the label of each edge, where it has one.
  private(set) var labels: [Box?] = []
  private(set) var width = 0.0
  private(set) var height = 0.0
  /// The number of columns.
  private(set) var columnCount = 0

  /// - Parameters:
  ///   - widths: the least width of each box.
  ///   - labelWidths: of each edge, 0 for none.
  init(
    widths: [Double], edges: [LayeredGraph.Edge], labelWidths: [Double],
    spacing: Spacing = Spacing()
  ) {
    let graph = LayeredGraph(vertexCount: widths.count, edges: edges)
    guard graph.nodeCount > 0 else { return }
    let boxWidths = widths.indices.map { v in
      max(
        widths[v],
        Ports.boxWidth(forPorts: max(graph.above[v].count, graph.below[v].count), spacing))
    }
    var notes = [Double](repeating: 0, count: graph.nodeCount)
    for (edge, label) in zip(edges, labelWidths) where label > 0 {
      notes[edge.target] = max(notes[edge.target], label + 2 * spacing.labelGap)
    }
    let straightening = Straightening(graph) { a, b in
      let half = [a, b].map { graph.isBend($0) ? 0 : boxWidths[$0] / 2 }.reduce(0, +)
      switch (graph.isBend(a), graph.isBend(b)) {
      case (true, true): return spacing.bendGap
      // Room for the label beside the vertical line to a box,
      case (false, false): return max(half + spacing.boxGap, notes[a], notes[b])
      // also on the right of a box that stands between two other nodes.
      case (false, true) where graph.position[a] > 0: return max(half + spacing.mixedGap, notes[a])
      default: return half + spacing.mixedGap
      }
    }
    let x = straightening.positions()
    let ports = Ports(graph, straightening, x: x, boxWidths: boxWidths, spacing)
    let columns = Columns(graph, x: x, ports, spacing)
    let gapPaths = graph.segments.indices.map(columns.gapPath)
    labels = EdgeLabels(graph, gapPaths, columns, spacing).places(widths: labelWidths)

    // Until here all columns stand where the whole would; now they move side by side.
    var shifts: [Double] = []
    var rights: [Double] = []
    for (c, range) in columns.ranges.enumerated() {
      var (low, high) = (Double.infinity, -Double.infinity)
      for v in graph.layers[range].joined() {
        let half = graph.isBend(v) ? 0 : boxWidths[v] / 2
        (low, high) = (min(low, x[v] - half), max(high, x[v] + half))
      }
      for (edge, box) in zip(edges, labels) where columns.index(of: edge.target) == c {
        if let box { (low, high) = (min(low, box.left), max(high, box.right)) }
      }
      if c > 0 { width += columns.gutterWidth(after: c - 1) }
      shifts.append(width - low)
      width += high - low
      rights.append(width)
    }
    height = columns.height
    columnCount = columns.ranges.count

    boxes = boxWidths.indices.map { v in
      Box(
        left: x[v] + shifts[columns.index(of: v)] - boxWidths[v] / 2,
        top: columns.top[graph.layer[v]], width: boxWidths[v], height: spacing.boxHeight)
    }
    for (e, edge) in edges.enumerated() where labels[e] != nil {
      labels[e]!.left += shifts[columns.index(of: edge.target)]
    }
    let paths = graph.segments.indices.map { s in
      let (upper, lower) = (graph.segments[s].upper, graph.segments[s].lower)
      let (from, to) = (columns.index(of: upper), columns.index(of: lower))
      let path = gapPaths[s].shifted(by: shifts[to])
      guard from != to else { return path }
      var track = columns.trackPath(
        s, from: ports.upper[s] + shifts[from], to: path.start.x, gutter: rights[from])
      track.append(path)
      return track
    }
    let joined = { (route: ArraySlice<Int>) in
      var path = paths[route.first!]
      for s in route.dropFirst() { path.append(paths[s]) }
      return path
    }
    routes = graph.routes.map { joined($0[...]) }
    var drawn: Set<Int> = []
    branches = graph.routes.map { route in
      let own = route.drop { drawn.contains($0) }
      drawn.formUnion(own)
      return joined(own)
    }
  }
}
