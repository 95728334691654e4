/// Horizontal coordinates of a layered graph: as many straight vertical lines as the order allows.
///
/// Each node is aligned with at most one node above and one below, along the longest paths first, so
/// that the nodes fall into straight blocks (in the manner of Brandes, Köpf 2002,
/// doi:10.1007/3-540-45848-4_3). Sweeps pull each block towards its neighbours; then the blocks move
/// as wholes until they keep their distances.
struct Straightening {
  private let graph: LayeredGraph
  /// The least distance from each node to its left neighbour.
  private let separation: [Double]
  /// The node that each node is aligned with.
  private(set) var mateAbove: [Int?]
  private(set) var mateBelow: [Int?]

  /// Chooses the blocks.
  ///
  /// - Parameter distance: the least between the centres of two neighbours of a layer.
  init(_ graph: LayeredGraph, distance: (Int, Int) -> Double) {
    self.graph = graph
    var separation = [Double](repeating: 0, count: graph.nodeCount)
    for layer in graph.layers {
      for (a, b) in zip(layer, layer.dropFirst()) { separation[b] = distance(a, b) }
    }
    self.separation = separation
    mateAbove = [Int?](repeating: nil, count: graph.nodeCount)
    mateBelow = mateAbove
    align()
  }

  /// The centre of each node.
  func positions(sweeps: Int = 10) -> [Double] {
    var x = [Double](repeating: 0, count: graph.nodeCount)
    for _ in 0..<sweeps {
      for l in graph.layers.indices { place(l, isDown: true, &x) }
      for l in graph.layers.indices.reversed() { place(l, isDown: false, &x) }
    }
    return straightened(x)
  }

  // MARK: Blocks

  /// Chooses the mates: between two layers no two chosen segments cross or share an end.
  private mutating func align() {
    // The most edges on a path from each node on.
    var height = [Int](repeating: 0, count: graph.nodeCount)
    for v in graph.layers.reversed().joined() {
      let longest = graph.below[v].map { height[graph.segments[$0].lower] }.max()
      if let longest { height[v] = longest + (graph.isBend(v) ? 0 : 1) }
    }

    for l in graph.layers.indices.dropLast() {
      let ranked = graph.segmentsBelow(layer: l).map { rank($0, height) }.sorted(by: <)
      var chosen: [LayeredGraph.Segment] = []
      for (_, _, _, s) in ranked {
        let segment = graph.segments[s]
        let (u, v) = (graph.position[segment.upper], graph.position[segment.lower])
        let isFree = chosen.allSatisfy {
          let (p, q) = (graph.position[$0.upper], graph.position[$0.lower])
          return (u < p && v < q) || (u > p && v > q)
        }
        guard isFree else { continue }
        chosen.append(segment)
        mateBelow[segment.upper] = segment.lower
        mateAbove[segment.lower] = segment.upper
      }
    }
  }

  /// What is smaller is straightened first: segments between vertices by the length of the longest
  /// path through them, the main line of a network before its skips; then lines between bends, then
  /// their ends; and the middle one of a fan where that leaves a choice.
  private func rank(_ s: Int, _ height: [Int]) -> (Int, Int, Double, Int) {
    let (upper, lower) = (graph.segments[s].upper, graph.segments[s].lower)
    let bends = (graph.isBend(upper) ? 1 : 0) + (graph.isBend(lower) ? 1 : 0)
    let fan = graph.below[upper].map { Double(graph.position[graph.segments[$0].lower]) }
    let cofan = graph.above[lower].map { Double(graph.position[graph.segments[$0].upper]) }
    return (
      bends == 0 ? 0 : 3 - bends, bends == 0 ? -(graph.layer[upper] + height[lower]) : 0,
      abs(Double(graph.position[lower]) - median(fan))
        + abs(Double(graph.position[upper]) - median(cofan)), s
    )
  }

  /// The blocks from top to bottom, and the block of each node.
  private func blocks() -> (nodes: [[Int]], of: [Int]) {
    var nodes: [[Int]] = []
    var of = [Int](repeating: 0, count: graph.nodeCount)
    for v in graph.layers.joined() {
      if let mate = mateAbove[v] {
        of[v] = of[mate]
        nodes[of[v]].append(v)
      } else {
        of[v] = nodes.count
        nodes.append([v])
      }
    }
    return (nodes, of)
  }

  // MARK: Coordinates

