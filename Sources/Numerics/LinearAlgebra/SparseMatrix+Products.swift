extension SparseMatrix {
  /// A B, by columns (Gustavson 1978).
  ///
  /// - Complexity: Σ over the entries (k, j) of B of the entries of column k of A.
  public func times(_ other: SparseMatrix) -> SparseMatrix {
    precondition(columns == other.rows, "\(columns) columns times \(other.rows) rows")
    var builder = ColumnBuilder(rows: rows)
    var sums = [Double](repeating: 0, count: rows)
    var isThere = [Bool](repeating: false, count: rows)
    var pattern: [Int32] = []
    for j in 0..<other.columns {
      pattern.removeAll(keepingCapacity: true)
      for p in other.columnStarts[j]..<other.columnStarts[j + 1] {
        let (k, factor) = (Int(other.rowIndices[p]), other.values[p])
        for q in columnStarts[k]..<columnStarts[k + 1] {
          let i = Int(rowIndices[q])
          if !isThere[i] {
            isThere[i] = true
            pattern.append(rowIndices[q])
          }
          sums[i] += factor * values[q]
        }
      }
      pattern.sort()
      for i in pattern {
        builder.append(row: Int(i), sums[Int(i)])
        sums[Int(i)] = 0
        isThere[Int(i)] = false
      }
      builder.endColumn()
    }
    return builder.matrix
  }

  /// A + B. Cost: proportional to the entries.
  public func adding(_ other: SparseMatrix) -> SparseMatrix {
    precondition(
      rows == other.rows && columns == other.columns,
      "a (\(rows), \(columns)) and a (\(other.rows), \(other.columns)) matrix")
    var builder = ColumnBuilder(rows: rows)
    builder.reserve(columns: columns, entries: values.count + other.values.count)
    for j in 0..<columns {
      var (k, l) = (columnStarts[j], other.columnStarts[j])
      let (kEnd, lEnd) = (columnStarts[j + 1], other.columnStarts[j + 1])
      while k < kEnd || l < lEnd {
        let row = k < kEnd ? rowIndices[k] : .max
        let otherRow = l < lEnd ? other.rowIndices[l] : .max
        var sum = 0.0
        if row <= otherRow {
          sum += values[k]
          k += 1
        }
        if otherRow <= row {
          sum += other.values[l]
          l += 1
        }
        builder.append(row: Int(min(row, otherRow)), sum)
      }
      builder.endColumn()
    }
    return builder.matrix
  }

  /// A diag(d).
  public func scalingColumns(by factors: [Double]) -> SparseMatrix {
    precondition(factors.count == columns, "\(factors.count) factors of \(columns) columns")
    var scaled = values
    for j in 0..<columns {
      for k in columnStarts[j]..<columnStarts[j + 1] { scaled[k] *= factors[j] }
    }
    return SparseMatrix(
      rows: rows, columnStarts: columnStarts, rowIndices: rowIndices, values: scaled)
  }

  /// diag(d) A.
  public func scalingRows(by factors: [Double]) -> SparseMatrix {
    precondition(factors.count == rows, "\(factors.count) factors of \(rows) rows")
    var scaled = values
    for k in scaled.indices { scaled[k] *= factors[Int(rowIndices[k])] }
    return SparseMatrix(
      rows: rows, columnStarts: columnStarts, rowIndices: rowIndices, values: scaled)
  }

  /// A + d·1 for a lower triangle A.
  public func addingToDiagonal(_ d: Double) -> SparseMatrix {
    addingToDiagonal([Double](repeating: d, count: rows))
  }

  /// A + diag(d) for a lower triangle A; its pattern stays, entries that are 0 included, and has the diagonal in it.
  public func addingToDiagonal(_ d: [Double]) -> SparseMatrix {
    precondition(
      rows == columns && d.count == rows, "\(d.count) numbers on the diagonal of \(rows) rows")
    var (starts, indices, sums) = ([0], [Int32](), [Double]())
    indices.reserveCapacity(values.count + rows)
    sums.reserveCapacity(values.count + rows)
    for j in 0..<columns {
      let range = columnStarts[j]..<columnStarts[j + 1]
      let hasDiagonal = !range.isEmpty && Int(rowIndices[range.lowerBound]) == j
      indices.append(Int32(j))
      sums.append((hasDiagonal ? values[range.lowerBound] : 0) + d[j])
      for k in range.dropFirst(hasDiagonal ? 1 : 0) {
        indices.append(rowIndices[k])
        sums.append(values[k])
      }
      starts.append(indices.count)
    }
    return SparseMatrix(rows: rows, columnStarts: starts, rowIndices: indices, values: sums)
  }
}
