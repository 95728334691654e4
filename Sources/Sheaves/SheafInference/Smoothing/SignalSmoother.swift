import CellularSheaves
import LinearAlgebra
import SheafCohomology
import SparseFactorizations

/// Noise reduction on a sheaf: a cochain near a noisy one, y, that comes nearer to a section (for degrees above 0 to a
/// harmonic cochain). In orthonormal coordinates, L the sheaf Laplacian and D the coboundary:
///
/// - `ridge(λ)`: (1 + λL)⁻¹ y, the minimiser of ‖x − y‖² + λ⟨x, Lx⟩ (Tikhonov);
/// - `heat(t)`: exp(−tL) y;
/// - `totalVariation(λ)`: the minimiser of ½‖x − y‖² + λ‖Dx‖₁, which keeps jumps (Rudin, Osher, Fatemi 1992; on graphs
///   and for any D the generalised lasso, Tibshirani, Taylor 2011).
public struct SignalSmoother: Sendable {
  /// How to smooth, and how much.
  public enum Method: Sendable, Equatable {
    case ridge(Double)
    case heat(Double)
    case totalVariation(Double)
  }

  /// A smoothed cochain.
  public struct Result: Sendable {
    /// In the coordinates of the stalks, one per column.
    public let cochains: Matrix
    /// How it was smoothed.
    public let method: Method
    /// The residual of the linear system, relative to y; of total variation the duality gap, relative to ½‖y‖².
    public let residual: Double
    /// How the iteration ended.
    public let status: SolutionStatus
  }

  /// The Laplacian.
  public let laplacian: SheafLaplacian

  /// A smoother of cochains of degree k.
  public init(_ sheaf: CellularSheaf, degree k: Int = 0) {
    laplacian = SheafLaplacian(sheaf, degree: k)
  }

  /// Smooths cochains.
  ///
  /// - Parameter y: of the smoother's degree, one per column; one column for total variation.
  /// - Throws: what factorisations throw, `notFinite` included.
  /// - Complexity: one sparse factorisation; for heat some 6√(tρ) products; for total variation 20 to 40 factorisations.
  public func smooth(_ y: Matrix, by method: Method) throws(FactorizationError) -> Result {
    guard y.firstNonFinite == nil else { throw .notFinite }
    switch method {
    case .ridge(let lambda):
      let found = try laplacian.smoothed(y, ridge: lambda)
      return Result(
        cochains: found.cochains, method: method, residual: found.residual, status: .converged)
    case .heat(let time):
      return Result(
        cochains: laplacian.heatFlow(y, time: time), method: method, residual: 0,
        status: .converged)
    case .totalVariation(let lambda):
      precondition(y.columns == 1, "total variation of \(y.columns) columns")
      let sheaf = laplacian.sheaf
      let found = try TotalVariation(
        sheaf.coboundaryTransposed(laplacian.degree, in: .orthonormal),
        sheaf.orthonormal(y, degree: laplacian.degree).column(0), lambda)
      return Result(
        cochains: sheaf.given(Matrix(column: found.x), degree: laplacian.degree), method: method,
        residual: found.gap, status: found.status)
    }
  }
}
