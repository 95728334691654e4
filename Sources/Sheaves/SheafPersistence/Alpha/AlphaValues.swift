import CellComplexes

/// The squares of the alpha values of the simplices of a Delaunay triangulation: of the radius of the smallest empty
/// ball whose boundary contains the vertices (Edelsbrunner, Mücke 1994, §4).
///
/// For a simplex whose circumball is empty that is its own; the centres of empty balls of another one are a polytope
/// without the centre of its circumball, and the nearest of them belongs to a coface. Whether vertices of the cofaces are
/// inside tells whether any points are, in general position. Around flat cells and polytopes (`CosphericalCells`) it does
/// not, as for the second diagonal of a square with a flat cell: there all points are asked, and those on the boundary
/// up to rounding do not count as inside. Whether a vertex of a coface does makes no difference there, as the coface has
/// the same ball.
///
/// No radius is larger than that of a ball around all points. The balls of such a radius around the points have a common
/// point, so that their union is contractible, as the whole triangulation is: nothing changes beyond. The simplices
/// there are flat ones at the border, and their radii mostly rounding.
struct AlphaValues {
  /// One for each cell of the complex.
  private(set) var squares: [Double]
  private let complex: SimplicialComplex
  private let cloud: PointCloud

  /// Of the square of the radius: how far inside a point must be where rounding decides.
  private static let slack = 1e-9

  init(_ triangulation: DelaunayTriangulation) {
    (complex, cloud) = (triangulation.complex, triangulation.cloud)
    squares = [Double](repeating: 0, count: complex.complex.count)
    if triangulation.dimension < 2 {
      for edge in complex.complex.cells(ofDimension: 1) {
        squares[edge] = Circumball(cloud.positions, complex.simplices[edge]).squaredRadius
      }
      return
    }
    fill(triangulation.dimension)
    let largest = cloud.squaredRadius
    for cell in complex.complex.cells(ofDimension: 1).lowerBound..<squares.count {
      for i in complex.complex.incidences(of: cell) {
        squares[cell] = max(squares[cell], squares[complex.complex.face(i)])
      }
      squares[cell] = min(squares[cell], largest)
    }
  }

  private mutating func fill(_ d: Int) {
    let cells = complex.complex.cells(ofDimension: d)
    let points = cloud.positions
    let parts = CosphericalCells(complex, cells, points)
    var isDoubtful = [Bool](repeating: false, count: complex.complex.count)
    for (place, cell) in cells.enumerated() {
      isDoubtful[cell] = parts.isPart[place] || parts.isFlat[place]
    }
    let tree = isDoubtful.contains(true) ? PointTree(points) : PointTree([])
    func hasPointInside(_ ball: Circumball, slack: Double = Self.slack) -> Bool {
      tree.contains(powerBelow: -slack * ball.squaredRadius, of: ball)
    }
    for (place, cell) in cells.enumerated() {
      squares[cell] = parts.squaredRadii[place]
      guard parts.isFlat[place] else { continue }
      if parts.isPart[place] {
        let circle = circle(cell)
        if !hasPointInside(circle) { squares[cell] = circle.squaredRadius }
      } else if hasPointInside(Circumball(points, complex.simplices[cell]), slack: 0.1) {
        // At the border, between points on a plane but on no circle: its sphere is large but for rounding.
        squares[cell] = Circumball.largest
      }
    }
    let cofaces = complex.complex.cofaces()
    // The vertex that a coface has beside those of a simplex is the difference of the sums.
    let sums = (0..<complex.complex.count).map { cell in
      complex.simplices[cell].reduce(0) { $0 + Int($1) }
    }
    for k in stride(from: d - 1, through: 1, by: -1) {
      for cell in complex.complex.cells(ofDimension: k) {
        let ball = Circumball(points, complex.simplices[cell])
        var (isEmpty, least) = (true, Double.infinity)
        for slot in cofaces.slots(cell) {
          let coface = cofaces.cell(slot)
          if isDoubtful[coface] { isDoubtful[cell] = true }
          least = min(least, squares[coface])
          isEmpty = isEmpty && ball.power(points[sums[coface] - sums[cell]]) >= 0
        }
        if isEmpty && isDoubtful[cell] { isEmpty = !hasPointInside(ball) }
        squares[cell] = isEmpty ? ball.squaredRadius : least
      }
    }
  }

  /// The circle of the vertices of a flat cell.
  private func circle(_ cell: Int) -> Circumball {
    complex.complex.incidences(of: cell).map {
      Circumball(cloud.positions, complex.simplices[complex.complex.face($0)])
    }.max { $0.quality < $1.quality }!
  }
}
