/// A matrix with few entries that are not 0, row by row: row i has `values[k]` in column `columns[k]`
/// for k in `starts[i]..<starts[i + 1]`.
public struct SparseMatrix: Sendable, Equatable {
  /// The number of columns.
  public let columnCount: Int
  /// Where each row begins, and at last where the last one ends.
  public let starts: [Int32]
  /// The column of each entry.
  public let columns: [Int32]
  /// The entries.
  public let values: [Double]

  /// A matrix from its rows, each a list of (column, value).
  public init(rows: [[(column: Int, value: Double)]], columnCount: Int) {
    var (starts, columns, values): ([Int32], [Int32], [Double]) = ([0], [], [])
    starts.reserveCapacity(rows.count + 1)
    for row in rows {
      for (column, value) in row {
        precondition((0..<columnCount).contains(column), "column \(column) of \(columnCount)")
        columns.append(Int32(column))
        values.append(value)
      }
      starts.append(Int32(columns.count))
    }
    (self.starts, self.columns, self.values) = (starts, columns, values)
    self.columnCount = columnCount
  }

  /// The number of rows.
  public var rowCount: Int { starts.count - 1 }
  /// The number of entries of row `i`.
  public func count(ofRow i: Int) -> Int { Int(starts[i + 1] - starts[i]) }

  /// Visits the entries of row `i` as (column, value).
  public func forEachEntry(ofRow i: Int, _ visit: (Int, Double) -> Void) {
    for k in Int(starts[i])..<Int(starts[i + 1]) { visit(Int(columns[k]), values[k]) }
  }
}
