import CellComplexes
import CellularSheaves
import LinearAlgebra
import SheafCohomology

/// What a sheaf says of its samples, each a cochain of degree 0, one per column.
extension CellularSheaf {
  /// (δx)_eᵀ W_e (δx)_e, (edges, samples): how much the ends of each edge disagree.
  func edgeEnergies(_ x: Matrix) -> Matrix {
    let delta = orthonormal(applyCoboundary(x, degree: 0), degree: 1)
    let edges = complex.cells(ofDimension: 1)
    var result = Matrix(rows: edges.count, columns: x.columns)
    for (e, edge) in edges.enumerated() {
      for j in 0..<x.columns {
        result[e, j] = range(of: edge).reduce(0) { $0 + delta[$1, j] * delta[$1, j] }
      }
    }
    return result
  }

  /// The values on some vertices, (coordinates, samples), extended harmonically to all of them.
  ///
  /// - Parameter values: those of the given vertices, in their order.
  func extended(_ values: Matrix, from vertices: [Int]) throws -> Matrix {
    try HarmonicExtension(of: values, on: coordinates(vertices), in: self).cochains
  }

  /// The covariance of the extension to a vertex: exp(−½‖δx‖²) is the density of a Gaussian whose precision on the free
  /// coordinates Ω is L[Ω, Ω], so it is the vertex's block of L[Ω, Ω]⁻¹.
  ///
  /// - Parameter vertices: those whose values are given.
  func extensionCovariance(of vertex: Int, from vertices: [Int]) throws -> Matrix {
    var isFree = [Bool](repeating: true, count: cochainDimension(0))
    for i in coordinates(vertices) { isFree[i] = false }
    let triangle = EnergySystem(
      self, degree: 0, isFree: isFree, values: Matrix(rows: isFree.count, columns: 1)
    ).triangle
    let inverse = try Moments.inverse(triangle.dense)
    let free = isFree.indices.filter { isFree[$0] }
    let places = range(of: vertex).map { free.firstIndex(of: $0)! }
    return inverse[rows: places, columns: places]
  }
}
