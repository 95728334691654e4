import CellularSheaves
import LinearAlgebra

/// Cycles of the bars of a degree over ℝ, as `ExactCycles` finds them.
struct RealCycles {
  let filtration: SheafFiltration
  /// q.
  let degree: Int
  /// Relative to the largest column.
  let tolerance: Double?

  var cycles: [PersistentCycle] {
    let (q, sheaf) = (degree, filtration.sheaf)
    let dimension = sheaf.complex.dimension
    let order = FilteredOrder(filtration, degrees: min(q + 1, dimension) + 1)
    let count = order.count(q)
    var result: [PersistentCycle] = []
    var cleared = [Bool](repeating: false, count: count)
    if q < dimension {
      let boundary = sheaf.coboundaryTransposed(q)
      let reduced = reduction(boundary, order, degree: q + 1, skipping: []).result
      for (column, row, chain) in reduced.pairs {
        cleared[row] = true
        let birth = order.values[q][count - 1 - row]
        let death = order.values[q + 1][boundary.columns - 1 - column]
        guard birth < death else { continue }
        var sums: [Int: (sum: Double, size: Double)] = [:]
        for (place, value) in chain ?? [] {
          boundary.forEachEntry(
            ofColumn: order.coordinates[q + 1][boundary.columns - 1 - place]
          ) { i, entry in
            let old = sums[i] ?? (0, 0)
            sums[i] = (old.sum + entry * value, max(old.size, abs(entry * value)))
          }
        }
        // Of terms that cancel rounding is left.
        let entries = sums.filter { abs($1.sum) > 1e-12 * $1.size }.mapValues(\.sum)
        result.append(cycle(birth, death, entries.map { ($0.key, $0.value) }))
      }
    }
    let lower =
      q > 0 ? sheaf.coboundaryTransposed(q - 1) : SparseMatrix(rows: 0, columns: count, entries: [])
    for (column, chain) in reduction(lower, order, degree: q, skipping: cleared).result.cocycles {
      result.append(
        cycle(
          order.values[q][count - 1 - column], .infinity,
          (chain ?? []).map { (order.coordinates[q][count - 1 - $0.row], $0.value) }))
    }
    return result
  }

  /// The reduction of ∂ : C_k → C_{k−1}, rows and columns from the last to the first that appears.
  private func reduction(
    _ boundary: SparseMatrix, _ order: FilteredOrder, degree k: Int, skipping cleared: [Bool]
  ) -> RealReduction {
    let columns = order.coordinates[k].reversed().map { j in
      var column: RealReduction.Cochain = []
      boundary.forEachEntry(ofColumn: j) { row, value in
        if value != 0 {
          column.append((boundary.rows - 1 - Int(order.places[k - 1][row]), value))
        }
      }
      return column
    }
    return RealReduction(
      columns, rowValues: k > 0 ? order.values[k - 1].reversed().map { -$0 } : [],
      skipping: cleared.isEmpty ? columns.map { _ in false } : cleared,
      tolerance: boundary.negligible(tolerance), recording: true)
  }

  private func cycle(
    _ birth: Double, _ death: Double, _ entries: [(Int, Double)]
  ) -> PersistentCycle {
    let sorted = entries.filter { $0.1 != 0 }.sorted { $0.0 < $1.0 }
    return PersistentCycle(
      PersistenceInterval(degree: degree, birth: birth, death: death),
      cycle: .real(coordinates: sorted.map(\.0), values: sorted.map(\.1)))
  }
}
