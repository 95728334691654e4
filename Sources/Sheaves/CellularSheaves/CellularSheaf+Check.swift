import CellComplexes
import LinearAlgebra

extension CellularSheaf {
  /// Checks that this is a functor with δδ = 0: all ways from a cell to another of two dimensions more give one map, and
  /// with the incidence numbers they add up to 0.
  ///
  /// Where a cell meets a face several times, as in a torus of one square, the ways are different incidences of one pair
  /// of cells, not one relation of the face poset; there only δδ = 0 is asked for.
  ///
  /// - Parameter tolerance: relative to the sum over the ways of the products of the norms of their two maps.
  /// - Throws: `square` or `coboundary` for the first pair of cells that fails.
  /// - Complexity: one product of maps for each way.
  public func check(tolerance: Double = 1e-10) throws(SheafError) {
    try complex.forEachSquare { (square) throws(SheafError) in
      let n = stalk(of: square.face)
      let ways = square.ways.map { way -> (sign: Double, map: RestrictionMap, size: Double) in
        let (outer, inner) = (maps[way.outer], maps[way.inner])
        return (
          sign: Double(complex.sign(way)), map: outer.after(inner), size: outer.norm * inner.norm
        )
      }
      // What should vanish does so up to the rounding of products, not of their sum.
      let bound = tolerance * ways.reduce(0) { $0 + $1.size }
      let factors = ways.compactMap(\.map.factor)
      if factors.count == ways.count {
        // Multiples of the identity, as nearly everywhere in large complexes.
        guard n > 0 else { return }
        let spread = (factors.max() ?? 0) - (factors.min() ?? 0)
        try judge(
          square, difference: spread, sum: zip(ways, factors).reduce(0) { $0 + $1.0.sign * $1.1 },
          bound: bound)
        return
      }
      let matrices = ways.map { $0.map.dense(n) }
      var sum = Matrix(rows: matrices[0].rows, columns: n)
      var difference = 0.0
      for (way, matrix) in zip(ways, matrices) {
        sum.add(matrix, scale: way.sign)
        var d = matrix
        d.add(matrices[0], scale: -1)
        difference = max(difference, d.sumOfSquares.squareRoot())
      }
      try judge(
        square, difference: difference, sum: sum.sumOfSquares.squareRoot(), bound: bound)
    }
  }

  private func judge(
    _ square: CellSquare, difference: Double, sum: Double, bound: Double
  ) throws(SheafError) {
    let middles = square.ways.map { complex.face($0.outer) }
    let (cell, face) = (complex.name(square.cell), complex.name(square.face))
    if Set(middles).count == middles.count && difference > bound {
      throw .square(
        cell: cell, face: face, between: middles.prefix(2).map(complex.name),
        difference: difference)
    }
    if abs(sum) > bound { throw .coboundary(cell: cell, face: face, norm: abs(sum)) }
  }
}
