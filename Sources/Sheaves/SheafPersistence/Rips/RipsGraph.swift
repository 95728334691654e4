import Foundation
import LinearAlgebra

/// The edges of a Vietoris–Rips filtration, numbered by length; those of one length by their vertices.
///
/// An edge's number is its rank. The rank of a simplex is that of its longest edge, so that all simplices of a
/// dimension are in one order of appearance that needs no ties to be broken but between simplices of one longest
/// edge.
struct RipsGraph: Sendable {
  /// The number of points.
  let count: Int
  /// The length of each edge.
  let lengths: [Double]
  /// The smaller vertex of each edge.
  let tails: [Int32]
  /// The larger one.
  let heads: [Int32]
  /// The rank of the edge between i and j at i · count + j; `none` where there is none.
  let ranks: [Int32]

  /// No edge.
  static let none = Int32.max

  /// The number of edges.
  var edgeCount: Int { lengths.count }

  /// The edges up to a length.
  ///
  /// At the enclosing radius min_i max_j d(i, j) the complex is a cone, and nothing happens beyond.
  ///
  /// - Throws: `tooLarge`, if the edges take more than `memoryLimit` bytes.
  init(
    _ distances: PairwiseDistances, radius: Double, memoryLimit: Double
  ) throws(PersistenceError) {
    let n = distances.count
    count = n
    let threshold = min(radius, distances.enclosingRadius)
    var edges = 0
    for d in distances.condensed where d <= threshold { edges += 1 }
    let bytes = 4 * Double(n) * Double(n) + 40 * Double(edges)
    guard bytes <= memoryLimit else {
      throw .tooLarge(simplices: Double(n + edges), bytes: bytes, available: memoryLimit)
    }
    var order: [Edge] = []
    order.reserveCapacity(edges)
    var place = 0
    for j in 0..<n {
      for i in 0..<j {
        let length = distances.condensed[place]
        place += 1
        if length <= threshold {
          order.append(
            Edge(
              length: length, tail: Int32(truncatingIfNeeded: i), head: Int32(truncatingIfNeeded: j)
            ))
        }
      }
    }
    order.sort()
    var ranks = [Int32](repeating: Self.none, count: n * n)
    for (rank, edge) in order.enumerated() {
      let (i, j) = (Int(edge.tail), Int(edge.head))
      ranks[i * n + j] = Int32(truncatingIfNeeded: rank)
      ranks[j * n + i] = Int32(truncatingIfNeeded: rank)
    }
    self.ranks = ranks
    lengths = order.map(\.length)
    tails = order.map(\.tail)
    heads = order.map(\.head)
  }

  private struct Edge: Comparable {
    let length: Double
    let tail, head: Int32

    static func < (a: Edge, b: Edge) -> Bool {
      if a.length != b.length { return a.length < b.length }
      return a.head != b.head ? a.head < b.head : a.tail < b.tail
    }
  }

  /// The edges that join two components of shorter ones, a minimal spanning forest (Kruskal 1956).
  var spanningEdges: [Int] {
    var sets = DisjointSets(count: count)
    var result: [Int] = []
    for e in 0..<edgeCount where result.count < count - 1 {
      if sets.join(Int(tails[e]), Int(heads[e])) { result.append(e) }
    }
    return result
  }

  /// For each edge the least vertex that makes a triangle of which it is the longest edge, −1 if there is none.
  var apparentVertices: [Int32] {
    var result = [Int32](repeating: -1, count: edgeCount)
    for e in 0..<edgeCount {
      let (a, b) = (Int(tails[e]) * count, Int(heads[e]) * count)
      for v in 0..<count where max(ranks[a + v], ranks[b + v]) < Int32(truncatingIfNeeded: e) {
        result[e] = Int32(truncatingIfNeeded: v)
        break
      }
    }
    return result
  }
}
