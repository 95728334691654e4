/// The elimination of a matrix by columns with pivots that are units of the ring.
///
/// A column is reduced by the pivot columns in the order in which they became pivots. A pivot column is 0
/// in the rows of the pivots before it, so this ends, and leaves 0 in every pivot row. If a unit is left
/// in some row, the column divided by it becomes a pivot column; the row is one with fewest entries in the
/// matrix. Otherwise the column waits until no column yields a pivot any more.
///
/// With U pivots and the remainder B (the columns that are not 0 in the end), column operations of
/// determinant ±unit turn the matrix into unit triangular columns beside B beside 0, and row operations
/// then clear the former without touching B: the Smith normal form is that of 1^U ⊕ B. Over a
/// field B is empty and the rank is the number of pivots.
///
/// **Structural pivots** come first, and without arithmetic (Faugère, Lachartre 2010; Bouillaguet,
/// Delaplace 2016): where the leftmost entry of a row is a unit, its column is a pivot column as it stands.
/// These columns, the last one first, have 0 in the rows of those before them.
///
/// Cost: one multiplication for each entry of a pivot column used in a reduction; at worst
/// rows · columns · rank. Memory: the reduced pivot columns.
public struct UnitPivotElimination<Ring: CoefficientRing>: Sendable {
  /// The ring.
  public let ring: Ring
  /// The shape of the matrix.
  public let rows, columns: Int
  /// The pivot rows and their columns, in the order in which they were found. The square matrix of the
  /// matrix's entries there has a unit as its determinant.
  public private(set) var pivotRows, pivotColumns: [Int]
  /// The columns that were reduced to 0, ascending; skipped ones are not among them.
  public private(set) var nullColumns: [Int]
  /// The columns without a pivot that are not 0 after reduction by all pivots, 0 in all pivot rows.
  public private(set) var remainder: SparseColumns<Ring.Element>
  /// The pivot columns after reduction, divided by their pivot entry, which is left out.
  private(set) var reduced: SparseColumns<Ring.Element>
  /// The place of a row's pivot in the order of pivots, or −1.
  private(set) var ordinals: [Int32]
  /// How each pivot column came about, if that was asked for.
  private(set) var history: ColumnHistory<Ring.Element>?

  /// Eliminates a matrix.
  ///
  /// - Parameters:
  ///   - skipped: columns taken to be 0, a flag for each; none if nil.
  ///   - recording: whether to keep the multipliers of each pivot column, for solving. Over fields only.
  /// - Throws: `ArithmeticOverflow`, if the ring does.
  public init(
    _ matrix: SparseColumns<Ring.Element>, over ring: Ring, skipping skipped: [Bool]? = nil,
    recording: Bool = false
  ) throws(ArithmeticOverflow) {
    self.ring = ring
    (rows, columns) = (matrix.rows, matrix.columns)
    precondition(
      skipped.map { $0.count == matrix.columns } ?? true,
      "\(skipped?.count ?? 0) flags for \(matrix.columns) columns")
    (pivotRows, pivotColumns, nullColumns) = ([], [], [])
    remainder = SparseColumns(rows: rows)
    reduced = SparseColumns(rows: rows)
    ordinals = [Int32](repeating: -1, count: rows)
    history = recording ? ColumnHistory() : nil
    let weights = matrix.rowWeights
    try takeStructuralPivots(of: matrix, weights: weights, skipping: skipped)

    var work = ReductionWorkspace(rows: rows, columns: columns, zero: ring.zero)
    var isPivot = [Bool](repeating: false, count: columns)
    for j in pivotColumns { isPivot[j] = true }
    var waiting = matrix
    var columnsWaiting = Array(0..<columns)
    var isFirstRound = true
    while true {
      let pivotsBefore = pivotRows.count
      var left = SparseColumns<Ring.Element>(rows: rows)
      var columnsLeft: [Int] = []
      for (place, j) in columnsWaiting.enumerated() {
        if isFirstRound && (isPivot[j] || skipped?[j] == true) { continue }
        work.load(waiting, column: place, ordinals: ordinals)
        try reduce(&work)
        if let row = bestPivotRow(in: work, weights: weights) {
          try appendPivot(row: row, column: j, from: &work)
        } else if !work.isZero(ring.zero) {
          columnsLeft.append(j)
          left.append(work.entries(ring.zero))
        } else {
          nullColumns.append(j)
          history?.dropColumn()
        }
        work.clear(ring.zero)
      }
      isFirstRound = false
      (waiting, columnsWaiting) = (left, columnsLeft)
      if pivotRows.count == pivotsBefore || left.columns == 0 { break }
    }
    nullColumns.sort()
    remainder = waiting
    precondition(!recording || remainder.columns == 0, "a history over \(ring.name)")
  }

