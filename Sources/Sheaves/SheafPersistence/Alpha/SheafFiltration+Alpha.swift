import CellComplexes
import CellularSheaves
import Foundation
import LinearAlgebra

extension SheafFiltration {
  /// The alpha filtration of points in ℝ² or ℝ³ with a constant sheaf: the simplices of a Delaunay triangulation, each at
  /// the least radius of an empty ball whose boundary contains its vertices (Edelsbrunner, Mücke 1994).
  ///
  /// For a simplex whose smallest circumscribed ball has no point inside (Gabriel) that is the ball's radius, for another
  /// the least value of its cofaces. Values are radii, not their squares; points are there at 0. X_a has the homotopy type of
  /// the union of the balls of radius a around the points (Edelsbrunner 1995), and so the barcode of the Čech filtration,
  /// whose simplices are far more. No value is larger than the radius of a ball around all points, from which on that union
  /// is contractible, as X_a is.
  ///
  /// In special position, as on a grid or a sphere, several simplices share an empty sphere, and points are taken to be on
  /// one within 10⁻¹¹ of the square of the size of a cell. Bars change by about that at most, and by some ε if the points
  /// do, whether ε is above or below: a grid moved by any ε has the bars of the grid up to a few ε.
  ///
  /// Every point is a vertex; one at the place of another hangs on it by an edge, at 0.
  ///
  /// - Parameters:
  ///   - points: one per column, (d, n) with d = 2 or 3, finite.
  ///   - maximumDimension: of the simplices; bars of degree q need dimension q + 1.
  ///   - stalk: the dimension of the stalks.
  ///   - memoryLimit: in bytes, half of the machine's memory by default.
  /// - Returns: the filtration, and the complex with the vertices of its simplices.
  /// - Throws: as `DelaunayTriangulation`; `tooLarge`.
  /// - Complexity: O(n log n) in the plane; in space for most clouds nearly so, at worst O(n²), the number of simplices.
  ///   Where flat cells are among c cospherical points, c operations for each simplex of theirs.
  public static func alpha(
    points: Matrix, maximumDimension: Int = 3, stalk d: Int = 1,
    memoryLimit: Double = Double(ProcessInfo.processInfo.physicalMemory) / 2
  ) throws(PersistenceError) -> (filtration: SheafFiltration, complex: SimplicialComplex) {
    try alpha(
      DelaunayTriangulation(points: points), maximumDimension: maximumDimension, stalk: d,
      memoryLimit: memoryLimit)
  }

  /// The alpha filtration on a Delaunay triangulation.
  public static func alpha(
    _ triangulation: DelaunayTriangulation, maximumDimension: Int = 3, stalk d: Int = 1,
    memoryLimit: Double = Double(ProcessInfo.processInfo.physicalMemory) / 2
  ) throws(PersistenceError) -> (filtration: SheafFiltration, complex: SimplicialComplex) {
    precondition(maximumDimension >= 0, "dimension \(maximumDimension)")
    let complex = triangulation.skeleton(maximumDimension)
    let counts = complex.complex.cellCounts.map { Double($0) }
    let bytes = bytes(ofCells: counts, stalk: d) { Double($0 + 1) }
    guard bytes <= memoryLimit else {
      throw .tooLarge(simplices: counts.reduce(0, +), bytes: bytes, available: memoryLimit)
    }
    let unit = triangulation.cloud.unit
    let values = AlphaValues(triangulation).squares.prefix(complex.complex.count).map {
      unit * $0.squareRoot()
    }
    return (try SheafFiltration(.constant(d, on: complex.complex), values: values), complex)
  }
}
