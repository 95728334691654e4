extension SparseMatrix {
  /// Writes a matrix column by column.
  public struct ColumnBuilder: Sendable {
    private let rows: Int
    private var starts: [Int] = [0]
    @usableFromInline var indices: [Int32] = []
    @usableFromInline var values: [Double] = []
    @usableFromInline var isAscending = true

    /// A matrix with so many rows and no column yet.
    public init(rows: Int) {
      precondition(rows <= Int32.max, "\(rows) rows")
      self.rows = rows
    }

    /// Makes room.
    public mutating func reserve(columns: Int, entries: Int) {
      starts.reserveCapacity(columns + 1)
      indices.reserveCapacity(entries)
      values.reserveCapacity(entries)
    }

    /// Adds an entry to the column that is being written, best with ascending rows; a 0 is left out, and entries of one
    /// row are added up. What cancels but for rounding, as the two maps of a loop may, is 0.
    @inlinable public mutating func append(row: Int, _ value: Double) {
      guard value != 0 else { return }
      indices.append(Int32(truncatingIfNeeded: row))
      values.append(value)
    }

    /// Ends a column.
    public mutating func endColumn() {
      let start = starts.last!
      var isAscending = true
      var k = start + 1
      while k < indices.count {
        if indices[k] <= indices[k - 1] { isAscending = false }
        k += 1
      }
      if !isAscending { sortLast(from: start) }
      precondition(
        indices.count == start || indices[start] >= 0 && indices.last! < rows,
        "an entry out of range"
      )
      starts.append(indices.count)
    }

    private mutating func sortLast(from start: Int) {
      let order = (start..<indices.count).sorted { (indices[$0], $0) < (indices[$1], $1) }
      let entries = order.map { (indices[$0], values[$0]) }
      indices.removeLast(entries.count)
      values.removeLast(entries.count)
      for (row, value) in entries {
        if indices.count > start && indices.last == row {
          let sum = values[values.count - 1] + value
          if abs(sum) > 4 * Double.ulpOfOne * (abs(values[values.count - 1]) + abs(value)) {
            values[values.count - 1] = sum
          } else {
            indices.removeLast()
            values.removeLast()
          }
        } else {
          indices.append(row)
          values.append(value)
        }
      }
    }

    /// The matrix of the columns that were ended.
    public var matrix: SparseMatrix {
      SparseMatrix(rows: rows, columnStarts: starts, rowIndices: indices, values: values)
    }
  }

  /// The matrix with every entry changed.
  public func mapValues(_ change: (Double) -> Double) -> SparseMatrix {
    SparseMatrix(
      rows: rows, columnStarts: columnStarts, rowIndices: rowIndices, values: values.map(change))
  }

  /// This matrix with the columns of another to its right.
  public func beside(_ other: SparseMatrix) -> SparseMatrix {
    precondition(rows == other.rows, "\(rows) rows beside \(other.rows)")
    return SparseMatrix(
      rows: rows,
      columnStarts: columnStarts + other.columnStarts.dropFirst().map { $0 + values.count },
      rowIndices: rowIndices + other.rowIndices, values: values + other.values)
  }

  /// Some of the rows and columns.
  ///
  /// - Parameters:
  ///   - rows: different ones, in any order; all of them if nil.
  ///   - columns: in any order, repetitions allowed; all of them if nil.
  /// - Complexity: proportional to the entries of the columns and the number of rows.
  public func part(rows chosen: [Int]? = nil, columns: [Int]? = nil) -> SparseMatrix {
    var place: [Int32]?
    if let chosen {
      var list = [Int32](repeating: -1, count: rows)
      for (i, row) in chosen.enumerated() { list[row] = Int32(i) }
      place = list
    }
    var builder = ColumnBuilder(rows: chosen?.count ?? rows)
    builder.reserve(
      columns: columns?.count ?? self.columns, entries: columns == nil ? values.count : 0)
    func take(_ j: Int) {
      for k in columnStarts[j]..<columnStarts[j + 1] {
        let row = place.map { $0[Int(rowIndices[k])] } ?? rowIndices[k]
        if row >= 0 { builder.append(row: Int(row), values[k]) }
      }
      builder.endColumn()
    }
    if let columns { columns.forEach(take) } else { (0..<self.columns).forEach(take) }
    return builder.matrix
  }

  /// The diagonal.
  public var diagonal: [Double] {
    (0..<min(rows, columns)).map { j in
      var d = 0.0
      forEachEntry(ofColumn: j) { if $0 == j { d = $1 } }
      return d
    }
  }

  /// The symmetric matrix of which this is the lower triangle.
  public var symmetrized: SparseMatrix {
    precondition(rows == columns, "a triangle of shape (\(rows), \(columns))")
    let upper = transposed
    var builder = ColumnBuilder(rows: rows)
    builder.reserve(columns: columns, entries: 2 * values.count)
    for j in 0..<columns {
      upper.forEachEntry(ofColumn: j) { if $0 < j { builder.append(row: $0, $1) } }
      forEachEntry(ofColumn: j) { if $0 >= j { builder.append(row: $0, $1) } }
      builder.endColumn()
    }
    return builder.matrix
  }

  /// The connected components of the graph of a symmetric matrix, of which a triangle is enough: lists of indices,
  /// ascending, in the order of their first.
  ///
  /// - Complexity: proportional to the entries.
  public var connectedComponents: [[Int]] {
    precondition(rows == columns, "the graph of a matrix of shape (\(rows), \(columns))")
    var sets = DisjointSets(count: rows)
    for j in 0..<columns {
      for k in columnStarts[j]..<columnStarts[j + 1] { sets.join(j, Int(rowIndices[k])) }
    }
    // The root is the smallest index of its component.
    var place = [Int32](repeating: -1, count: rows)
    var components: [[Int]] = []
    for i in 0..<rows {
      let r = sets.root(i)
      if r == i {
        place[i] = Int32(components.count)
        components.append([])
      }
      components[Int(place[r])].append(i)
    }
    return components
  }
}