  /// The number of pivots: the rank of the matrix if the remainder is empty.
  public var pivotCount: Int { pivotRows.count }

  /// Columns as they stand that are the leftmost of some row with a unit there, the last one first.
  private mutating func takeStructuralPivots(
    of matrix: SparseColumns<Ring.Element>, weights: [Int32], skipping skipped: [Bool]?
  ) throws(ArithmeticOverflow) {
    var isSeen = [Bool](repeating: false, count: rows)
    var pivots: [(column: Int, entry: Int)] = []
    for j in 0..<columns where skipped?[j] != true {
      var best: Int?
      for k in matrix.columnStarts[j]..<matrix.columnStarts[j + 1] {
        let i = Int(matrix.rowIndices[k])
        if isSeen[i] { continue }
        isSeen[i] = true
        guard ring.isUnit(matrix.values[k]) else { continue }
        if best.map({ weights[i] < weights[Int(matrix.rowIndices[$0])] }) ?? true { best = k }
      }
      if let best { pivots.append((j, best)) }
    }
    for (j, entry) in pivots.reversed() {
      let scale = ring.inverse(ofUnit: matrix.values[entry])
      for k in matrix.columnStarts[j]..<matrix.columnStarts[j + 1] where k != entry {
        reduced.rowIndices.append(matrix.rowIndices[k])
        reduced.values.append(try ring.product(matrix.values[k], scale))
      }
      reduced.columnStarts.append(reduced.rowIndices.count)
      history?.endColumn(scale: scale)
      let row = Int(matrix.rowIndices[entry])
      ordinals[row] = Int32(pivotRows.count)
      pivotRows.append(row)
      pivotColumns.append(j)
    }
  }

  /// Reduces the column at work by the pivot columns; its multipliers go to the history.
  private mutating func reduce(_ work: inout ReductionWorkspace<Ring.Element>)
    throws(ArithmeticOverflow)
  {
    while let ordinal = work.queue.popLeast() {
      let row = pivotRows[ordinal]
      let factor = work.values[row]
      if factor == ring.zero { continue }
      history?.append(ordinal, factor)
      work.values[row] = ring.zero
      for k in reduced.columnStarts[ordinal]..<reduced.columnStarts[ordinal + 1] {
        let i = Int(reduced.rowIndices[k])
        work.touch(i, ordinals: ordinals)
        work.values[i] = try ring.difference(
          work.values[i], minus: factor, times: reduced.values[k])
      }
    }
  }

  /// The row of a unit with fewest entries in the matrix.
  private func bestPivotRow(
    in work: ReductionWorkspace<Ring.Element>, weights: [Int32]
  ) -> Int? {
    var best: Int?
    for i in work.touched {
      let value = work.values[Int(i)]
      if value == ring.zero || !ring.isUnit(value) { continue }
      if best.map({ weights[Int(i)] < weights[$0] }) ?? true { best = Int(i) }
    }
    return best
  }

  private mutating func appendPivot(
    row: Int, column: Int, from work: inout ReductionWorkspace<Ring.Element>
  ) throws(ArithmeticOverflow) {
    let scale = ring.inverse(ofUnit: work.values[row])
    for i in work.touched where Int(i) != row && work.values[Int(i)] != ring.zero {
      reduced.rowIndices.append(i)
      reduced.values.append(try ring.product(work.values[Int(i)], scale))
    }
    reduced.columnStarts.append(reduced.rowIndices.count)
    history?.endColumn(scale: scale)
    ordinals[row] = Int32(pivotRows.count)
    pivotRows.append(row)
    pivotColumns.append(column)
  }
}

extension SparseColumns {
  /// The number of entries in each row.
  var rowWeights: [Int32] {
    var weights = [Int32](repeating: 0, count: rows)
    for i in rowIndices { weights[Int(i)] += 1 }
    return weights
  }
}
