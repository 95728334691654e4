import CellularSheaves
import LinearAlgebra
import SparseFactorizations

/// The Hodge decomposition of cochains, c = δ a + δ* b + h: into an exact, a coexact and a harmonic part that are
/// orthogonal to one another in the inner product of the weights (Eckmann 1944; Hansen, Ghrist 2019, §3).
public struct HodgeDecomposition: Sendable {
  /// δ a, in the coordinates of the stalks, one per column.
  public let exact: Matrix
  /// δ* b.
  public let coexact: Matrix
  /// h, with δ h = 0 and δ* h = 0.
  public let harmonic: Matrix
  /// The norms of the three parts of each column.
  public let norms: [(exact: Double, coexact: Double, harmonic: Double)]
  /// Whether a rank was not beyond doubt, and with it what is harmonic.
  public let isNarrow: Bool

  /// Decomposes cochains of degree k, one per column.
  ///
  /// - Complexity: two sparse QR factorisations, of δ^{k−1} and of (δ^k)ᵀ.
  public init(
    of cochains: Matrix, in sheaf: CellularSheaf, degree k: Int
  ) throws(FactorizationError) {
    let c = sheaf.orthonormal(cochains, degree: k)
    guard c.firstNonFinite == nil else { throw .notFinite }
    let lower = k > 0 ? try RankRevealingQR.withGap(sheaf.coboundary(k - 1, in: .orthonormal)) : nil
    let upper = try RankRevealingQR.withGap(sheaf.coboundaryTransposed(k, in: .orthonormal))
    let exact = lower?.project(c) ?? Matrix(rows: c.rows, columns: c.columns)
    let coexact = upper.project(c)
    var harmonic = c
    harmonic.add(exact, scale: -1)
    harmonic.add(coexact, scale: -1)
    // What rounding left of the other two.
    if let lower { harmonic = lower.complement(harmonic) }
    harmonic = upper.complement(harmonic)
    func norm(_ m: Matrix, _ j: Int) -> Double { m.sumOfSquares(column: j).squareRoot() }
    norms = (0..<c.columns).map { (norm(exact, $0), norm(coexact, $0), norm(harmonic, $0)) }
    isNarrow = upper.isNarrow || lower?.isNarrow == true
    self.exact = sheaf.given(exact, degree: k)
    self.coexact = sheaf.given(coexact, degree: k)
    self.harmonic = sheaf.given(harmonic, degree: k)
  }
}
