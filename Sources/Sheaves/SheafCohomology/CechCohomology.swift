import CellComplexes
import CellularSheaves
import LinearAlgebra

extension CellularSheaf {
  /// The cochains of Čech for a cover of a data set: on the nerve, the sheaf of functions on the intersections,
  /// F(U₀ ∩ … ∩ U_k) = ℝ^{elements in common}, with restrictions of functions as maps. H⁰ is the functions on the
  /// union, H^k vanishes for 0 < k < `maximumDimension`: the presheaf of all functions is flabby. With constants in place of functions,
  /// `constant(on: nerve)`, they are the cohomology of the nerve.
  ///
  /// - Returns: the sheaf, and the elements of each cell's intersection, which number its coordinates.
  public static func functions(
    onCover cover: [[Int]], maximumDimension: Int
  ) throws -> (sheaf: CellularSheaf, elements: [[Int]]) {
    let (nerve, elements) = SimplicialComplex.nerve(of: cover, maximumDimension: maximumDimension)
    let complex = nerve.complex
    let cellOf = complex.cellsOfIncidences
    let sheaf = try CellularSheaf(complex, stalks: elements.map(\.count)) { i in
      let (below, above) = (elements[complex.face(i)], elements[cellOf[i]])
      let place = Dictionary(uniqueKeysWithValues: below.enumerated().map { ($1, $0) })
      var builder = SparseMatrix.ColumnBuilder(rows: below.count)
      for element in above {
        builder.append(row: place[element]!, 1)
        builder.endColumn()
      }
      return .sparse(builder.matrix.transposed)
    }
    return (sheaf, elements)
  }
}
