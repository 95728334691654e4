/// The eliminated coboundaries of a complex over a field.
struct FieldEliminations: Sendable {
  private let dimensions: [Int]
  private(set) var ranks: [Int]
  /// Of the transposes of the coboundaries; kept only if all were eliminated by rows.
  private var byRows: [UnitPivotElimination<PrimeField>?]
  /// The pivot rows and columns of each coboundary.
  private var pivotRows, pivotColumns: [[Int]]

  init(of complex: ExactComplex<PrimeField>, alwaysByRows: Bool) {
    dimensions = complex.dimensions
    let count = complex.coboundaries.count
    ranks = [Int](repeating: 0, count: count)
    byRows = [UnitPivotElimination<PrimeField>?](repeating: nil, count: count)
    pivotRows = [[Int]](repeating: [], count: count)
    pivotColumns = pivotRows
    do {
      try complex.eliminate(alwaysByRows: alwaysByRows) { k, isByRows, elimination in
        ranks[k] = elimination.pivotCount
        if alwaysByRows { byRows[k] = elimination }
        pivotRows[k] = isByRows ? elimination.pivotColumns : elimination.pivotRows
        pivotColumns[k] = isByRows ? elimination.pivotRows : elimination.pivotColumns
      }
    } catch {
      preconditionFailure("residues that overflow")
    }
  }

  /// The coordinates of C^k that are pivots of neither δ_k nor δ_{k−1}, b_k of them.
  ///
  /// A cocycle follows from its values outside the pivot columns of δ_k. In the pivot rows R of δ_{k−1}, which
  /// clearing keeps apart from those columns, coboundaries take any values. So the cocycles that are 0 in R are a
  /// complement of the coboundaries; those that are 1 in one of these coordinates and 0 in the others, its basis.
  func freeCoordinates(degree k: Int) -> [Int] {
    var isFree = [Bool](repeating: true, count: dimensions[k])
    if k < pivotColumns.count { for j in pivotColumns[k] { isFree[j] = false } }
    if k > 0 { for i in pivotRows[k - 1] { isFree[i] = false } }
    return isFree.indices.filter { isFree[$0] }
  }

  /// The cocycle that is 1 in one free coordinate and 0 in the others and in R.
  func cocycle(degree k: Int, free: Int) -> [UInt32] {
    if k < byRows.count, let elimination = byRows[k] {
      return elimination.leftNullVector(freeRow: free)
    }
    var values = [UInt32](repeating: 0, count: dimensions[k])
    values[free] = 1
    return values
  }
}
