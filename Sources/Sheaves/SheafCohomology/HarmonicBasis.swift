import CellComplexes
import CellularSheaves
import LinearAlgebra
import SparseFactorizations

/// The harmonic cochains of a degree: ker L^k = ker δ^k ∩ ker (δ^{k−1})*, one in each class of H^k, the one of least norm
/// (Hodge theorem; Eckmann 1944).
public struct HarmonicBasis: Sendable {
  /// The sheaf.
  public let sheaf: CellularSheaf
  /// k.
  public let degree: Int
  /// An orthonormal basis, one per column, in orthonormal coordinates; (dim C^k, dim H^k).
  public let vectors: Matrix
  /// Whether the numbers leave the dimension open.
  public let isNarrow: Bool

  /// The harmonic cochains of degree k.
  ///
  /// - Throws: What the factorisation throws; `outOfMemory` for a basis of more than half of the memory.
  /// - Complexity: one sparse QR factorisation of B with L = B Bᵀ; memory dim C^k · dim H^k for the basis.
  public init(
    _ sheaf: CellularSheaf, degree k: Int, tolerance: Double? = nil
  ) throws(FactorizationError) {
    (self.sheaf, degree) = (sheaf, k)
    let qr = try RankRevealingQR.deciding(sheaf.laplacianFactor(k), by: tolerance)
    vectors = try qr.leftNullSpaceWithinMemory()
    isNarrow = qr.isNarrow
  }

  /// dim H^k.
  public var dimension: Int { vectors.columns }

  /// The basis in the coordinates of the stalks.
  public var cochains: Matrix { sheaf.given(vectors, degree: degree) }

  /// The classes of cocycles in this basis: the coordinates of their harmonic parts, (dim H^k, columns).
  ///
  /// - Parameter cocycles: with δ z = 0, in the coordinates of the stalks, one per column.
  public func classes(of cocycles: Matrix) -> Matrix {
    var result = Matrix(rows: dimension, columns: cocycles.columns)
    result.setProduct(
      vectors, sheaf.orthonormal(cocycles, degree: degree), transposing: .left)
    return result
  }
}

extension HarmonicBasis {
  /// The map H^k(F) → H^k(G) that a map of cochains induces, in these bases.
  ///
  /// - Parameter map: of cocycles to cocycles, in the coordinates of the stalks.
  public func induced(by map: (Matrix) -> Matrix, on source: HarmonicBasis) -> Matrix {
    classes(of: map(source.cochains))
  }
}

extension SheafMorphism {
  /// H^k(φ) : H^k(F) → H^k(G) in the harmonic bases of source and target.
  public func onCohomology(
    _ k: Int, from source: HarmonicBasis, to target: HarmonicBasis
  ) -> Matrix {
    precondition(source.degree == k && target.degree == k, "bases of degree \(source.degree)")
    let matrix = matrix(k)
    return target.induced(by: { matrix($0) }, on: source)
  }
}
