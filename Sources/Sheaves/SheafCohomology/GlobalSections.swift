import CellComplexes
import CellularSheaves
import LinearAlgebra
import SparseFactorizations

/// The orthogonal projection of cochains onto the cocycles of their degree, ker δ^k; for k = 0 the nearest global section.
///
/// In orthonormal coordinates c − p, p the projection of c onto the range of (δ^k)ᵀ. Where δδᵀ is well conditioned, as on
/// trees and paths, p = δᵀ (δδᵀ)⁻¹ δ c by a Cholesky factorisation and a step of refinement; otherwise by QR.
public struct NearestCocycle: Sendable {
  /// How it was found.
  public enum Method: String, Sendable {
    case cholesky
    case qr
  }

  /// The cocycles, one per column, in the coordinates of the stalks.
  public let cocycles: Matrix
  /// ‖c − cocycle‖ of each column in the norm of the weights.
  public let distances: [Double]
  /// The largest |δ c| over the largest |c|, in orthonormal coordinates.
  public let residual: Double
  /// How it was found.
  public let method: Method

  /// Projects cochains.
  ///
  /// - Parameters:
  ///   - cochains: of degree k, one per column.
  ///   - conditionLimit: the largest condition of δδᵀ for Cholesky.
  /// - Complexity: one sparse factorisation.
  public init(
    to cochains: Matrix, in sheaf: CellularSheaf, degree k: Int = 0, conditionLimit: Double = 1e8
  ) throws(FactorizationError) {
    let delta = sheaf.coboundary(k, in: .orthonormal)
    let c = sheaf.orthonormal(cochains, degree: k)
    guard c.firstNonFinite == nil else { throw .notFinite }
    var kept = c
    if let factor = try Self.normalFactor(delta, conditionLimit) {
      for _ in 0..<2 {
        var y = delta(kept)
        try factor.solve(&y)
        kept.add(delta.adjoint(y), scale: -1)
      }
      method = .cholesky
    } else {
      kept = try RankRevealingQR.withGap(delta.transposed).complement(c)
      method = .qr
    }
    cocycles = sheaf.given(kept, degree: k)
    var difference = c
    difference.add(kept, scale: -1)
    distances = (0..<c.columns).map { difference.sumOfSquares(column: $0).squareRoot() }
    let top = c.maximumMagnitude
    residual = top > 0 ? delta(kept).maximumMagnitude / top : 0
  }

  /// δδᵀ factored, where that is well conditioned.
  private static func normalFactor(
    _ delta: SparseMatrix, _ limit: Double
  ) throws(FactorizationError) -> SparseCholesky? {
    guard delta.rows > 0 && delta.rows < delta.columns else { return nil }
    do {
      let gram = delta.outerGram
      let factor = try SparseCholesky(gram)
      let estimate = try gram.diagonal.reduce(0, +) * factor.inverseNorm() / Double(gram.rows)
      return estimate <= limit ? factor : nil
    } catch .notPositiveDefinite {
      return nil
    }
  }
}

extension CellularSheaf {
  /// An orthonormal basis of the global sections H⁰, one per column, in the coordinates of the stalks.
  public func globalSections(
    tolerance: Double? = nil
  ) throws(FactorizationError) -> Matrix {
    try HarmonicBasis(self, degree: 0, tolerance: tolerance).cochains
  }
}
