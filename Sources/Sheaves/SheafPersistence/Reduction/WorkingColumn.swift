import ExactAlgebra

/// A column while it is reduced: all its entries, and the rows that may differ from 0, the least of them first.
struct WorkingColumn<Element: Sendable & Equatable> {
  var values: [Element]
  private(set) var touched: [Int32] = []
  private var isTouched: [Bool]
  private var queue: OrdinalQueue?

  /// - Parameter isOrdered: whether rows are asked for in order.
  init(rows: Int, zero: Element, isOrdered: Bool) {
    values = [Element](repeating: zero, count: rows)
    isTouched = [Bool](repeating: false, count: rows)
    queue = isOrdered ? OrdinalQueue(bound: rows) : nil
  }

  /// Says that row `i` may differ from 0 from now on.
  @inline(__always) mutating func touch(_ i: Int) {
    if isTouched[i] { return }
    isTouched[i] = true
    touched.append(Int32(truncatingIfNeeded: i))
    queue?.insert(i)
  }

  /// The least touched row that was not taken out before.
  @inline(__always) mutating func popLeast() -> Int? { queue?.popLeast() }

  /// The least of these rows, if it fulfils a condition.
  mutating func popLeast(where holds: (Int) -> Bool) -> Int? {
    guard let row = queue?.least, holds(row) else { return nil }
    queue?.remove(row)
    return row
  }

  /// Takes over a column of a matrix; all is 0 before.
  mutating func load(_ matrix: SparseColumns<Element>, column j: Int) {
    for k in matrix.columnStarts[j]..<matrix.columnStarts[j + 1] {
      let i = Int(matrix.rowIndices[k])
      touch(i)
      values[i] = matrix.values[k]
    }
  }

  /// Makes all entries 0 again.
  mutating func clear(_ zero: Element) {
    for i in touched {
      values[Int(i)] = zero
      isTouched[Int(i)] = false
    }
    touched.removeAll(keepingCapacity: true)
    while queue?.popLeast() != nil {}
  }
}

extension WorkingColumn {
  /// c ← α c − β b.
  mutating func combine<Ring: CoefficientRing>(
    _ keep: Element, minus factor: Element, times column: SparseColumns<Element>, _ place: Int,
    over ring: Ring
  ) throws(ArithmeticOverflow) where Ring.Element == Element {
    if keep != ring.one {
      for i in touched {
        values[Int(i)] = try ring.product(values[Int(i)], keep)
      }
    }
    for k in column.columnStarts[place]..<column.columnStarts[place + 1] {
      let i = Int(column.rowIndices[k])
      touch(i)
      values[i] = try ring.difference(values[i], minus: factor, times: column.values[k])
    }
  }
}

extension SparseColumns {
  /// `append`, compiled here for its elements: measured, twice as fast a reduction.
  mutating func appendColumn(_ entries: some Sequence<(row: Int, value: Element)>) {
    for (row, value) in entries {
      rowIndices.append(Int32(truncatingIfNeeded: row))
      values.append(value)
    }
    columnStarts.append(values.count)
  }
}
