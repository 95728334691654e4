/// The coboundaries of triangles, the one with the longest edge e and the opposite vertex w being e · n + w. The
/// tetrahedron with the longest edge f and the opposite vertices v < w has the row (f, w · n + v).
///
/// The first tetrahedron of the triangle (e, w) with the same longest edge is that with the least v < w, and (e, w)
/// is its last face: an apparent pair. Where there is only a v > w, the last face is another.
struct RipsTriangles: RipsCoboundary {
  let graph: RipsGraph
  private let modulus: UInt32

  init(_ graph: RipsGraph, modulus: UInt32) { (self.graph, self.modulus) = (graph, modulus) }

  var majors: Int { graph.edgeCount }
  var minors: Int { graph.count * graph.count }

  /// The triangles to reduce: neither in an apparent pair nor cleared.
  ///
  /// Cost: for each triangle a search for a vertex that makes it apparent.
  func columns(without isCleared: (_ e: Int, _ w: Int32) -> Bool) -> [Int] {
    let n = graph.count
    var result: [Int] = []
    var between: [Int32] = []
    for e in 0..<graph.edgeCount {
      let rank = Int32(truncatingIfNeeded: e)
      let (a, b) = (Int(graph.tails[e]) * n, Int(graph.heads[e]) * n)
      between.removeAll(keepingCapacity: true)
      for w in 0..<n where max(graph.ranks[a + w], graph.ranks[b + w]) < rank {
        let base = w * n
        let isApparent = between.contains { graph.ranks[base + Int($0)] < rank }
        between.append(Int32(truncatingIfNeeded: w))
        // The first triangle of e is its apparent coface.
        if !isApparent && between.count > 1 && !isCleared(e, Int32(truncatingIfNeeded: w)) {
          result.append(e * n + w)
        }
      }
    }
    return result
  }

  func apparentFace(_ f: Int, _ m: Int32) -> (simplex: Int, sign: Int)? {
    let n = graph.count
    let (w, v) = (Int(m) / n, Int(m) % n)
    let rank = Int32(truncatingIfNeeded: f)
    let (a, b) = (Int(graph.tails[f]) * n, Int(graph.heads[f]) * n)
    for u in 0..<v
    where max(graph.ranks[a + u], graph.ranks[b + u], graph.ranks[w * n + u]) < rank { return nil }
    let before = [Int(graph.tails[f]), Int(graph.heads[f]), w].count { $0 < v }
    return (f * n + w, before % 2 == 0 ? 1 : -1)
  }

  /// [triangle : tetrahedron] alternates with the number of vertices before the fourth.
  func add(_ triangle: Int, _ factor: UInt32, to work: inout RipsColumn) {
    let n = graph.count
    let (e, w) = (triangle / n, triangle % n)
    let (i, j) = (Int(graph.tails[e]), Int(graph.heads[e]))
    let (x, y, z) = (min(i, w), max(i, min(j, w)), max(j, w))
    add(e, w, x, y, z, 0..<x, factor, to: &work)
    add(e, w, x, y, z, x + 1..<y, modulus - factor, to: &work)
    add(e, w, x, y, z, y + 1..<z, factor, to: &work)
    add(e, w, x, y, z, z + 1..<n, modulus - factor, to: &work)
  }

  @inline(__always) private func add(
    _ e: Int, _ w: Int, _ x: Int, _ y: Int, _ z: Int, _ vertices: Range<Int>, _ value: UInt32,
    to work: inout RipsColumn
  ) {
    let n = graph.count
    let rank = Int32(truncatingIfNeeded: e)
    for v in vertices {
      let (p, q, r) = (graph.ranks[x * n + v], graph.ranks[y * n + v], graph.ranks[z * n + v])
      let longest = max(p, q, r)
      if longest == RipsGraph.none { continue }
      if longest < rank {
        work.add(rank, Int32(truncatingIfNeeded: max(v, w) * n + min(v, w)), value)
      } else if longest == p {
        work.add(p, Int32(truncatingIfNeeded: z * n + y), value)
      } else if longest == q {
        work.add(q, Int32(truncatingIfNeeded: z * n + x), value)
      } else {
        work.add(r, Int32(truncatingIfNeeded: y * n + x), value)
      }
    }
  }
}