  /// Places layer l as near to its neighbours above or below as the distances allow; a mate counts
  /// as much as a thousand others.
  private func place(_ l: Int, isDown: Bool, _ x: inout [Double]) {
    let layer = graph.layers[l]
    var desired: [Double] = []
    var weights: [Double] = []
    for v in layer {
      let mate = isDown ? mateAbove[v] : mateBelow[v]
      let near =
        isDown
        ? graph.above[v].map { x[graph.segments[$0].upper] }
        : graph.below[v].map { x[graph.segments[$0].lower] }
      desired.append(mate.map { x[$0] } ?? (near.isEmpty ? x[v] : median(near)))
      weights.append(mate == nil ? 1 : 1000)
    }
    let placed = separated(
      desired, weights: weights, by: layer.dropFirst().map { separation[$0] })
    for (v, value) in zip(layer, placed) { x[v] = value }
  }

  /// Coordinates near x in which every block is a vertical line and all distances are kept.
  private func straightened(_ x: [Double]) -> [Double] {
    let (nodes, of) = blocks()
    var place = nodes.map { block in block.reduce(0) { $0 + x[$1] } / Double(block.count) }
    // The largest distance that any layer asks of two blocks.
    var distance: [Int: [Int: Double]] = [:]
    for layer in graph.layers {
      for (a, b) in zip(layer, layer.dropFirst()) {
        let known = distance[of[a], default: [:]][of[b], default: 0]
        distance[of[a], default: [:]][of[b]] = max(known, separation[b])
      }
    }
    let order = leftToRight(distance, count: nodes.count)
    let pairs = order.flatMap { a in
      (distance[a] ?? [:]).sorted { $0.key < $1.key }.map { (a, $0.key, $0.value) }
    }
    // Project onto one violated distance after the other; the last pass settles what is left.
    for _ in 0..<100 {
      var worst = 0.0
      for (a, b, least) in pairs where place[b] - place[a] < least {
        let missing = least - (place[b] - place[a])
        let (m, n) = (Double(nodes[a].count), Double(nodes[b].count))
        place[a] -= missing * n / (m + n)
        place[b] += missing * m / (m + n)
        worst = max(worst, missing)
      }
      if worst < 0.01 { break }
    }
    for (a, b, least) in pairs { place[b] = max(place[b], place[a] + least) }
    return (0..<graph.nodeCount).map { place[of[$0]] }
  }

  /// The blocks in an order in which each follows those on its left.
  private func leftToRight(_ distance: [Int: [Int: Double]], count: Int) -> [Int] {
    var waiting = [Int](repeating: 0, count: count)
    for row in distance.values { for b in row.keys { waiting[b] += 1 } }
    var order = (0..<count).filter { waiting[$0] == 0 }
    var next = 0
    while next < order.count {
      for b in (distance[order[next]] ?? [:]).keys.sorted() {
        waiting[b] -= 1
        if waiting[b] == 0 { order.append(b) }
      }
      next += 1
    }
    return order
  }
}

/// The middle value, or the mean of the two middle values.
func median(_ values: [Double]) -> Double {
  let sorted = values.sorted()
  return (sorted[(sorted.count - 1) / 2] + sorted[sorted.count / 2]) / 2
}

/// The point x nearest to `desired`, Σ wᵢ(xᵢ − dᵢ)² least, with xᵢ₊₁ − xᵢ ≥ distances[i].
///
/// In yᵢ = xᵢ − Σ_{j<i} distances[j] it is an isotonic regression: neighbours out of order are
/// pooled at their mean. O(n).
func separated(_ desired: [Double], weights: [Double], by distances: [Double]) -> [Double] {
  var offset = 0.0
  var offsets: [Double] = []
  var pools: [(mean: Double, weight: Double, count: Int)] = []
  for (i, d) in desired.enumerated() {
    if i > 0 { offset += distances[i - 1] }
    offsets.append(offset)
    var pool = (mean: d - offset, weight: weights[i], count: 1)
    while let last = pools.last, last.mean > pool.mean {
      pools.removeLast()
      let weight = last.weight + pool.weight
      pool.mean = (last.mean * last.weight + pool.mean * pool.weight) / weight
      pool = (pool.mean, weight, pool.count + last.count)
    }
    pools.append(pool)
  }
  return zip(pools.flatMap { [Double](repeating: $0.mean, count: $0.count) }, offsets).map(+)
}
