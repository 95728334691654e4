import ExactAlgebra

/// Columns one after the other: column j has `values[k]` in row `rowIndices[k]` for k in `starts[j]..<starts[j + 1]`.
struct ColumnStore<Element: Sendable & Equatable> {
  /// The number of rows.
  let rows: Int
  private(set) var starts = [0]
  private(set) var rowIndices: [Int32] = []
  private(set) var values: [Element] = []

  init(rows: Int) { self.rows = rows }

  init(_ matrix: SparseColumns<Element>) {
    (rows, starts) = (matrix.rows, matrix.columnStarts)
    (rowIndices, values) = (matrix.rowIndices, matrix.values)
  }

  /// The number of columns.
  var columns: Int { starts.count - 1 }

  /// Adds a column on the right.
  mutating func append(_ entries: some Sequence<(row: Int, value: Element)>) {
    for (row, value) in entries {
      rowIndices.append(Int32(truncatingIfNeeded: row))
      values.append(value)
    }
    starts.append(values.count)
  }
}
