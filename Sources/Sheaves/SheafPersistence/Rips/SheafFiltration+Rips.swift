import CellComplexes
import CellularSheaves
import Foundation
import LinearAlgebra

extension SheafFiltration {
  /// A filtration by distance: vertices at 0, every larger cell at the largest distance of the two ends of its edges.
  ///
  /// - Parameter points: that of each vertex, (d, n), one per column.
  /// - Throws: `missing` for the first vertex without a point; `notFinite` for the first edge without a length;
  ///   `quantity` for an edge without two ends.
  public static func byDistance(
    _ sheaf: CellularSheaf, points: Matrix
  ) throws(PersistenceError) -> SheafFiltration {
    let complex = sheaf.complex
    let vertices = complex.cells(ofDimension: 0)
    precondition(
      points.columns <= vertices.count, "\(points.columns) points for \(vertices.count) vertices")
    if points.columns < vertices.count { throw .missing(cell: complex.name(points.columns)) }
    var values = [Double](repeating: 0, count: complex.count)
    for edge in complex.cells(ofDimension: 1) {
      let ends = complex.incidences(of: edge).map { complex.face($0) }
      guard ends.count == 2 else {
        throw .quantity(
          name: "edge \"\(complex.name(edge))\"", found: "\(ends.count) ends", expected: "two")
      }
      var sum = 0.0
      for k in 0..<points.rows {
        let difference = points[k, ends[0]] - points[k, ends[1]]
        sum += difference * difference
      }
      values[edge] = sum.squareRoot()
    }
    for cell in complex.cells(ofDimension: 1).upperBound..<max(complex.count, vertices.upperBound) {
      for i in complex.incidences(of: cell) {
        values[cell] = max(values[cell], values[complex.face(i)])
      }
    }
    return try SheafFiltration(sheaf, values: values)
  }

  /// The Vietoris–Rips filtration of points with a constant sheaf, made up to a radius and a dimension.
  ///
  /// Bars of degree q need dimension q + 1. With constant coefficients in GF(p), `Barcode.vietorisRips` needs no
  /// complex.
  ///
  /// - Parameters:
  ///   - points: one per column, (d, n), finite.
  ///   - radius: the largest distance of joined points.
  ///   - maximumDimension: of the simplices.
  ///   - stalk: the dimension of the stalks.
  ///   - memoryLimit: in bytes, half of the machine's memory by default.
  /// - Returns: the filtration, and the complex with the vertices of its simplices.
  /// - Throws: `tooLarge` with the estimated number of simplices (`RipsSize`), before any is made; `quantity`.
  public static func vietorisRips(
    points: Matrix, radius: Double, maximumDimension: Int, stalk d: Int = 1,
    memoryLimit: Double = Double(ProcessInfo.processInfo.physicalMemory) / 2
  ) throws(PersistenceError) -> (filtration: SheafFiltration, complex: SimplicialComplex) {
    let size = RipsSize(
      try PairwiseDistances(points: points, memoryLimit: memoryLimit), radius: radius,
      maximumDimension: maximumDimension, samples: 2000)
    try size.check(stalk: d, memoryLimit: memoryLimit)
    let complex: SimplicialComplex
    do {
      complex = try .vietorisRips(
        points: points, radius: radius, maximumDimension: maximumDimension)
    } catch {
      throw .quantity(error)
    }
    return (
      try byDistance(.constant(d, on: complex.complex), points: points), complex
    )
  }
}
