import CellComplexes
import CellularSheaves
import Foundation
import LinearAlgebra
import SparseFactorizations

/// The harmonic extension of cochains that are given on some coordinates: among the cochains c of degree k with these
/// values, one of least energy ½‖δ c‖², that is (L c)_Ω = 0 for the upper Laplacian on the free coordinates Ω
/// (Hansen, Ghrist 2019, §4.1).
///
/// It is unique up to the kernel of δ on Ω, the relative cocycles; for k = 0 up to H⁰(X, U; F). Of several the one of least
/// Euclidean norm of the coordinates is taken.
public struct HarmonicExtension: Sendable {
  /// How it was found.
  public enum Method: String, Sendable {
    /// A sparse Cholesky factorisation of L[Ω, Ω].
    case cholesky
    /// A sparse QR factorisation of δ_Ω, where that matrix is singular or nearly so.
    case qr
    /// Conjugate gradients, where the factor would not fit into memory.
    case conjugateGradients
  }

  /// The cochains with the given and the found values, one per column.
  public let cochains: Matrix
  /// The dimension of the remaining freedom; nil where conjugate gradients do not tell.
  public let freedom: Int?
  /// An orthonormal basis of the freedom on all coordinates, one per column; each lives on one connected part of them.
  public let basis: SparseMatrix
  /// ½‖δ c‖² of each column.
  public let energies: [Double]
  /// The largest |(L c)_Ω| over the largest diagonal element of L[Ω, Ω] times the largest |c|.
  public let residual: Double
  /// An estimate of the condition number of L[Ω, Ω] on the complement of its kernel: ‖·‖₁ times an estimate from below of
  /// ‖L⁻¹‖₂ where Cholesky factored it; where QR did, the square of the largest norm of a row of δ_Ω over the smallest
  /// pivot. With several factorisations the largest of theirs, not that of the whole; nil for conjugate gradients.
  public let condition: Double?
  /// How it was found.
  public let method: Method
  /// `converged`, unless conjugate gradients were and did not.
  public let status: SolutionStatus

  /// What is allowed and asked for.
  public struct Settings: Sendable {
    /// A Cholesky factorisation whose condition estimate is above this gives way to QR.
    public var conditionLimit = 1e11
    /// Bytes that a factor may take; beyond them conjugate gradients.
    public var memoryLimit = Double(ProcessInfo.processInfo.physicalMemory) / 2
    /// The relative residual of conjugate gradients.
    public var tolerance = 1e-10
    /// Norms of columns of δ_Ω up to this count as 0 when the freedom is determined; as in
    /// `RankRevealingQR.withGap` if nil.
    public var rankTolerance: Double?
    /// Asked between steps of conjugate gradients.
    public var halt: Halt = .never

    /// The usual ones.
    public init() {}
  }

  /// Extends values.
  ///
  /// - Parameters:
  ///   - k: the degree.
  ///   - fixed: coordinates of C^k, different ones.
  ///   - values: what they are held at, one cochain per column; (number of fixed ones, columns).
  /// - Throws: What factorisations throw; `notFinite` for values that are not.
  /// - Complexity: the assembly of L[Ω, Ω], its factorisation, and a solve per column.
  public init(
    of values: Matrix, on fixed: [Int], in sheaf: CellularSheaf, degree k: Int = 0,
    settings: Settings = Settings()
  ) throws(FactorizationError) {
    let n = sheaf.cochainDimension(k)
    precondition(
      values.rows == fixed.count && fixed.allSatisfy { (0..<n).contains($0) },
      "values \(values.shape) on \(fixed.count) of \(n) coordinates")
    guard values.firstNonFinite == nil else { throw .notFinite }
    var isFree = [Bool](repeating: true, count: n)
    for i in fixed { isFree[i] = false }
    let free = isFree.indices.filter { isFree[$0] }
    let given = values.spread(to: fixed, of: n)
    let system = EnergySystem(sheaf, degree: k, isFree: isFree, values: given)
    let part = try FreePart(system.triangle, system.right, settings) {
      // −δ_U u, what the free coordinates are to make up for.
      var target = sheaf.orthonormal(
        sheaf.applyCoboundary(given, degree: k), degree: k + 1)
      target.scale(by: -1)
      return (
        sheaf.coboundaryTransposed(k, in: .orthonormalAbove).part(rows: free), target
      )
    }

    var c = given
    for j in 0..<values.columns {
      for (i, row) in free.enumerated() { c[row, j] = part.solution[i, j] }
    }
    var basis = SparseMatrix.ColumnBuilder(rows: n)
    for (places, kernel) in part.kernels {
      for j in 0..<kernel.columns {
        for (i, place) in places.enumerated() { basis.append(row: free[place], kernel[i, j]) }
        basis.endColumn()
      }
    }
    (cochains, self.basis) = (c, basis.matrix)
    (freedom, condition, method, status) = (part.freedom, part.condition, part.method, part.status)
    energies = sheaf.energies(c, degree: k)
    // L c − b on Ω, from the triangle.
    var gradient = system.triangle.symmetricProduct(part.solution)
    gradient.add(system.right, scale: -1)
    let scale = (system.triangle.diagonal.max() ?? 0) * c.maximumMagnitude
    residual = scale > 0 ? gradient.maximumMagnitude / scale : 0
  }
}
