import CellComplexes
import LinearAlgebra

/// A Delaunay triangulation of points in ℝ² or ℝ³: simplices whose circumspheres have no point inside, which together
/// are the convex hull (Delaunay 1934).
///
/// It is that of the points moved by 10⁻¹³ of the size of the cloud at random, always the same way (up to 10⁻¹⁰ if rounding
/// asks for it). Where more points than necessary are on one empty sphere there are several triangulations, and this makes one of
/// them, a simplicial complex homeomorphic to a ball in any case. There may be flat simplices: between two cells that
/// are cut along different diagonals, and at the border between points on a line or a plane. Points that are all on a plane or a
/// line, up to rounding, are triangulated there, in fewer dimensions.
///
/// Of points at one place the first is a vertex of cells; each other one hangs on it by an edge of its own, so that
/// every point stays a vertex and no homology changes. That holds for a point, too, that is so close to another that
/// rounding cannot tell them apart on the paraboloid that the triangulation comes from, about 10⁻⁸ of the size of the
/// cloud at most.
public struct DelaunayTriangulation: Sendable, Equatable {
  /// The dimension of the affine hull of the points, −1 without points.
  public let dimension: Int
  /// The simplices of that dimension, in lexicographic order: `dimension` + 1 ascending points each, one after the
  /// other.
  public let cells: [Int32]
  /// Edges to points that are no vertices of cells, two ascending points each, one after the other.
  public let extraEdges: [Int32]
  /// All simplices and the extra edges, with the points as vertices.
  public let complex: SimplicialComplex
  let cloud: PointCloud

  /// The triangulation of points.
  ///
  /// - Parameter points: one per column, (d, n) with d = 2 or 3, finite.
  /// - Throws: `quantity` for points of another dimension and for one that is not finite; where rounding spoils the
  ///   triangulation; in a build without the package trait Qhull, which two and three dimensions need.
  /// - Complexity: O(n log n) in the plane; in space for most clouds nearly so, at worst O(n²), the number of cells.
  public init(points: Matrix) throws(PersistenceError) {
    let cloud = try PointCloud(points)
    var step = 1e-13
    while true {
      do throws(PersistenceError) {
        self = try Self(cloud, joggledBy: step)
        return
      } catch {
        step *= 10
        if step > 1e-10 { throw error }
      }
    }
  }

  /// The triangulation of points that are moved a little, which takes them out of special position.
  ///
  /// Where many points are cospherical up to rounding Qhull merges facets one by one until nothing is left that it could
  /// vouch for: 4000 points on a sphere take 4 seconds and, moved by 10⁻¹⁵, end in an error; moved by more they take 0.2.
  private init(_ cloud: PointCloud, joggledBy step: Double) throws(PersistenceError) {
    let places = cloud.positions.indices.filter { Int(cloud.representatives[$0]) == $0 }
    let frame = cloud.frame
    let d = places.isEmpty ? -1 : frame.count
    let width = max(d + 1, 1)
    var cells = try Self.cells(cloud, places, frame, joggledBy: step).map {
      Int32(truncatingIfNeeded: places[Int($0)])
    }
    for start in stride(from: 0, to: cells.count, by: width) {
      cells[start..<start + width].sort()
    }
    (self.cloud, dimension) = (cloud, d)
    self.cells = SortedSimplices.sorted(cells, width: width, vertices: cloud.positions.count)
    extraEdges = try Self.extraEdges(cloud, places, self.cells)
    complex = SimplicialComplex(
      sorted: SortedSimplices.lists(
        cells: self.cells, dimension: d, edges: extraEdges, vertices: cloud.positions.count))
    try checkIsBall()
  }

  /// The cells by numbers of places.
  private static func cells(
    _ cloud: PointCloud, _ places: [Int], _ frame: [SIMD3<Double>], joggledBy step: Double
  ) throws(PersistenceError) -> [Int32] {
    let d = frame.count
    if places.count <= d + 1 { return places.indices.map { Int32(truncatingIfNeeded: $0) } }
    let positions = places.map { cloud.positions[$0] }
    let isWhole = d == 3 || d == 2 && positions.allSatisfy { $0.z == 0 }
    let origin = positions[0]
    var coordinates = positions.flatMap { p in
      (0..<d).map { isWhole ? p[$0] : (p - origin).dot(frame[$0]) }
    }
    if d > 1 {
      var generator = RandomGenerator(seed: 0)
      for i in coordinates.indices { coordinates[i] += generator.uniform(-step, step) }
      return try QhullDelaunay.cells(coordinates, dimension: d)
    }
    let order = coordinates.indices.sorted { coordinates[$0] < coordinates[$1] }
    return zip(order, order.dropFirst()).flatMap {
      [Int32(truncatingIfNeeded: $0), Int32(truncatingIfNeeded: $1)]
    }
  }

  /// An edge from each point that no cell has to the one at its place, or to the nearest one of a cell.
  private static func extraEdges(
    _ cloud: PointCloud, _ places: [Int], _ cells: [Int32]
  ) throws(PersistenceError) -> [Int32] {
    var isUsed = [Bool](repeating: false, count: cloud.positions.count)
    for v in cells { isUsed[Int(v)] = true }
    var result: [Int32] = []
    for (j, p) in cloud.positions.enumerated() where !isUsed[j] {
      var partner = Int(cloud.representatives[j])
      if partner == j {
        func distance(_ i: Int) -> Double { (cloud.positions[i] - p).squaredLength }
        partner = places.filter { isUsed[$0] }.min { distance($0) < distance($1) } ?? j
        guard distance(partner) < 1e-12 else {
          throw .quantity(
            name: "point \(j)", found: "no cell of the Delaunay triangulation with it",
            expected: "points farther apart or in a more general position")
        }
      }
      result.append(Int32(truncatingIfNeeded: min(j, partner)))
      result.append(Int32(truncatingIfNeeded: max(j, partner)))
    }
    return result
  }

  /// The complex up to a dimension.
  func skeleton(_ k: Int) -> SimplicialComplex {
    if k >= complex.complex.dimension { return complex }
    let lists = SortedSimplices.lists(
      cells: cells, dimension: dimension, edges: extraEdges, vertices: cloud.positions.count)
    return SimplicialComplex(sorted: Array(lists.prefix(k + 1)))
  }

  /// That no face is in three cells, and that the Euler characteristic is that of a ball.
  private func checkIsBall() throws(PersistenceError) {
    guard dimension >= 0 else { return }
    let cofaces = complex.complex.cofaces()
    let walls = dimension > 1 ? complex.complex.cells(ofDimension: dimension - 1) : 0..<0
    let euler = complex.complex.eulerCharacteristic
    guard euler == 1, walls.allSatisfy({ cofaces.degree($0) <= 2 }) else {
      throw .quantity(
        name: "points",
        found:
          "a triangulation that rounding spoiled: \(euler) \(walls.filter { cofaces.degree($0) > 2 }.count)",
        expected: "points farther apart or in a more general position")
    }
  }
}
