/// Lanczos iterations of several systems side by side, without reorthogonalisation: VᵀAV of each is tridiagonal (Golub,
/// Van Loan, *Matrix Computations*, §10.1).
struct TridiagonalLanczos {
  /// The diagonal of each system's matrix, as long as its Krylov space goes on.
  private(set) var diagonals: [[Double]]
  /// What stands beside it, one fewer.
  private(set) var besides: [[Double]]
  /// What would come next beside it, ‖A v − …‖: by it a Ritz pair's residual.
  private(set) var norms: [Double]
  private var v: Matrix
  private var previous: Matrix
  private var w: Matrix

  /// - Parameter start: no column may vanish.
  init(from start: Matrix) {
    (v, previous) = (start, start)
    w = Matrix(rows: start.rows, columns: start.columns)
    norms = start.columnNorms
    v.scaleColumns(by: norms.map { 1 / $0 })
    diagonals = [[Double]](repeating: [], count: start.columns)
    besides = diagonals
  }

  /// One application of A.
  mutating func step(_ a: some LinearOperator) {
    let isFirst = diagonals.allSatisfy(\.isEmpty)
    a.apply(v, into: &w)
    var alpha = [Double](repeating: 0, count: v.columns)
    v.addColumnDots(w, into: &alpha)
    w.addScaledColumns(v, by: alpha, scale: -1)
    if !isFirst { w.addScaledColumns(previous, by: norms, scale: -1) }
    for j in diagonals.indices {
      // An exhausted Krylov space (β = 0) gains nothing more.
      if !isFirst {
        guard norms[j] > 0 else { continue }
        besides[j].append(norms[j])
      }
      diagonals[j].append(alpha[j])
    }
    norms = zip(w.columnNorms, diagonals).map { norm, diagonal in
      norm > 1e-13 * diagonal.maximumMagnitude ? norm : 0
    }
    w.scaleColumns(by: norms.map { $0 > 0 ? 1 / $0 : 0 })
    swap(&previous, &v)
    swap(&v, &w)
  }

  /// The decomposition of a system's matrix; nil where it is not finite.
  func ritz(_ j: Int) -> TridiagonalEigendecomposition? {
    try? TridiagonalEigendecomposition(diagonal: diagonals[j], beside: besides[j])
  }
}

extension Matrix {
  /// ‖·‖ of each column.
  package var columnNorms: [Double] {
    var sums = [Double](repeating: 0, count: columns)
    addColumnDots(self, into: &sums)
    return sums.map { $0.squareRoot() }
  }
}
