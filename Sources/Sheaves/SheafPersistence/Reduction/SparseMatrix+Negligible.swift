import LinearAlgebra

extension SparseMatrix {
  /// What counts as 0 in a reduction: the tolerance, or 20 (m + n) ε, times the norm of the largest column.
  func negligible(_ tolerance: Double?) -> Double {
    (tolerance ?? 20 * Double(rows + columns) * .ulpOfOne) * largestColumnNorm
  }
}
