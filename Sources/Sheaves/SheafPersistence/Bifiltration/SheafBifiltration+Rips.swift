import CellComplexes
import CellularSheaves
import Foundation
import LinearAlgebra

extension SheafBifiltration {
  /// The Vietoris–Rips complexes of the points whose value is up to t, at radius s, with a constant sheaf: the first
  /// value of a simplex is its diameter, the second the largest value of its vertices.
  ///
  /// With a codensity as values, such as the distance to the k-th neighbour, outliers come in last (density–Rips,
  /// Carlsson, Zomorodian 2009, §1; Lesnick, Wright 2015, §1).
  ///
  /// - Parameters:
  ///   - points: one per column, (d, n), finite.
  ///   - pointValues: one for each point.
  ///   - radius: the largest distance of joined points.
  ///   - maximumDimension: of the simplices; bars of degree q need q + 1.
  ///   - stalk: the dimension of the stalks.
  ///   - memoryLimit: in bytes, half of the machine's memory by default.
  /// - Returns: the bifiltration, and the complex with the vertices of its simplices.
  /// - Throws: as `SheafFiltration.vietorisRips` and `SheafFiltration.lowerStar`.
  public static func vietorisRips(
    points: Matrix, pointValues: [Double], radius: Double, maximumDimension: Int, stalk d: Int = 1,
    memoryLimit: Double = Double(ProcessInfo.processInfo.physicalMemory) / 2
  ) throws(PersistenceError) -> (bifiltration: SheafBifiltration, complex: SimplicialComplex) {
    let (filtration, complex) = try SheafFiltration.vietorisRips(
      points: points, radius: radius, maximumDimension: maximumDimension, stalk: d,
      memoryLimit: memoryLimit)
    let second = try SheafFiltration.lowerStar(filtration.sheaf, vertexValues: pointValues).values
    return (
      try SheafBifiltration(filtration.sheaf, first: filtration.values, second: second), complex
    )
  }
}
