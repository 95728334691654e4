import CellularSheaves
import LinearAlgebra

extension SheafFiltration {
  /// A filtration by the discord of an assignment: vertices from 0 on, an edge e at ‖(δ c)_e‖, larger cells with the last of
  /// their faces; X_a is the part of the complex where the assignment agrees up to a.
  ///
  /// - Parameter cochain: of degree 0.
  public static func discord(
    _ sheaf: CellularSheaf, of cochain: [Double]
  ) throws(PersistenceError) -> SheafFiltration {
    let vertices = sheaf.complex.cells(ofDimension: 0)
    let edges = try sublevel(
      sheaf, normOf: sheaf.applyCoboundary(Matrix(column: cochain), degree: 0).elements, degree: 1)
    return try SheafFiltration(
      sheaf, values: edges.values.enumerated().map { vertices.contains($0) ? 0 : $1 })
  }
}
