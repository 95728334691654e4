import LinearAlgebra

/// A lower triangle by supernodes: runs of columns with the same rows below them, each a dense block of its own rows
/// and those below, column by column.
///
/// The rows below a supernode are among the rows of the supernode to which the first of them belongs, as in the factor
/// of a symmetric matrix.
struct SupernodalBlocks: Sendable {
  /// The first column of each supernode, and at last the order.
  var columnStarts = [0]
  /// Where the rows of each begin in `rows`; they begin with its own columns.
  var rowStarts = [0]
  /// The rows of the supernodes, ascending in each.
  var rows: [Int32] = []
  /// Where the block of each begins in `values`.
  var valueStarts = [0]
  /// The blocks; what lies above the diagonal counts for nothing in a factor.
  var values: [Double] = []
  /// Row k belongs to unknown `permutation[k]`.
  var permutation: [Int32] = []

  /// The number of supernodes.
  var count: Int { columnStarts.count - 1 }
  /// The number of columns.
  var order: Int { columnStarts[count] }

  /// No columns.
  init() {}

  /// A dense lower triangle, one supernode.
  init(_ triangle: Matrix) {
    let n = triangle.rows
    guard n > 0 else { return }
    (columnStarts, rowStarts, valueStarts) = ([0, n], [0, n], [0, n * n])
    rows = (0..<n).map { Int32($0) }
    (values, permutation) = (triangle.elements, rows)
  }

  /// The supernode of each column.
  var supernodes: [Int32] {
    var result = [Int32](repeating: 0, count: order)
    for s in 0..<count {
      for j in columnStarts[s]..<columnStarts[s + 1] { result[j] = Int32(s) }
    }
    return result
  }

  /// The part of the triangle in some unknowns, dense, if none of them stands before another unknown of its supernode or
  /// of one below: unknowns that are eliminated last.
  ///
  /// - Parameter place: where each unknown goes, −1 for those that are left out.
  func part(_ place: [Int32], count: Int) -> Matrix {
    var result = Matrix(rows: count, columns: count)
    for s in 0..<self.count {
      let rows = rows[rowStarts[s]..<rowStarts[s + 1]]
      for (column, j) in (columnStarts[s]..<columnStarts[s + 1]).enumerated() {
        let target = Int(place[Int(permutation[j])])
        if target < 0 { continue }
        let start = valueStarts[s] + column * rows.count
        for (k, row) in rows.enumerated().dropFirst(column) {
          let i = Int(place[Int(permutation[Int(row)])])
          if i >= 0 { result[i, target] = values[start + k] }
        }
      }
    }
    return result
  }
}
