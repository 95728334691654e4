/// The coboundaries of edges. The triangle with the longest edge f and the opposite vertex w has the row (f, w).
///
/// An edge e that is the longest of a triangle makes an apparent pair with its first one. What is left are the edges
/// that are neither the longest of a triangle nor in the minimal spanning forest: some of the relative neighbourhood
/// graph.
struct RipsEdges: RipsCoboundary {
  let graph: RipsGraph
  private let modulus: UInt32
  /// For each edge the first vertex that makes a triangle of which it is the longest edge, or −1.
  private let apparent: [Int32]

  init(_ graph: RipsGraph, modulus: UInt32) {
    (self.graph, self.modulus) = (graph, modulus)
    apparent = graph.apparentVertices
  }

  var majors: Int { graph.edgeCount }
  var minors: Int { graph.count }

  /// The edges to reduce.
  var columns: [Int] {
    var isCleared = apparent.map { $0 >= 0 }
    for e in graph.spanningEdges { isCleared[e] = true }
    return isCleared.indices.filter { !isCleared[$0] }
  }

  func apparentFace(_ f: Int, _ w: Int32) -> (simplex: Int, sign: Int)? {
    guard apparent[f] == w else { return nil }
    return (f, graph.tails[f] < w && w < graph.heads[f] ? -1 : 1)
  }

  /// [edge : triangle] is −1 where the third vertex is between the two of the edge.
  func add(_ edge: Int, _ factor: UInt32, to work: inout RipsColumn) {
    let (i, j) = (Int(graph.tails[edge]), Int(graph.heads[edge]))
    add(edge, i, j, 0..<i, factor, to: &work)
    add(edge, i, j, i + 1..<j, modulus - factor, to: &work)
    add(edge, i, j, j + 1..<graph.count, factor, to: &work)
  }

  @inline(__always) private func add(
    _ edge: Int, _ i: Int, _ j: Int, _ vertices: Range<Int>, _ value: UInt32,
    to work: inout RipsColumn
  ) {
    let rank = Int32(truncatingIfNeeded: edge)
    let (a, b) = (i * graph.count, j * graph.count)
    for v in vertices {
      let (first, second) = (graph.ranks[a + v], graph.ranks[b + v])
      let longest = max(first, second)
      if longest == RipsGraph.none { continue }
      if longest < rank {
        work.add(rank, Int32(truncatingIfNeeded: v), value)
      } else if first > second {
        work.add(first, Int32(truncatingIfNeeded: j), value)
      } else {
        work.add(second, Int32(truncatingIfNeeded: i), value)
      }
    }
  }
}
