/// A directed acyclic graph in layers, every edge of which is a chain of segments between
/// neighbouring layers (Sugiyama, Tagawa, Toda 1981, doi:10.1109/TSMC.1981.4308636).
///
/// The layer of a vertex is the most edges on a path to it. An edge over several layers bends in
/// nodes of its own; edges of one bundle that leave one vertex share them, so that a quantity which
/// is read many times is one line with branches.
struct LayeredGraph: Sendable {
  /// One edge of the drawing, from a lower to a higher vertex.
  struct Edge: Sendable {
    var source, target: Int
    /// Edges of different bundles have no bend in common.
    var bundle = 0
  }

  /// A piece of one or several edges between neighbouring layers.
  struct Segment: Sendable {
    var upper, lower: Int
  }

  /// The vertices are the nodes 0..<vertexCount, bends follow.
  let vertexCount: Int
  /// The layer of each node.
  private(set) var layer: [Int]
  /// The nodes of each layer from left to right.
  private(set) var layers: [[Int]] = []
  private(set) var segments: [Segment] = []
  /// The segments of each edge from top to bottom.
  private(set) var routes: [[Int]] = []
  /// The segments that end in each node, and those that start there.
  private(set) var above: [[Int]] = []
  private(set) var below: [[Int]] = []
  /// The place of each node in its layer.
  private(set) var position: [Int] = []

  var nodeCount: Int { layer.count }

  func isBend(_ node: Int) -> Bool { node >= vertexCount }

  /// Layers the graph and reduces the crossings.
  init(vertexCount: Int, edges: [Edge], sweeps: Int = 8) {
    self.vertexCount = vertexCount
    layer = [Int](repeating: 0, count: vertexCount)
    for edge in edges.sorted(by: { $0.target < $1.target }) {
      layer[edge.target] = max(layer[edge.target], layer[edge.source] + 1)
    }
    // A root other than vertex 0 hangs right above its first successor.
    var isRoot = [Bool](repeating: true, count: vertexCount)
    var first = [Int?](repeating: nil, count: vertexCount)
    for edge in edges {
      isRoot[edge.target] = false
      first[edge.source] = min(first[edge.source] ?? .max, layer[edge.target])
    }
    for v in layer.indices.dropFirst() where isRoot[v] { layer[v] = (first[v] ?? 1) - 1 }
    let bendSources = addSegments(edges)
    above = [[Int]](repeating: [], count: nodeCount)
    below = above
    for (s, segment) in segments.enumerated() {
      above[segment.lower].append(s)
      below[segment.upper].append(s)
    }
    // Bends stand right of the vertices, those of the latest source first: in a chain with nested
    // skips no line then has to cross another in order to leave.
    layers = [[Int]](repeating: [], count: (layer.max() ?? -1) + 1)
    for v in 0..<vertexCount { layers[layer[v]].append(v) }
    for (i, _) in bendSources.enumerated().sorted(by: {
      ($1.element, $0.offset) < ($0.element, $1.offset)
    }) {
      layers[layer[vertexCount + i]].append(vertexCount + i)
    }
    position = [Int](repeating: 0, count: nodeCount)
    for l in layers.indices { readPositions(of: l) }
    reduceCrossings(sweeps: sweeps)
  }

  private struct BendKey: Hashable {
    var source, bundle, layer: Int
  }

  /// Cuts the edges into segments; returns the source of each bend.
  private mutating func addSegments(_ edges: [Edge]) -> [Int] {
    var bends: [BendKey: (node: Int, segment: Int)] = [:]
    var sources: [Int] = []
    for edge in edges {
      var route: [Int] = []
      var last = edge.source
      for l in stride(from: layer[edge.source] + 1, to: layer[edge.target], by: 1) {
        let key = BendKey(source: edge.source, bundle: edge.bundle, layer: l)
        if bends[key] == nil {
          bends[key] = (nodeCount, segments.count)
          segments.append(Segment(upper: last, lower: nodeCount))
          layer.append(l)
          sources.append(edge.source)
        }
        last = bends[key]!.node
        route.append(bends[key]!.segment)
      }
      route.append(segments.count)
      segments.append(Segment(upper: last, lower: edge.target))
      routes.append(route)
    }
    return sources
  }

  /// The segments from layer l to the next.
  func segmentsBelow(layer l: Int) -> [Int] { layers[l].flatMap { below[$0] } }

  private mutating func readPositions(of l: Int) {
    for (i, node) in layers[l].enumerated() { position[node] = i }
  }

  /// Sorts each layer by the barycentres of the neighbours above, then below, and keeps the order
  /// with the fewest crossings. Nodes without neighbours there keep to their places.
  private mutating func reduceCrossings(sweeps: Int) {
    var best = (layers: layers, crossings: crossings)
    for sweep in 0..<sweeps where best.crossings > 0 {
      let down = sweep % 2 == 0
      for l in down ? Array(layers.indices) : layers.indices.reversed() {
        let centre = layers[l].map { node in
          let neighbours =
            down
            ? above[node].map { position[segments[$0].upper] }
            : below[node].map { position[segments[$0].lower] }
          return neighbours.isEmpty
            ? Double(position[node])
            : Double(neighbours.reduce(0, +)) / Double(neighbours.count)
        }
        let order = centre.indices.sorted { (centre[$0], $0) < (centre[$1], $1) }
        layers[l] = order.map { layers[l][$0] }
        readPositions(of: l)
      }
      let count = crossings
      if count < best.crossings { best = (layers, count) }
    }
    layers = best.layers
    for l in layers.indices { readPositions(of: l) }
  }

  /// The number of pairs of segments that cross.
  var crossings: Int {
    var count = 0
    for l in layers.indices.dropLast() {
      // Inversions of the lower ends in the order of the upper ends, by a Fenwick tree.
      let ends = layers[l].flatMap { node in
        below[node].map { position[segments[$0].lower] }.sorted()
      }
      var tree = [Int](repeating: 0, count: layers[l + 1].count + 1)
      for (seen, end) in ends.enumerated() {
        var notGreater = 0
        var i = end + 1
        while i > 0 {
          notGreater += tree[i]
          i -= i & -i
        }
        count += seen - notGreater
        i = end + 1
        while i < tree.count {
          tree[i] += 1
          i += i & -i
        }
      }
    }
    return count
  }
}
