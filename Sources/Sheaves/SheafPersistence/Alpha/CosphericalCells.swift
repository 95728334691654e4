import CellComplexes
import LinearAlgebra

/// The cells of a Delaunay triangulation that are parts of one polytope: their vertices are on one empty sphere, up to
/// rounding.
///
/// Neighbours are parts of one where the vertices of each are on the sphere of the better shaped one, within
/// `tolerance` of the square of the smaller one's size. A flat cell, whose own sphere says nothing, belongs to every
/// polytope around it on whose sphere it is.
struct CosphericalCells {
  /// Of the square of a size; the coordinates of cospherical points are hardly known better, and in random clouds it is
  /// reached by chance once in 10¹¹ neighbours.
  static let tolerance = 1e-11
  /// The quality up to which a cell is flat.
  static let flatness = 1e-7

  /// The square of the radius of the sphere of each cell; of a flat part that of the smallest sphere that it is on.
  private(set) var squaredRadii: [Double]
  /// Whether a cell is a part of a polytope of more than one cell.
  private(set) var isPart: [Bool]
  /// Whether a cell is flat.
  let isFlat: [Bool]

  /// - Parameters:
  ///   - complex: a Delaunay triangulation.
  ///   - cells: those of largest dimension, 2 or 3.
  init(_ complex: SimplicialComplex, _ cells: Range<Int>, _ points: [SIMD3<Double>]) {
    let balls = cells.map { Circumball(points, complex.simplices[$0]) }
    let isFlat = balls.map { $0.quality < Self.flatness }
    let vertices = { (cell: Int) in complex.simplices[cells.lowerBound + cell] }
    /// Whether the vertices of a cell are on the sphere of another.
    func isOn(_ cell: Int, _ other: Int) -> Bool {
      let bound = Self.tolerance * min(balls[cell].squaredSize, balls[other].squaredSize)
      return vertices(cell).allSatisfy { abs(balls[other].power(points[Int($0)])) <= bound }
    }
    func isCospherical(_ a: Int, _ b: Int) -> Bool {
      balls[a].quality < balls[b].quality ? isOn(a, b) : isOn(b, a)
    }
    var sets = DisjointSets(count: cells.count)
    let cofaces = complex.complex.cofaces()
    for wall in complex.complex.cells(ofDimension: complex.complex.dimension - 1)
    where cofaces.degree(wall) == 2 {
      let first = cofaces.slots(wall).lowerBound
      let (a, b) = (
        cofaces.cell(first) - cells.lowerBound, cofaces.cell(first + 1) - cells.lowerBound
      )
      if !isFlat[a] && !isFlat[b] && isCospherical(a, b) { sets.join(a, b) }
    }
    var spheres: [(flat: Int, cell: Int)] = []
    if isFlat.contains(true) {
      let stars = Self.stars(complex, cells, points.count, without: isFlat)
      for flat in balls.indices where isFlat[flat] {
        // Of each polytope around it a cell; the parts of one that it divides are joined.
        var kinds: [Int] = []
        for cell in Self.sharingTwo(vertices(flat), stars)
        where isOn(flat, cell) && !kinds.contains(where: { sets.root($0) == sets.root(cell) }) {
          if let same = kinds.first(where: { isCospherical($0, cell) }) {
            sets.join(same, cell)
          } else {
            kinds.append(cell)
          }
        }
        spheres += kinds.map { (flat, $0) }
      }
    }
    // The best shaped cell of each polytope has its sphere.
    var (best, sizes) = (Array(balls.indices), [Int](repeating: 0, count: balls.count))
    for cell in balls.indices {
      let root = sets.root(cell)
      sizes[root] += 1
      if balls[cell].quality > balls[best[root]].quality { best[root] = cell }
    }
    (squaredRadii, isPart) = ([], [])
    for cell in balls.indices {
      squaredRadii.append(balls[best[sets.root(cell)]].squaredRadius)
      isPart.append(sizes[sets.root(cell)] > 1)
    }
    for (flat, _) in spheres { (squaredRadii[flat], isPart[flat]) = (.infinity, true) }
    for (flat, cell) in spheres {
      squaredRadii[flat] = min(squaredRadii[flat], squaredRadii[cell])
      isPart[cell] = true
    }
    self.isFlat = isFlat
  }

  /// The cells of each point, without flat ones.
  private static func stars(
    _ complex: SimplicialComplex, _ cells: Range<Int>, _ n: Int, without isFlat: [Bool]
  ) -> [[Int]] {
    var result = [[Int]](repeating: [], count: n)
    for (place, cell) in cells.enumerated() where !isFlat[place] {
      for v in complex.simplices[cell] { result[Int(v)].append(place) }
    }
    return result
  }

  /// The cells with two of some vertices or more.
  private static func sharingTwo(_ vertices: ArraySlice<Int32>, _ stars: [[Int]]) -> [Int] {
    let all = vertices.flatMap { stars[Int($0)] }.sorted()
    return zip(all, all.dropFirst()).filter { $0 == $1 }.map(\.0)
  }
}
