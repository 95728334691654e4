import CellComplexes
import LinearAlgebra

/// The linear system of the energy ½‖δ c‖² of cochains of degree k whose values on some coordinates U are given: with
/// L = δᵀ W δ, L[Ω, Ω] c_Ω = −L[Ω, U] u.
public struct EnergySystem: Sendable {
  /// The lower triangle of L[Ω, Ω].
  public let triangle: SparseMatrix
  /// −L[Ω, U] u, one column for each cochain.
  public let right: Matrix

  /// Assembles the system.
  ///
  /// Stalk by stalk (`EnergyBlocks`); where there are weights or sparse maps, from the matrix of δ.
  ///
  /// - Parameters:
  ///   - isFree: which coordinates of C^k make up Ω.
  ///   - values: cochains whose other coordinates are given; those on Ω are not read.
  /// - Complexity: Σ over the cells of dimension k + 1 of the square of the number of their faces, times the products of
  ///   blocks.
  public init(_ sheaf: CellularSheaf, degree k: Int, isFree: [Bool], values: Matrix) {
    precondition(
      isFree.count == sheaf.cochainDimension(k) && values.rows == isFree.count,
      "values \(values.shape) of cochains of \(sheaf.cochainDimension(k)) coordinates")
    guard sheaf.maps.transposes.isEmpty, sheaf.isUnweighted else {
      let factor = sheaf.coboundaryTransposed(k, in: .orthonormalAbove)
      let free = isFree.indices.filter { isFree[$0] }
      let rows = factor.part(rows: free)
      var given = values
      for j in 0..<given.columns { for i in free { given[i, j] = 0 } }
      var right = rows(factor.adjoint(given))
      right.scale(by: -1)
      (triangle, self.right) = (rows.outerGram, right)
      return
    }
    let blocks = EnergyBlocks(sheaf, degree: k)
    (triangle, right) = blocks.system(isFree: isFree, values: values)
  }
}
