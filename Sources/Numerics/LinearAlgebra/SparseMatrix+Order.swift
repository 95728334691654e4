extension SparseMatrix {
  /// The lower triangle of a symmetric matrix, given with both triangles, on some of its unknowns in a given order.
  ///
  /// Row after row is dealt out to the columns before it, so that every column comes in order without sorting.
  ///
  /// - Parameters:
  ///   - unknowns: different ones; unknown k becomes row and column k.
  ///   - places: −1 for all unknowns of the matrix, before and after: that room for it is made once.
  /// - Complexity: proportional to the entries of those columns.
  public func lowerTriangle(of unknowns: [Int], places: inout [Int32]) -> SparseMatrix {
    precondition(
      rows == columns && places.count == rows, "unknowns of a (\(rows), \(columns)) matrix")
    for (i, unknown) in unknowns.enumerated() { places[unknown] = Int32(i) }
    var starts = [Int](repeating: 0, count: unknowns.count + 1)
    for (i, unknown) in unknowns.enumerated() {
      for k in columnStarts[unknown]..<columnStarts[unknown + 1] {
        let j = Int(places[Int(rowIndices[k])])
        if j >= 0 && j <= i { starts[j + 1] += 1 }
      }
    }
    for j in unknowns.indices { starts[j + 1] += starts[j] }
    var next = starts
    var (indices, entries) = (
      [Int32](repeating: 0, count: starts.last!), [Double](repeating: 0, count: starts.last!)
    )
    for (i, unknown) in unknowns.enumerated() {
      for k in columnStarts[unknown]..<columnStarts[unknown + 1] {
        let j = Int(places[Int(rowIndices[k])])
        if j >= 0 && j <= i {
          indices[next[j]] = Int32(truncatingIfNeeded: i)
          entries[next[j]] = values[k]
          next[j] += 1
        }
      }
    }
    for unknown in unknowns { places[unknown] = -1 }
    return SparseMatrix(
      rows: unknowns.count, columnStarts: starts, rowIndices: indices, values: entries)
  }
}
