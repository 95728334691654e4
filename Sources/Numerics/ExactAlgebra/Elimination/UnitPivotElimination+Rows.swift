/// Row vectors y with yᵀA given, A being the matrix that was eliminated.
///
/// With pivot columns c_j, 1 in pivot row i_j and 0 in those of earlier pivots, the values c_jᵀy = t_j
/// determine y from the last pivot row to the first, the other rows being given:
/// y[i_j] = t_j − Σ c_j[i] y[i] over the entries besides the pivot.
extension UnitPivotElimination where Ring == PrimeField {
  /// The y with yᵀA = 0 that is 1 in row `free` and 0 in the other rows without a pivot.
  ///
  /// Cost: the entries of the reduced columns.
  func leftNullVector(freeRow free: Int) -> [UInt32] {
    precondition(ordinals[free] < 0, "row \(free) has a pivot")
    var y = [UInt32](repeating: 0, count: rows)
    y[free] = 1
    for j in stride(from: pivotCount - 1, through: 0, by: -1) { substitute(j, into: &y) }
    return y
  }

  /// The y with yᵀA = bᵀ in the pivot columns that is 0 in the rows without a pivot. Needs a history.
  ///
  /// As c_j = s_j (a_j − Σ m_ji c_i), the values are t_j = s_j (b_j − Σ m_ji t_i).
  /// Cost: the entries of the reduced columns and their multipliers.
  ///
  /// - Parameter right: b, a number for each column.
  func leftSolution(of right: [UInt32]) -> [UInt32] {
    guard let history else { preconditionFailure("an elimination without a history") }
    var values = [UInt32](repeating: 0, count: pivotCount)
    for j in 0..<pivotCount {
      var sum = right[pivotColumns[j]]
      for k in history.starts[j]..<history.starts[j + 1] {
        sum = ring.difference(
          sum, minus: history.multipliers[k], times: values[Int(history.ordinals[k])])
      }
      values[j] = ring.product(history.scales[j], sum)
    }
    var y = [UInt32](repeating: 0, count: rows)
    for j in stride(from: pivotCount - 1, through: 0, by: -1) {
      y[pivotRows[j]] = values[j]
      substitute(j, into: &y)
    }
    return y
  }

  private func substitute(_ j: Int, into y: inout [UInt32]) {
    var sum = y[pivotRows[j]]
    for k in reduced.columnStarts[j]..<reduced.columnStarts[j + 1] {
      sum = ring.difference(sum, minus: reduced.values[k], times: y[Int(reduced.rowIndices[k])])
    }
    y[pivotRows[j]] = sum
  }
}
