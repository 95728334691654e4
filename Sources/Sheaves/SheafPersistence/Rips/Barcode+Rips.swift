import ExactAlgebra
import Foundation
import LinearAlgebra

extension Barcode {
  /// The barcode of the Vietoris–Rips filtration of points with constant coefficients in GF(p), in degrees 0, 1 and
  /// 2, without making the complex (`RipsReduction`): a simplex appears at the largest distance of two of its points.
  ///
  /// - Parameters:
  ///   - points: one per column, (d, n), finite.
  ///   - radius: the largest distance of joined points, ∞ for all; bars that are there at this radius have the death
  ///     ∞.
  ///   - maximumDegree: 0, 1 or 2; for degree 2 every triangle is looked at once.
  ///   - p: the characteristic.
  ///   - memoryLimit: of the distances and edges in bytes, half of the machine's memory by default.
  /// - Throws: `tooLarge` with the number of vertices and edges; `quantity`; `coefficients` for a p that is no prime.
  /// - Complexity: O(n² log n) for the edges, and for degree 1 n operations for each edge of a combination that is
  ///   added to a column.
  public static func vietorisRips(
    points: Matrix, radius: Double = .infinity, maximumDegree: Int = 1, modulo p: Int = 2,
    memoryLimit: Double = Double(ProcessInfo.processInfo.physicalMemory) / 2
  ) throws(PersistenceError) -> Barcode {
    try vietorisRips(
      PairwiseDistances(points: points, memoryLimit: memoryLimit), radius, maximumDegree, p,
      memoryLimit)
  }

  /// The same from pairwise distances, a symmetric matrix of numbers from 0 on; they need not fulfil the triangle
  /// inequality.
  public static func vietorisRips(
    distances: Matrix, radius: Double = .infinity, maximumDegree: Int = 1, modulo p: Int = 2,
    memoryLimit: Double = Double(ProcessInfo.processInfo.physicalMemory) / 2
  ) throws(PersistenceError) -> Barcode {
    try vietorisRips(
      PairwiseDistances(distances, memoryLimit: memoryLimit), radius, maximumDegree, p, memoryLimit)
  }

  private static func vietorisRips(
    _ distances: PairwiseDistances, _ radius: Double, _ maximumDegree: Int, _ p: Int,
    _ memoryLimit: Double
  ) throws(PersistenceError) -> Barcode {
    guard radius >= 0 else {
      throw .quantity(name: "radius", found: "\(radius)", expected: "a number from 0 on")
    }
    precondition((0...2).contains(maximumDegree), "degree \(maximumDegree), expected 0, 1 or 2")
    let field: PrimeField
    do { field = try PrimeField(p) } catch { throw .coefficients(.notAPrime(error)) }
    let graph = try RipsGraph(distances, radius: radius, memoryLimit: memoryLimit)
    let spanning = graph.spanningEdges
    var intervals = spanning.map {
      PersistenceInterval(degree: 0, birth: 0, death: graph.lengths[$0])
    }
    for _ in spanning.count..<max(graph.count, spanning.count) {
      intervals.append(PersistenceInterval(degree: 0, birth: 0, death: .infinity))
    }
    if maximumDegree >= 1 {
      let modulus = UInt32(truncatingIfNeeded: p)
      let edges = RipsEdges(graph, modulus: modulus)
      let loops = RipsReduction(edges.columns, of: edges, over: field)
      intervals += bars(loops.bars, degree: 1, graph) { $0 }
      if maximumDegree >= 2 {
        try checkTriangles(graph, memoryLimit)
        let triangles = RipsTriangles(graph, modulus: modulus)
        let columns = triangles.columns { loops.isPivot($0, $1) }
        intervals += bars(
          RipsReduction(columns, of: triangles, over: field).bars, degree: 2, graph
        ) { $0 / graph.count }
      }
    }
    return Barcode(intervals)
  }

  /// The bars of pairs of simplices, each at the length of its longest edge.
  private static func bars(
    _ found: [(simplex: Int, death: Int?)], degree: Int, _ graph: RipsGraph,
    longestEdge: (Int) -> Int
  ) -> [PersistenceInterval] {
    found.map { simplex, death in
      PersistenceInterval(
        degree: degree, birth: graph.lengths[longestEdge(simplex)],
        death: death.map { graph.lengths[$0] } ?? .infinity)
    }
  }

  /// The sums of a column at work need a place for every two points, numbered in 31 bits.
  private static func checkTriangles(
    _ graph: RipsGraph, _ memoryLimit: Double
  ) throws(PersistenceError) {
    let pairs = Double(graph.count) * Double(graph.count)
    let bytes = 8.25 * pairs + 40 * Double(graph.edgeCount)
    guard bytes <= memoryLimit, pairs < Double(Int32.max) else {
      throw .tooLarge(
        simplices: Double(graph.count + graph.edgeCount), bytes: bytes, available: memoryLimit)
    }
  }
}
