import CellularSheaves
import LinearAlgebra

extension SheafFiltration {
  /// The filtration by density: a vertex at −f(x), f the Gaussian kernel density estimate (`PointDensity.gaussian`), every
  /// larger cell with its last vertex. Dense parts come first; the bars of degree 0 are the peaks of the density, their
  /// lengths how far these stand out.
  ///
  /// - Parameters:
  ///   - sheaf: on a complex whose vertices are the points.
  ///   - points: that of each vertex, (d, n), one per column.
  ///   - bandwidth: the kernel's standard deviation.
  /// - Throws: as `PointDensity.gaussian` and `lowerStar`.
  public static func byDensity(
    _ sheaf: CellularSheaf, points: Matrix, bandwidth: Double
  ) throws(PersistenceError) -> SheafFiltration {
    try lowerStar(
      sheaf,
      vertexValues: PointDensity.gaussian(points: points, bandwidth: bandwidth).map { -$0 })
  }

  /// The filtration by the distance to the measure of the points (`PointDensity.distanceToMeasure`), every larger cell
  /// with its last vertex.
  ///
  /// - Parameters:
  ///   - sheaf: on a complex whose vertices are the points.
  ///   - points: that of each vertex, (d, n), one per column.
  ///   - mass: the part of the points that are looked at, 0 < m ≤ 1.
  /// - Throws: as `PointDensity.distanceToMeasure` and `lowerStar`.
  public static func byDistanceToMeasure(
    _ sheaf: CellularSheaf, points: Matrix, mass: Double
  ) throws(PersistenceError) -> SheafFiltration {
    try lowerStar(
      sheaf, vertexValues: PointDensity.distanceToMeasure(points: points, mass: mass))
  }
}
