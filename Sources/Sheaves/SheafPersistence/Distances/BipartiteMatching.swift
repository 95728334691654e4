/// A matching of largest size in a bipartite graph (Hopcroft, Karp 1973).
///
/// Cost: O(edges · √vertices).
struct BipartiteMatching {
  private let neighbors: [[Int32]]
  /// The partner of each left vertex, −1 without one.
  private(set) var partners: [Int32]
  private var owners: [Int32]
  private var layers: [Int32]
  /// The number of matched pairs.
  private(set) var size = 0

  /// - Parameters:
  ///   - neighbors: of each left vertex those on the right.
  ///   - right: the number of right vertices.
  init(_ neighbors: [[Int32]], right: Int) {
    self.neighbors = neighbors
    partners = [Int32](repeating: -1, count: neighbors.count)
    owners = [Int32](repeating: -1, count: right)
    layers = partners
    while buildLayers() {
      let before = size
      for left in neighbors.indices where partners[left] < 0 { augment(left) }
      if size == before { break }
    }
  }

  /// The lengths of the shortest alternating paths from free left vertices; whether one leads to a free right vertex.
  private mutating func buildLayers() -> Bool {
    var queue: [Int32] = []
    for left in neighbors.indices {
      layers[left] = partners[left] < 0 ? 0 : -1
      if partners[left] < 0 { queue.append(Int32(left)) }
    }
    var (next, isFound) = (0, false)
    while next < queue.count {
      let left = Int(queue[next])
      next += 1
      for right in neighbors[left] {
        let owner = owners[Int(right)]
        if owner < 0 {
          isFound = true
        } else if layers[Int(owner)] < 0 {
          layers[Int(owner)] = layers[left] + 1
          queue.append(owner)
        }
      }
    }
    return isFound
  }

  /// Searches for a path from a free left vertex through the layers, without recursion, and exchanges its pairs.
  private mutating func augment(_ root: Int) {
    var path = [(left: root, next: 0)]
    while let (left, next) = path.last {
      guard next < neighbors[left].count else {
        layers[left] = -1
        path.removeLast()
        continue
      }
      path[path.count - 1].next += 1
      let owner = owners[Int(neighbors[left][next])]
      if owner < 0 {
        for (left, next) in path {
          partners[left] = neighbors[left][next - 1]
        }
        for (left, _) in path { owners[Int(partners[left])] = Int32(left) }
        size += 1
        return
      }
      if layers[Int(owner)] == layers[left] + 1 { path.append((Int(owner), 0)) }
    }
  }
}
