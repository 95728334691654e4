extension ExactComplex {
  /// Eliminates every coboundary, from the top, each without what those done before make superfluous.
  ///
  /// **Clearing** (Chen, Kerber 2011; Bauer, Kerber, Reininghaus 2014). If the square of δ_{k+1}'s entries
  /// in rows R and columns C is invertible over the ring, the rows of δ_k in C are combinations of its other
  /// rows C′: δ_{k+1}δ_k = 0 says in the rows R that δ_{k+1}[R, C] δ_k[C, ·] = −δ_{k+1}[R, C′] δ_k[C′, ·];
  /// multiply by the inverse of the first factor. So leaving them out changes neither the rank nor the
  /// invariant factors, whatever unit pivots were chosen. (In the same way, from the bottom, the columns of δ_{k+1}
  /// in the pivot rows of δ_k are superfluous.)
  ///
  /// δ_k is eliminated by rows if there are at least as many of them as columns, and else by columns: the
  /// lines with fewer entries each, which mostly stay so. Each elimination is handed over as it comes,
  /// `isByRows` if it is one of the transpose.
  func eliminate(
    alwaysByRows: Bool = false,
    visit: (_ degree: Int, _ isByRows: Bool, UnitPivotElimination<Ring>) throws(ArithmeticOverflow)
      -> Void
  ) throws(ArithmeticOverflow) {
    var cleared = [Bool](repeating: false, count: dimensions.last ?? 0)
    for k in coboundaries.indices.reversed() {
      let matrix = coboundaries[k]
      let isByRows = alwaysByRows || matrix.rows >= matrix.columns
      let elimination: UnitPivotElimination<Ring>
      if isByRows {
        elimination = try UnitPivotElimination(matrix.transposed, over: ring, skipping: cleared)
      } else {
        elimination = try UnitPivotElimination(matrix.clearing(rows: cleared), over: ring)
      }
      cleared = [Bool](repeating: false, count: matrix.columns)
      for j in isByRows ? elimination.pivotRows : elimination.pivotColumns { cleared[j] = true }
      try visit(k, isByRows, elimination)
    }
  }
}
