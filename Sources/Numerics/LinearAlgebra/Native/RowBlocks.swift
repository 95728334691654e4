import CKernels

/// Blocks of rows, in place.
extension Matrix {
  /// self[block] ← scale · x + keep · self[block].
  public mutating func addRows(
    _ block: Range<Int>, of x: Matrix, scale: Double = 1, keeping keep: Double
  ) {
    precondition(x.rows == block.count && x.columns == columns && block.upperBound <= rows)
    combine(
      x, from: 0, sourceStride: x.rows, to: block.lowerBound, targetStride: rows,
      count: block.count, scale: scale, keeping: keep)
  }

  /// self ← scale · x[block] + keep · self.
  public mutating func addFromRows(
    _ block: Range<Int>, of x: Matrix, scale: Double, keeping keep: Double
  ) {
    precondition(rows == block.count && x.columns == columns && block.upperBound <= x.rows)
    combine(
      x, from: block.lowerBound, sourceStride: x.rows, to: 0, targetStride: rows,
      count: block.count, scale: scale, keeping: keep)
  }

  /// self[block] ← x[block].
  public mutating func copyRows(_ block: Range<Int>, of x: Matrix) {
    precondition(x.rows == rows && x.columns == columns && block.upperBound <= rows)
    combine(
      x, from: block.lowerBound, sourceStride: rows, to: block.lowerBound, targetStride: rows,
      count: block.count, scale: 1, keeping: 0)
  }

  /// self[block] ← factor · self[block].
  public mutating func scaleRows(_ block: Range<Int>, by factor: Double) {
    precondition(block.lowerBound >= 0 && block.upperBound <= rows)
    if block == 0..<rows { return scale(by: factor) }
    for j in 0..<columns {
      for i in block { elements[i + j * rows] *= factor }
    }
  }

  /// Row i ← factors_i · row i, for the rows in a range or all; one factor for each row of the matrix.
  public mutating func scaleRows(_ block: Range<Int>? = nil, by factors: [Double]) {
    let block = block ?? 0..<rows
    precondition(
      factors.count == rows && block.lowerBound >= 0 && block.upperBound <= rows,
      "\(factors.count) factors for rows \(block) of \(shape)")
    let (rows, columns) = (rows, columns)
    elements.withUnsafeMutableBufferPointer { y in
      for j in 0..<columns {
        for i in block { y[i + j * rows] *= factors[i] }
      }
    }
  }

  private mutating func combine(
    _ x: Matrix, from: Int, sourceStride: Int, to: Int, targetStride: Int, count: Int,
    scale: Double, keeping keep: Double
  ) {
    let columns = columns
    x.elements.withUnsafeBufferPointer { x in
      elements.withUnsafeMutableBufferPointer { y in
        for j in 0..<(count > 0 ? columns : 0) {
          ck_axpby(
            count, scale, x.baseAddress! + from + j * sourceStride, keep,
            y.baseAddress! + to + j * targetStride)
        }
      }
    }
  }

  /// self, (groups, 1), ← self + scale · the sums of x over the columns and over each group of
  /// consecutive rows, all groups of one size.
  public mutating func addGroupedRowSums(of x: Matrix, scale: Double = 1) {
    precondition(columns == 1 && rows > 0 && x.rows % rows == 0, "\(x.shape) by \(shape)")
    let (groups, size) = (rows, x.rows / rows)
    if size == 1 { return addRowSums(of: x, scale: scale) }
    x.elements.withUnsafeBufferPointer { x in
      elements.withUnsafeMutableBufferPointer { y in
        for k in 0..<x.count / size {
          y[k % groups] += scale * ck_sum(size, x.baseAddress! + k * size)
        }
      }
    }
  }
}

/// Columns as parts of longer lists.
extension Matrix {
  /// Column j ← the elements of `list` from `start` on.
  public mutating func setColumn(_ j: Int, to list: [Double], from start: Int) {
    precondition(j >= 0 && j < columns && start >= 0 && start + rows <= list.count)
    guard rows > 0 else { return }
    let (offset, count) = (j * rows, rows)
    list.withUnsafeBufferPointer { source in
      elements.withUnsafeMutableBufferPointer {
        ($0.baseAddress! + offset).update(from: source.baseAddress! + start, count: count)
      }
    }
  }

  /// The elements of `list` from `start` on ← column j.
  public func copyColumn(_ j: Int, to list: inout [Double], at start: Int) {
    precondition(j >= 0 && j < columns && start >= 0 && start + rows <= list.count)
    guard rows > 0 else { return }
    elements.withUnsafeBufferPointer { source in
      list.withUnsafeMutableBufferPointer {
        ($0.baseAddress! + start).update(from: source.baseAddress! + j * rows, count: rows)
      }
    }
  }
}
