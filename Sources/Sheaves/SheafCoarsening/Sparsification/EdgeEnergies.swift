import CellComplexes
import CellularSheaves
import LinearAlgebra
import SparseFactorizations

/// L = Σ_e B_e B_eᵀ in orthonormal coordinates on a complement of its kernel: some coordinates are held at 0 so that the
/// others represent every cochain once up to the kernel, and L on them is definite with the same quotients.
struct EdgeEnergies {
  /// B on the free coordinates.
  private let factor: SparseMatrix
  /// The columns of each edge.
  private let columns: [Range<Int>]
  private let cholesky: SparseCholesky
  /// tr(B_eᵀ L⁺ B_e) of each edge.
  let leverages: [Double]

  init(_ sheaf: CellularSheaf) throws(FactorizationError) {
    let rows = sheaf.coboundaryTransposed(0, in: .orthonormal)
    let free = try Self.independent(rows)
    let factor = rows.part(rows: free)
    let columns = sheaf.complex.cells(ofDimension: 1).map { sheaf.range(of: $0) }
    cholesky = try SparseCholesky(factor.outerGram)
    let inverse = try cholesky.selectedInverse()
    leverages = try columns.map { range throws(FactorizationError) in
      var sum = 0.0
      for j in range { sum += try Self.resistance(of: factor, column: j, inverse) }
      return min(max(sum, 0), Double(range.count))
    }
    (self.factor, self.columns) = (factor, columns)
  }

  /// ⟨b, L⁻¹ b⟩ for a column b of B, all pairs of whose entries are on the pattern of L.
  private static func resistance(
    of factor: SparseMatrix, column j: Int, _ inverse: SelectedInverse
  ) throws(FactorizationError) -> Double {
    var (places, values) = ([Int](), [Double]())
    factor.forEachEntry(ofColumn: j) { row, value in
      places.append(row)
      values.append(value)
    }
    guard let block = inverse.block(places) else { throw .notFinite }
    let image = block * Matrix(column: values)
    return values.indices.reduce(0) { $0 + values[$1] * image[$1, 0] }
  }

  /// Rows of B that are independent and span all of them: as many coordinates as L has rank.
  private static func independent(_ b: SparseMatrix) throws(FactorizationError) -> [Int] {
    // Coordinates that a basis of the kernel of L = B Bᵀ determines are held: the pivots of its rows.
    let qr = try RankRevealingQR.withGap(b)
    guard qr.rank < b.rows else { return Array(0..<b.rows) }
    let kernel = qr.leftNullSpace()
    let pivots = try PivotedQR(kernel.transposed).pivots
    let held = Set(pivots.prefix(kernel.columns))
    return (0..<b.rows).filter { !held.contains($0) }
  }

  /// The largest |λ − 1| of Σ f_e B_e B_eᵀ relative to L; ∞ where the iterations do not tell.
  ///
  /// On the edges P diag(f) P with P = Bᵀ L⁻¹ B has the eigenvalues of L⁻¹ L̃, and 0 on the complement of P's range,
  /// where the start vectors have no part. With t the largest, t P − P diag(f) P shows the least.
  func deviation(
    _ factors: [Double], using generator: inout RandomGenerator
  ) throws(FactorizationError) -> Double {
    var scales = [Double](repeating: 0, count: factor.columns)
    for (range, f) in zip(columns, factors) { for j in range { scales[j] = f } }
    let pencil = RelativeOperator(factor: factor, scales: scales, cholesky: cholesky)
    let start = pencil.projected(generator.normalMatrix(rows: factor.columns, columns: 2))
    let upper = largestEigenvalues(of: pencil, from: start, tolerance: 1e-3, stepLimit: 500)
    let top = upper.value.max() ?? 0
    let lower = largestEigenvalues(
      of: pencil.reflected(top), from: start, tolerance: 1e-3, stepLimit: 500)
    guard (upper.statuses + lower.statuses).allSatisfy({ $0 == .converged }) else {
      return .infinity
    }
    return max(top - 1, 1 - top + (lower.value.max() ?? 0))
  }
}

/// P diag(f) P on the edges' coordinates, P = Bᵀ L⁻¹ B the orthogonal projection onto the range of Bᵀ; or c·P minus that.
private struct RelativeOperator: SymmetricOperator {
  let factor: SparseMatrix
  let scales: [Double]
  let cholesky: SparseCholesky
  var top: Double?
  var rows: Int { factor.columns }
  var traits: OperatorTraits { .positiveSemidefinite }

  func reflected(_ top: Double) -> RelativeOperator {
    var result = self
    result.top = top
    return result
  }

  func projected(_ y: Matrix) -> Matrix {
    var x = factor(y)
    // Memory for one block.
    do { try cholesky.solve(&x) } catch { x.fill(.nan) }
    return factor.adjoint(x)
  }

  func apply(_ x: Matrix, into y: inout Matrix) {
    let image = projected(x)
    var scaled = image
    scaled.scaleRows(by: scales)
    y = projected(scaled)
    if let top {
      y.scale(by: -1)
      y.add(image, scale: top)
    }
  }
}
