import CellularSheaves
import LinearAlgebra
import SparseFactorizations

/// Effective resistances of a Laplacian: ⟨b, L⁺ b⟩ for a current b, the least energy dissipated by a flow that meets it;
/// infinite where b has a harmonic part, which no flow does (Klein, Randić 1993; for sheaves, b any cochain).
public struct EffectiveResistance: Sendable {
  private let qr: RankRevealingQR
  private let tall: RankRevealingQR

  /// Factors a Laplacian once for all currents.
  public init(_ laplacian: SheafLaplacian) throws(FactorizationError) {
    let factor = laplacian.factor
    qr = try .withGap(factor)
    tall = try .withGap(factor.transposed)
  }

  /// ⟨b, L⁺ b⟩ of each column, in orthonormal coordinates.
  ///
  /// With L = B Bᵀ it is the least ‖y‖² with B y = b.
  ///
  /// - Parameter tolerance: a harmonic part up to this share of b's norm is rounding.
  public func callAsFunction(_ currents: Matrix, tolerance: Double = 1e-9) -> [Double] {
    let harmonic = qr.complement(currents)
    // The least-norm solution: its part in the range of Bᵀ.
    let flow = tall.project(qr.solveLeastSquares(currents))
    return (0..<currents.columns).map { j in
      let size = currents.sumOfSquares(column: j)
      return harmonic.sumOfSquares(column: j) > tolerance * tolerance * size
        ? .infinity : flow.sumOfSquares(column: j)
    }
  }
}
