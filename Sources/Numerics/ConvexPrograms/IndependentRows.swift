import LinearAlgebra
import SparseFactorizations

/// Rows of A x = b of which all others are combinations, or a combination that says 0 = 1.
///
/// A basic solution of Aᵀ c ≈ r for a random r is 0 but for the columns of Aᵀ that the factorisation kept: the
/// independent rows.
struct IndependentRows: Sendable {
  /// The rows, ascending.
  let kept: [Int]
  /// y with Aᵀy ≈ 0 and bᵀy = −1, if the equalities contradict one another.
  private(set) var certificate: [Double]?

  /// - Parameter tolerance: the largest |Aᵀy| of a certificate.
  init(
    _ a: SparseMatrix, values b: [Double], tolerance: Double
  ) throws(FactorizationError) {
    let transpose = a.transposed
    var norms = [Double](repeating: 0, count: a.rows)
    for i in 0..<a.rows { transpose.forEachEntry(ofColumn: i) { norms[i] += $1 * $1 } }
    norms = norms.map { $0 > 0 ? $0.squareRoot() : 1 }
    var values = transpose.values
    for i in 0..<a.rows {
      for k in transpose.columnStarts[i]..<transpose.columnStarts[i + 1] { values[k] /= norms[i] }
    }
    let unit = transpose.with(values)
    let right = zip(b, norms).map { $0 / $1 }
    let qr = try RankRevealingQR.withGap(unit)
    guard qr.rank < a.rows else {
      kept = Array(0..<a.rows)
      return
    }
    var generator = RandomGenerator(seed: 1)
    let probe = Matrix(column: (0..<a.columns).map { _ in generator.uniform(1, 2) })
    let basic = qr.solveLeastSquares(probe)
    let kept = (0..<a.rows).filter { basic[$0, 0] != 0 }
    self.kept = kept
    let isKept = Set(kept)
    let others = (0..<a.rows).filter { !isKept.contains($0) }
    for start in stride(from: 0, to: others.count, by: 64) {
      let chunk = Array(others[start..<min(start + 64, others.count)])
      let coefficients = qr.solveLeastSquares(unit.part(columns: chunk).dense)
      for (column, row) in chunk.enumerated() {
        var y = coefficients.column(column).scaled(by: -1)
        y[row] += 1
        let excess = dot(right, y)
        let size = zip(right, y).reduce(0) { $0 + abs($1.0 * $1.1) }
        guard abs(excess) > 1e-9 * size else { continue }
        let original = zip(y, norms).map { -$0 / $1 / excess }
        if transpose.times(original).size <= tolerance {
          certificate = original
          return
        }
      }
    }
  }
}
