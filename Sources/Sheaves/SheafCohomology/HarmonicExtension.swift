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
/// norm is taken.
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
  /// An orthonormal basis of the freedom on all coordinates, one per column.
  public let basis: Matrix
  /// ½‖δ c‖² of each column.
  public let energies: [Double]
  /// The largest |(L c)_Ω| over that of the terms that are added up in it.
  public let residual: Double
  /// An estimate of the condition number of L[Ω, Ω], on the complement of its kernel; nil for conjugate gradients.
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
    /// Norms of columns of δ_Ω up to this count as 0 when the freedom is determined; SPQR's default if nil.
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
    let transpose = sheaf.coboundaryTransposed(k, in: .orthonormalAbove)
    var isFree = [Bool](repeating: true, count: n)
    for i in fixed { isFree[i] = false }
    let free = isFree.indices.filter { isFree[$0] }
    let freeRows = fixed.isEmpty ? transpose : transpose.part(rows: free)
    // −δ_U u, what the free coordinates are to make up for.
    var target = Matrix(rows: transpose.columns, columns: values.columns)
    transpose.part(rows: fixed).addTransposedProduct(values, scale: -1, keeping: 0, into: &target)
    let part = try FreePart(freeRows, target, settings)

    var c = Matrix(rows: n, columns: values.columns)
    var basis = Matrix(rows: n, columns: part.kernel.columns)
    for j in 0..<values.columns {
      for (i, row) in fixed.enumerated() { c[row, j] = values[i, j] }
      for (i, row) in free.enumerated() { c[row, j] = part.solution[i, j] }
    }
    for j in 0..<basis.columns {
      for (i, row) in free.enumerated() { basis[row, j] = part.kernel[i, j] }
    }
    (cochains, self.basis) = (c, basis)
    (freedom, condition, method, status) = (part.freedom, part.condition, part.method, part.status)
    var discrepancy = Matrix(rows: transpose.columns, columns: values.columns)
    transpose.addTransposedProduct(c, scale: 1, keeping: 0, into: &discrepancy)
    energies = (0..<values.columns).map { discrepancy.sumOfSquares(column: $0) / 2 }
    let force = freeRows(discrepancy)
    let terms = freeRows.mapValues(abs)(discrepancy.mapElements(abs)).maximumMagnitude
    residual = terms > 0 ? force.maximumMagnitude / terms : 0
  }
}

/// min ‖Aᵀ x − t‖ for the rows A of the free coordinates.
private struct FreePart {
  var solution: Matrix
  var kernel: Matrix
  var freedom: Int?
  var condition: Double?
  var method: HarmonicExtension.Method
  var status = SolutionStatus.converged

  init(
    _ a: SparseMatrix, _ t: Matrix, _ settings: HarmonicExtension.Settings
  ) throws(FactorizationError) {
    solution = a(t)
    kernel = Matrix(rows: a.rows, columns: 0)
    (freedom, condition, method) = (0, 1, .cholesky)
    guard a.rows > 0 else { return }
    let laplacian = a.outerGram
    let analysis = try SparseCholesky.Analysis(laplacian)
    guard Double(analysis.factorBytes) <= settings.memoryLimit else {
      iterate(laplacian, settings)
      return
    }
    do {
      let factor = try SparseCholesky(laplacian, using: analysis)
      if factor.conditionEstimate <= settings.conditionLimit {
        condition = factor.conditionEstimate
        try factor.solve(&solution)
        return
      }
    } catch .notPositiveDefinite {
    } catch .outOfMemory {
      iterate(laplacian, settings)
      return
    }
    try decompose(a, t, settings)
  }

  private mutating func iterate(
    _ laplacian: SparseMatrix, _ settings: HarmonicExtension.Settings
  ) {
    let gradients = ConjugateGradients(tolerance: settings.tolerance, halt: settings.halt)
    let inverse = laplacian.diagonal.map { $0 > 0 ? 1 / $0 : 1 }
    let preconditioner = DiagonalSystems(
      Matrix(
        rows: inverse.count, columns: solution.columns,
        columnMajor: (0..<solution.columns).flatMap { _ in inverse }))
    let found = gradients.solve(
      SymmetricSparseMatrix(lowerTriangle: laplacian, .positiveSemidefinite), solution,
      preconditioner: preconditioner)
    solution = found.value
    (freedom, condition, method) = (nil, nil, .conjugateGradients)
    status = found.statuses.first { $0 != .converged } ?? .converged
  }

  /// By A = Q R: the kernel of Aᵀ is what Q has beyond the rank, and the least-norm solution has no part there.
  private mutating func decompose(
    _ a: SparseMatrix, _ t: Matrix, _ settings: HarmonicExtension.Settings
  ) throws(FactorizationError) {
    let qr = try RankRevealingQR(a, tolerance: settings.rankTolerance)
    kernel = qr.leftNullSpace()
    // x = Q y with Rᵀ y = t in the sense of least squares.
    let tall = try RankRevealingQR(a.transposed, tolerance: settings.rankTolerance)
    solution = tall.solveLeastSquares(t)
    solution = qr.project(solution)
    (freedom, method) = (a.rows - qr.rank, .qr)
    let largest = a.transposed.largestColumnNorm
    condition = qr.rank == 0 ? 1 : (largest / qr.smallestKept) * (largest / qr.smallestKept)
  }
}

extension SparseMatrix {
  /// The largest ‖·‖₂ of a column.
  fileprivate var largestColumnNorm: Double {
    (0..<columns).reduce(0) { most, j in
      var sum = 0.0
      forEachEntry(ofColumn: j) { sum += $1 * $1 }
      return max(most, sum.squareRoot())
    }
  }
}

extension Matrix {
  /// The matrix with every element changed.
  func mapElements(_ change: (Double) -> Double) -> Matrix {
    Matrix(rows: rows, columns: columns, columnMajor: elements.map(change))
  }
}
