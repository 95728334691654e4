extension SparseMatrix {
  /// This lower triangle with explicit zeros added so that its diagonal blocks are full.
  ///
  /// A factorisation keeps explicit zeros: entries of the inverse on these blocks then are among those that
  /// `SparseCholesky.selectedInverse` computes.
  ///
  /// Cost: proportional to the entries of the result.
  ///
  /// - Parameter blocks: ranges of rows and columns, ascending and disjoint; what they leave out stays as it is.
  /// - Returns: the matrix with the same values and at least the entries (i, j), i ≥ j, for i and j in one range.
  public func withPattern(including blocks: [Range<Int>]) -> SparseMatrix {
    precondition(rows == columns, "a triangle of shape (\(rows), \(columns))")
    var (starts, indices, entries): ([Int], [Int32], [Double]) = ([0], [], [])
    starts.reserveCapacity(columns + 1)
    indices.reserveCapacity(values.count)
    entries.reserveCapacity(values.count)
    /// Copies columns as they are.
    func copy(_ range: Range<Int>) {
      let shift = indices.count - columnStarts[range.lowerBound]
      let span = columnStarts[range.lowerBound]..<columnStarts[range.upperBound]
      indices += rowIndices[span]
      entries += values[span]
      for j in range { starts.append(columnStarts[j + 1] + shift) }
    }
    var done = 0
    for block in blocks {
      precondition(
        block.lowerBound >= done && block.upperBound <= columns,
        "block \(block) after column \(done) of \(columns)")
      copy(done..<block.lowerBound)
      for j in block {
        var k = columnStarts[j]
        let end = columnStarts[j + 1]
        precondition(k == end || rowIndices[k] >= j, "an entry above the diagonal in column \(j)")
        for i in j..<block.upperBound {
          let isPresent = k < end && rowIndices[k] == i
          indices.append(Int32(i))
          entries.append(isPresent ? values[k] : 0)
          if isPresent { k += 1 }
        }
        indices += rowIndices[k..<end]
        entries += values[k..<end]
        starts.append(indices.count)
      }
      done = block.upperBound
    }
    copy(done..<columns)
    return SparseMatrix(
      rows: rows, columnStarts: starts, rowIndices: indices, values: entries)
  }
}
