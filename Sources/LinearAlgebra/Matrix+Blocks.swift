/// Blocks and rearrangements (copies).
extension Matrix {
  /// The transpose.
  public var transposed: Matrix {
    var result = [Double](repeating: 0, count: count)
    for j in 0..<columns {
      for i in 0..<rows { result[j + i * columns] = elements[i + j * rows] }
    }
    return Matrix(rows: columns, columns: rows, columnMajor: result)
  }

  /// The columns in `range`.
  public func columns(_ range: Range<Int>) -> Matrix {
    Matrix(
      rows: rows, columns: range.count,
      columnMajor: Array(elements[range.lowerBound * rows..<range.upperBound * rows]))
  }

  /// The columns with the given indices, in their order, repetitions allowed.
  public func columns(_ indices: [Int]) -> Matrix {
    var result = Matrix(rows: rows, columns: indices.count)
    result.gatherColumns(indices, from: self)
    return result
  }

  /// The rows in `range`.
  public func rows(_ range: Range<Int>) -> Matrix {
    self[rows: Array(range), columns: Array(0..<columns)]
  }

  /// The submatrix at the given row and column indices.
  public subscript(rows rowIndices: [Int], columns columnIndices: [Int]) -> Matrix {
    var result = Matrix(rows: rowIndices.count, columns: columnIndices.count)
    for (q, j) in columnIndices.enumerated() {
      for (p, i) in rowIndices.enumerated() { result[p, q] = self[i, j] }
    }
    return result
  }

  /// Overwrites the columns from `start` on with those of `block`.
  public mutating func setColumns(from start: Int, to block: Matrix) {
    precondition(block.rows == rows && start >= 0 && start + block.columns <= columns)
    elements.replaceSubrange(
      start * rows..<(start + block.columns) * rows, with: block.elements)
  }

  /// Overwrites the block whose upper left corner is (row, column).
  public mutating func setBlock(row: Int, column: Int, to block: Matrix) {
    for j in 0..<block.columns {
      for i in 0..<block.rows { self[row + i, column + j] = block[i, j] }
    }
  }

  /// Column q ← column `indices[q]` of `source`.
  public mutating func gatherColumns(_ indices: [Int], from source: Matrix) {
    precondition(source.rows == rows && indices.count == columns)
    for (q, j) in indices.enumerated() {
      for i in 0..<rows { elements[i + q * rows] = source.elements[i + j * rows] }
    }
  }

  /// Column `indices[q]` ← column q of `source`.
  public mutating func scatterColumns(_ indices: [Int], from source: Matrix) {
    precondition(source.rows == rows && indices.count == source.columns)
    for (q, j) in indices.enumerated() {
      for i in 0..<rows { elements[i + j * rows] = source.elements[i + q * rows] }
    }
  }

  /// The place of the first element that is not finite, if there is one.
  public var firstNonFinite: (row: Int, column: Int)? {
    guard let k = elements.firstIndex(where: { !$0.isFinite }) else { return nil }
    return (k % rows, k / rows)
  }
}

/// Blocks of rows, in place.
extension Matrix {
  /// self[block] ← scale · x + keep · self[block].
  public mutating func addRows(
    _ block: Range<Int>, of x: Matrix, scale: Double = 1, keeping keep: Double
  ) {
    precondition(x.rows == block.count && x.columns == columns && block.upperBound <= rows)
    for j in 0..<columns {
      for i in 0..<block.count {
        let p = block.lowerBound + i + j * rows
        elements[p] = scale * x.elements[i + j * x.rows] + (keep == 0 ? 0 : keep * elements[p])
      }
    }
  }

  /// self ← x[block] + keep · self.
  public mutating func addFromRows(_ block: Range<Int>, of x: Matrix, keeping keep: Double) {
    precondition(rows == block.count && x.columns == columns && block.upperBound <= x.rows)
    for j in 0..<columns {
      for i in 0..<rows {
        let p = i + j * rows
        elements[p] =
          x.elements[block.lowerBound + i + j * x.rows] + (keep == 0 ? 0 : keep * elements[p])
      }
    }
  }

  /// self[block] ← x[block].
  public mutating func copyRows(_ block: Range<Int>, of x: Matrix) {
    precondition(x.rows == rows && x.columns == columns && block.upperBound <= rows)
    for j in 0..<columns {
      for i in block { elements[i + j * rows] = x.elements[i + j * rows] }
    }
  }
}

extension Matrix {
  /// The sum of the squares of the elements in the given rows.
  public func sumOfSquares(rows block: Range<Int>) -> Double {
    if block == 0..<rows { return sumOfSquares }
    var sum = 0.0
    for j in 0..<columns {
      for i in block { sum += elements[i + j * rows] * elements[i + j * rows] }
    }
    return sum
  }
}
