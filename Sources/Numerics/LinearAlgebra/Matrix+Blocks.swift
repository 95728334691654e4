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

  /// Blocks of so many rows, from the top; the opposite of `init(stacking:columns:)`.
  public func split(_ counts: [Int]) -> [Matrix] {
    var row = 0
    return counts.map { n in
      var part = Matrix(rows: n, columns: columns)
      part.addFromRows(row..<row + n, of: self, scale: 1, keeping: 0)
      row += n
      return part
    }
  }

  /// The submatrix at the given row and column indices.
  public subscript(rows rowIndices: [Int], columns columnIndices: [Int]) -> Matrix {
    var result = Matrix(rows: rowIndices.count, columns: columnIndices.count)
    for (q, j) in columnIndices.enumerated() {
      for (p, i) in rowIndices.enumerated() { result[p, q] = self[i, j] }
    }
    return result
  }

  /// Each row `n` times in a row.
  public func repeatingRows(_ n: Int) -> Matrix {
    n == 1
      ? self
      : Matrix(
        rows: rows * n, columns: columns,
        columnMajor: elements.flatMap { [Double](repeating: $0, count: n) })
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

  /// Column `indices[q]` gains column q of `source`.
  public mutating func addColumns(_ source: Matrix, at indices: [Int]) {
    precondition(source.rows == rows && indices.count == source.columns)
    for (q, j) in indices.enumerated() {
      for i in 0..<rows { elements[i + j * rows] += source.elements[i + q * rows] }
    }
  }

  /// The place of the first element that is not finite, if there is one.
  public var firstNonFinite: (row: Int, column: Int)? {
    guard let k = elements.firstIndex(where: { !$0.isFinite }) else { return nil }
    return (k % rows, k / rows)
  }
}

extension Matrix {
  /// The sum of the squares of column j, each times the weight of its row if there are any.
  public func sumOfSquares(column j: Int, weights: [Double]? = nil) -> Double {
    var sum = 0.0
    if let weights {
      for i in 0..<rows { sum += weights[i] * elements[i + j * rows] * elements[i + j * rows] }
    } else {
      for i in j * rows..<(j + 1) * rows { sum += elements[i] * elements[i] }
    }
    return sum
  }

  /// The largest magnitude in column j, NaN if an element is.
  public func maximumMagnitude(column j: Int) -> Double {
    var largest = 0.0
    for i in j * rows..<(j + 1) * rows { largest = maximum(largest, abs(elements[i])) }
    return largest
  }

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

extension Matrix {
  /// The row of the largest element of column j, the first of equals.
  public func largestRow(ofColumn j: Int) -> Int {
    (0..<rows).reduce(0) { self[$1, j] > self[$0, j] ? $1 : $0 }
  }

  /// The row of the largest element of column j but for one.
  public func largestRow(ofColumn j: Int, except row: Int) -> Int {
    (0..<rows).reduce(row == 0 ? 1 : 0) { $1 != row && self[$1, j] > self[$0, j] ? $1 : $0 }
  }
}

extension Matrix {
  /// Row i at row `places[i]` of a matrix of n rows that is 0 elsewhere.
  public func spread(to places: [Int], of n: Int) -> Matrix {
    var result = Matrix(rows: n, columns: columns)
    for j in 0..<columns { for (i, place) in places.enumerated() { result[place, j] = self[i, j] } }
    return result
  }

  /// The rows at some places.
  public func gathered(_ places: [Int]) -> Matrix {
    self[rows: places, columns: Array(0..<columns)]
  }

  /// (A + Aᵀ)/2.
  public var symmetrized: Matrix {
    precondition(rows == columns, "the symmetric part of a \(shape) matrix")
    var result = self
    for j in 0..<columns {
      for i in 0..<j {
        let mean = (self[i, j] + self[j, i]) / 2
        (result[i, j], result[j, i]) = (mean, mean)
      }
    }
    return result
  }
}
