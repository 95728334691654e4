import BigInt
import ExactAlgebra

/// Cycles of the bars of a degree over a field without rounding: `FilteredReduction` of the transposed coboundaries in
/// the opposite order of appearance, where columns are freed by earlier ones and begin at their last row.
struct ExactCycles: ExactComputation {
  let filtration: SheafFiltration
  /// q.
  let degree: Int

  func result<Arithmetic>(
    _ coboundaries: ExactCoboundaries<Arithmetic>
  ) throws -> [PersistentCycle] {
    let (q, arithmetic) = (degree, coboundaries.arithmetic)
    let dimension = filtration.sheaf.complex.dimension
    let order = FilteredOrder(filtration, degrees: min(q + 1, dimension) + 1)
    let upper = q < dimension ? try coboundaries.columns(degree: q).transposed : nil
    let lower = q > 0 ? try coboundaries.columns(degree: q - 1).transposed : nil
    if let upper, let lower {
      try coboundaries.checkSquare(lower.transposed, upper.transposed, degree: q - 1)
    }
    let count = order.count(q)
    func cycle(
      _ birth: Double, _ death: Double, _ chain: [(row: Int, value: Arithmetic.Element)]
    ) -> PersistentCycle {
      PersistentCycle(
        PersistenceInterval(degree: q, birth: birth, death: death),
        cycle: Self.representative(chain, coboundaries.whole))
    }
    var result: [PersistentCycle] = []
    var cleared = [Bool](repeating: false, count: count)
    if let upper {
      let reduced = try FilteredReduction.reduce(
        Self.reversed(upper, order.coordinates[q + 1], order.places[q]), with: arithmetic,
        skipping: [Bool](repeating: false, count: upper.columns), recording: true)
      var boundary = WorkingColumn(rows: count, zero: arithmetic.ring.zero, isOrdered: false)
      for (column, row, chain) in reduced.pairs {
        cleared[row] = true
        let birth = order.values[q][count - 1 - row]
        let death = order.values[q + 1][upper.columns - 1 - column]
        guard birth < death else { continue }
        for (place, value) in chain ?? [] {
          try boundary.combine(
            arithmetic.ring.one, minus: arithmetic.ring.negative(value), times: upper,
            order.coordinates[q + 1][upper.columns - 1 - place], over: arithmetic.ring)
        }
        result.append(
          cycle(birth, death, boundary.touched.map { (Int($0), boundary.values[Int($0)]) }))
        boundary.clear(arithmetic.ring.zero)
      }
    }
    let last = lower ?? SparseColumns(rows: 0, emptyColumns: count)
    let reduced = try FilteredReduction.reduce(
      Self.reversed(last, order.coordinates[q], q > 0 ? order.places[q - 1] : []),
      with: arithmetic, skipping: cleared, recording: true)
    for (column, chain) in reduced.cocycles {
      result.append(
        cycle(
          order.values[q][count - 1 - column], .infinity,
          (chain ?? []).map { (order.coordinates[q][count - 1 - $0.row], $0.value) }))
    }
    return result
  }

  /// Rows and columns from the last to the first that appears.
  private static func reversed<Element>(
    _ matrix: SparseColumns<Element>, _ columns: [Int], _ places: [Int32]
  ) -> SparseColumns<Element> {
    var result = SparseColumns<Element>(rows: matrix.rows)
    for j in columns.reversed() {
      result.appendColumn(
        (matrix.columnStarts[j]..<matrix.columnStarts[j + 1]).lazy.map {
          (matrix.rows - 1 - Int(places[Int(matrix.rowIndices[$0])]), matrix.values[$0])
        })
    }
    return result
  }

  /// Whole numbers without a common divisor.
  private static func representative<Element>(
    _ chain: [(row: Int, value: Element)], _ whole: (Element) -> BigInt
  ) -> PersistenceInterval.Representative {
    let entries = chain.map { ($0.row, whole($0.value)) }.filter { $0.1 != 0 }
      .sorted { $0.0 < $1.0 }
    let divisor = entries.reduce(BigInt(0)) { $0.greatestCommonDivisor(with: $1.1) }
    return .exact(
      SparseCocycle(coordinates: entries.map(\.0), values: entries.map { $0.1 / divisor }))
  }
}

extension SparseColumns {
  /// The zero matrix.
  init(rows: Int, emptyColumns n: Int) {
    self.init(rows: rows)
    for _ in 0..<n { appendColumn(EmptyCollection()) }
  }
}
