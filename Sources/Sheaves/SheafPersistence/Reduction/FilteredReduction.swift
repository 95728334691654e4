import ExactAlgebra

/// The pairs of a reduced coboundary, and the columns that it sends to 0.
struct ReducedCoboundary<Cochain> {
  /// A column e_j + later ones whose coboundary begins in a row, and that combination if it was asked for.
  var pairs: [(column: Int, row: Int, cochain: Cochain?)] = []
  /// A column that with later ones becomes a cocycle.
  var cocycles: [(column: Int, cochain: Cochain?)] = []
}

/// The reduction of a coboundary of the filtered cochain complex.
///
/// C(X_a) is the quotient of C(X) by the cochains on later cells, so a cochain is born with the first cell on which
/// it differs from 0. Rows and columns stand in the order of appearance, d of each cell with a stalk of dimension d.
/// A column may be changed by later ones only, which leaves its birth. The last column comes first; each is freed of
/// entries in the rows where later columns begin, until its own first entry is in another row or nothing is left. A
/// column j that begins in row i says that the cochain x = e_j + later ones is a cocycle until row i's cell appears:
/// a bar from the one cell to the other (de Silva, Morozov, Vejdemo-Johansson 2011, §3). As δδ = 0 the column i of
/// the next coboundary becomes 0 with later ones, and is skipped (clearing; Chen, Kerber 2011, "twist").
///
/// Cost: at worst cubic in the number of columns; for most complexes nearly proportional to the entries.
struct FilteredReduction<Arithmetic: ColumnArithmetic> {
  typealias Element = Arithmetic.Element
  typealias Cochain = [(row: Int, value: Element)]

  /// Reduces a matrix whose rows and columns stand in the order of appearance.
  ///
  /// - Parameters:
  ///   - cleared: the columns to skip, a flag for each.
  ///   - recording: whether to keep the combinations.
  static func reduce(
    _ matrix: SparseColumns<Element>, with arithmetic: Arithmetic, skipping cleared: [Bool],
    recording: Bool
  ) throws(ArithmeticOverflow) -> ReducedCoboundary<Cochain> {
    let ring = arithmetic.ring
    var result = ReducedCoboundary<Cochain>()
    var reduced = SparseColumns<Element>(rows: matrix.rows)
    var history = SparseColumns<Element>(rows: matrix.columns)
    var pivots: [Element] = []
    var ordinals = [Int32](repeating: -1, count: matrix.rows)
    var work = WorkingColumn(rows: matrix.rows, zero: ring.zero, isOrdered: true)
    var combination = WorkingColumn(
      rows: recording ? matrix.columns : 0, zero: ring.zero, isOrdered: false)
    for j in (0..<matrix.columns).reversed() where !cleared[j] {
      work.load(matrix, column: j)
      if recording {
        combination.touch(j)
        combination.values[j] = ring.one
      }
      var pivot: Int?
      while let row = work.popLeast() {
        if work.values[row] == ring.zero { continue }
        guard ordinals[row] >= 0 else {
          pivot = row
          break
        }
        let place = Int(ordinals[row])
        let (keep, factor) = try arithmetic.factors(work.values[row], pivot: pivots[place])
        try work.combine(keep, minus: factor, times: reduced, place, over: ring)
        if recording {
          try combination.combine(keep, minus: factor, times: history, place, over: ring)
        }
      }
      if let pivot {
        let scale = arithmetic.scale(work, combination, pivot: pivot)
        ordinals[pivot] = Int32(pivots.count)
        pivots.append(arithmetic.scaled(work.values[pivot], by: scale))
        reduced.appendColumn(scaled(work, by: scale, arithmetic))
        let cochain = recording ? scaled(combination, by: scale, arithmetic) : nil
        if let cochain { history.appendColumn(cochain) }
        result.pairs.append((j, pivot, cochain))
      } else {
        let scale = arithmetic.scale(work, combination, pivot: nil)
        result.cocycles.append((j, recording ? scaled(combination, by: scale, arithmetic) : nil))
      }
      work.clear(ring.zero)
      combination.clear(ring.zero)
    }
    return result
  }

  private static func scaled(
    _ column: WorkingColumn<Element>, by scale: Element, _ arithmetic: Arithmetic
  ) -> Cochain {
    column.touched.compactMap { i in
      let value = column.values[Int(i)]
      return value == arithmetic.ring.zero
        ? nil : (Int(i), arithmetic.scaled(value, by: scale))
    }
  }
}
