/// A matrix with few entries that are not 0, in compressed columns: column j has `values[k]` in row
/// `rowIndices[k]` for k in `columnStarts[j]..<columnStarts[j + 1]`, rows ascending.
public struct SparseMatrix: Sendable, Equatable {
  /// The number of rows.
  public let rows: Int
  /// Where each column begins, and at last where the last one ends.
  public let columnStarts: [Int]
  /// The row of each entry.
  public let rowIndices: [Int32]
  /// The entries.
  public let values: [Double]

  /// A matrix from its columns, each a list of (row, value) with ascending rows.
  init(rows: Int, columnStarts: [Int], rowIndices: [Int32], values: [Double]) {
    (self.rows, self.columnStarts) = (rows, columnStarts)
    (self.rowIndices, self.values) = (rowIndices, values)
  }

  /// A matrix from entries in any order; those of one place are added up.
  ///
  /// Cost: proportional to the number of entries and of rows and columns.
  public init(rows: Int, columns: Int, entries: [(row: Int, column: Int, value: Double)]) {
    precondition(rows <= Int32.max, "\(rows) rows")
    var starts = [Int](repeating: 0, count: rows + 1)
    for (row, column, _) in entries {
      precondition(
        (0..<rows).contains(row) && (0..<columns).contains(column),
        "an entry at (\(row), \(column)) of a (\(rows), \(columns)) matrix")
      starts[row + 1] += 1
    }
    for i in 0..<rows { starts[i + 1] += starts[i] }
    // The transpose in compressed columns; turned over, its entries come in the order of their rows.
    var place = starts
    var indices = [Int32](repeating: 0, count: entries.count)
    var values = [Double](repeating: 0, count: entries.count)
    for (row, column, value) in entries {
      (indices[place[row]], values[place[row]]) = (Int32(column), value)
      place[row] += 1
    }
    let transpose = SparseMatrix(
      rows: columns, columnStarts: starts, rowIndices: indices, values: values)
    self = transpose.transposed.withoutRepetitions
  }

  /// A matrix from its rows, each a list of (column, value).
  public init(rows: [[(column: Int, value: Double)]], columns: Int) {
    self.init(
      rows: rows.count, columns: columns,
      entries: rows.enumerated().flatMap { i, row in row.map { (i, $0.column, $0.value) } })
  }

  /// The number of columns.
  public var columns: Int { columnStarts.count - 1 }

  /// Visits the entries of column `j` as (row, value), rows ascending.
  public func forEachEntry(ofColumn j: Int, _ visit: (Int, Double) -> Void) {
    for k in columnStarts[j]..<columnStarts[j + 1] { visit(Int(rowIndices[k]), values[k]) }
  }

  /// The transpose. Cost: proportional to the number of entries and of rows.
  public var transposed: SparseMatrix {
    var starts = [Int](repeating: 0, count: rows + 1)
    for i in rowIndices { starts[Int(i) + 1] += 1 }
    for i in 0..<rows { starts[i + 1] += starts[i] }
    var place = starts
    var indices = [Int32](repeating: 0, count: values.count)
    var turned = values
    for j in 0..<columns {
      for k in columnStarts[j]..<columnStarts[j + 1] {
        let p = place[Int(rowIndices[k])]
        (indices[p], turned[p]) = (Int32(j), values[k])
        place[Int(rowIndices[k])] += 1
      }
    }
    return SparseMatrix(
      rows: columns, columnStarts: starts, rowIndices: indices, values: turned)
  }

  /// The entries of one place added up, the rows of each column being in order.
  private var withoutRepetitions: SparseMatrix {
    var (starts, indices, sums): ([Int], [Int32], [Double]) = ([0], [], [])
    for j in 0..<columns {
      for k in columnStarts[j]..<columnStarts[j + 1] {
        if indices.count > starts[j] && indices.last == rowIndices[k] {
          sums[sums.count - 1] += values[k]
        } else {
          indices.append(rowIndices[k])
          sums.append(values[k])
        }
      }
      starts.append(indices.count)
    }
    return SparseMatrix(rows: rows, columnStarts: starts, rowIndices: indices, values: sums)
  }

  /// The same matrix with all its zeros.
  public var dense: Matrix {
    var result = Matrix(rows: rows, columns: columns)
    for j in 0..<columns { forEachEntry(ofColumn: j) { result[$0, j] = $1 } }
    return result
  }
}

extension SparseMatrix: LinearOperator {
  public func apply(_ x: Matrix, into y: inout Matrix) {
    addProduct(x, scale: 1, keeping: 0, into: &y)
  }
  public func applyAdjoint(_ y: Matrix, into x: inout Matrix) {
    addTransposedProduct(y, scale: 1, keeping: 0, into: &x)
  }
}
