import CellComplexes
import CellularSheaves
import LinearAlgebra
import SheafCohomology
import SparseFactorizations

/// The Kron reduction of a sheaf to some of its cells of one dimension: the energy that is left when all the others
/// follow.
///
/// With L = δ*δ on C^k and the cells split into kept ones K and eliminated ones E,
///
///     ½⟨x, S x⟩ = min over y of ½‖δ(x, y)‖²,  S = L_KK − L_KE L_EE⁺ L_EK,
///
/// so the energy of the reduced sheaf is at most that of any extension, with equality for the harmonic one (for graphs
/// Dörfler, Bullo 2013, Lemma II.1; for sheaves Hansen, Ghrist 2019, §4.2). Harmonic questions about K have the same
/// answers in both: harmonic extensions from a subset of K, sections that extend, and effective resistances between
/// cochains on K that are in the range of L.
///
/// Matrices are in orthonormal coordinates of the stalks, cochains in those of the maps.
public struct KronReduction: Sendable {
  /// The whole sheaf.
  public let sheaf: CellularSheaf
  /// k.
  public let degree: Int
  /// K, in the order in which they were given.
  public let kept: [Int]
  /// The coordinates of C^k that belong to them.
  public let coordinates: [Int]
  /// S, and how values are extended.
  public let complement: SchurComplement

  /// Reduces a sheaf.
  ///
  /// - Parameters:
  ///   - kept: different cells of dimension `degree`.
  ///   - degree: k.
  /// - Throws: `CoarseningError.cell`; `FactorizationError`, as a Schur complement.
  /// - Complexity: that of `SchurComplement`.
  public init(_ sheaf: CellularSheaf, keeping kept: [Int], degree: Int = 0) throws {
    let cells = sheaf.complex.cells(ofDimension: degree)
    var isKept: Set<Int> = []
    for cell in kept {
      guard cells.contains(cell) else {
        let name = (0..<sheaf.complex.count).contains(cell) ? sheaf.complex.name(cell) : "\(cell)"
        throw CoarseningError.cell(
          found: "\"\(name)\"", expected: "cells of dimension \(degree)")
      }
      guard isKept.insert(cell).inserted else {
        throw CoarseningError.cell(
          found: "\"\(sheaf.complex.name(cell))\" twice", expected: "different cells")
      }
    }
    (self.sheaf, self.degree, self.kept) = (sheaf, degree, kept)
    coordinates = sheaf.coordinates(kept)
    complement = try SchurComplement(
      sheaf.coboundaryTransposed(degree, in: .orthonormal), keeping: coordinates)
  }

  /// The lower triangle of S in orthonormal coordinates.
  public var triangle: SparseMatrix { complement.triangle }

  /// ½⟨x, S x⟩ of cochains on K, one per column in the order of `coordinates`.
  public func energies(_ x: Matrix) -> [Double] {
    let y = orthonormal(x)
    var sums = [Double](repeating: 0, count: x.columns)
    y.addColumnDots(triangle.symmetricProduct(y), scale: 0.5, into: &sums)
    return sums
  }

  /// The harmonic extensions of cochains on K to all of C^k; where they are not unique, ones of least energy.
  public func prolong(_ x: Matrix) throws(FactorizationError) -> Matrix {
    var result = sheaf.given(try complement.extend(orthonormal(x)), degree: degree)
    for (i, place) in coordinates.enumerated() {
      for j in 0..<x.columns { result[place, j] = x[i, j] }
    }
    return result
  }

  /// The values of cochains of C^k on K.
  public func restrict(_ cochains: Matrix) -> Matrix { cochains.gathered(coordinates) }

  private func orthonormal(_ x: Matrix) -> Matrix {
    sheaf.orthonormal(
      x.spread(to: coordinates, of: sheaf.cochainDimension(degree)), degree: degree
    ).gathered(coordinates)
  }
}
