import LinearAlgebra

extension SparseMatrix {
  /// What counts as 0 in a reduction: the tolerance, or 20 (m + n) ε, times the norm of the largest column.
  func negligible(_ tolerance: Double?) -> Double {
    (tolerance ?? 20 * Double(rows + columns) * .ulpOfOne) * largestColumnNorm
  }

  /// The norm of the largest column.
  var largestColumnNorm: Double {
    var largest = 0.0
    for j in 0..<columns {
      var sum = 0.0
      forEachEntry(ofColumn: j) { sum += $1 * $1 }
      largest = max(largest, sum)
    }
    return largest.squareRoot()
  }
}
