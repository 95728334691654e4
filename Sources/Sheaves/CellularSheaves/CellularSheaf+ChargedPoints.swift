import CellComplexes
import LinearAlgebra

extension CellularSheaf {
  /// The sheaf of points with charges on a simplicial complex of them: stalks ℝ, and from a simplex σ to σ ∪ {k}
  ///
  ///     F = q_k / Π_{i ∈ σ} r_ik,
  ///
  /// so q_j / r_ij from a point i to an edge ij, and q_k / (r_ik r_jk) from an edge ij to a triangle ijk (Wei, Wei 2021,
  /// *Persistent sheaf Laplacians*, §3). The ways from i to ijk agree: q_j q_k / (r_ij r_ik r_jk).
  ///
  /// With g(σ) = Π q_i / Π r_ij the maps are g(τ)/g(σ): where no charge is 0 the sheaf is isomorphic to the constant one
  /// and has its cohomology, but not its spectra; a charge that is 0 cuts what contains it off. The ways agree up to
  /// rounding: barcodes are to be asked for over ℝ.
  ///
  /// - Parameters:
  ///   - points: one per column, (d, n); joined ones at positive distances.
  ///   - charges: q, one for each point.
  /// - Throws: `quantity` for numbers that do not fit the complex; `notFinite` for points that are joined and equal, or
  ///   too near.
  public static func chargedPoints(
    _ points: Matrix, charges: [Double], on base: SimplicialComplex
  ) throws -> CellularSheaf {
    guard points.columns == base.vertexCount, charges.count == base.vertexCount else {
      throw SheafError.quantity(
        name: "charged points", found: "\(points.columns) points and \(charges.count) charges",
        expected: "\(base.vertexCount), one for each vertex")
    }
    let complex = base.complex
    let cellOf = complex.cellsOfIncidences
    return try CellularSheaf(complex, stalks: [Int](repeating: 1, count: complex.count)) { i in
      let face = base.simplices[complex.face(i)]
      let new = base.simplices[cellOf[i]].first { !face.contains($0) }!
      var product = charges[Int(new)]
      for vertex in face {
        let differences = (0..<points.rows).map { points[$0, Int(vertex)] - points[$0, Int(new)] }
        // Squares of large or small differences are none.
        let largest = differences.reduce(0) { max($0, abs($1)) }
        let square = differences.reduce(0) { $0 + ($1 / largest) * ($1 / largest) }
        product /= largest * square.squareRoot()
      }
      return .scalar(product)
    }
  }
}
