import CellularSheaves
import ExactAlgebra
import LinearAlgebra

/// The intervals of a zigzag over ℝ.
///
/// The mapping cone remains a complex if each coboundary is multiplied by a number; here by the one that makes its
/// largest column one of norm 1, as large as the restriction to L.
struct RealZigzag {
  let zigzag: SheafZigzag
  /// Relative to the largest column of each coboundary.
  let tolerance: Double?

  func barcode(upTo top: Int) -> ZigzagBarcode {
    let dimension = zigzag.sheaf.complex.dimension
    guard min(top, dimension) >= 0 else { return ZigzagBarcode([]) }
    let complex = ZigzagComplex(zigzag)
    var (result, decisions) = ([ZigzagBarcode.Interval](), [Barcode.RankDecision]())
    var cleared = [Bool](repeating: false, count: complex.times[0].count)
    var lower: SparseColumns<Double>?
    for k in 0...min(top, dimension) + 1 {
      let upper = k < dimension ? scaledCoboundary(k) : nil
      let matrix = complex.matrix(
        degree: k, upper: upper, lower: lower, one: 1, negative: -)
      let bound = tolerance ?? 20 * Double(matrix.rows + matrix.columns) * .ulpOfOne
      let reduction = RealReduction(
        (0..<matrix.columns).map { Array(matrix.column($0)) },
        rowValues: complex.order(degree: k + 1), skipping: cleared, tolerance: bound,
        recording: false)
      cleared = [Bool](repeating: false, count: matrix.rows)
      for (column, row, _) in reduction.result.pairs {
        cleared[row] = true
        if let interval = complex.interval(degree: k, column, row), interval.degree <= top {
          result.append(interval)
        }
      }
      decisions.append(
        .init(
          degree: k, tolerance: bound, smallestKept: reduction.smallestKept,
          largestDropped: reduction.largestDropped))
      lower = upper
    }
    return ZigzagBarcode(result, decisions: decisions)
  }

  /// δ^k in orthonormal coordinates, its largest column of norm 1.
  private func scaledCoboundary(_ k: Int) -> SparseColumns<Double> {
    let matrix = zigzag.sheaf.coboundary(k, in: .orthonormal)
    let largest = matrix.largestColumnNorm
    var result = SparseColumns<Double>(rows: matrix.rows)
    for j in 0..<matrix.columns {
      var entries: [(row: Int, value: Double)] = []
      matrix.forEachEntry(ofColumn: j) { if $1 != 0 { entries.append(($0, $1 / largest)) } }
      result.appendColumn(entries)
    }
    return result
  }
}
