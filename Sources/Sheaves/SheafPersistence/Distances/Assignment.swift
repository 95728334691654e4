/// The assignment of rows to different columns of least total cost, by shortest augmenting paths with potentials
/// (Jonker, Volgenant 1987).
///
/// Cost: O(rows² · columns).
struct Assignment {
  /// The column of each row.
  let columns: [Int]

  /// - Parameters:
  ///   - rows: their number, no more than the columns.
  ///   - cost: finite.
  init(rows: Int, columns n: Int, cost: (_ row: Int, _ column: Int) -> Double) {
    precondition(rows <= n, "\(rows) rows for \(n) columns")
    var (rowPotential, columnPotential) = (
      [Double](repeating: 0, count: rows), [Double](repeating: 0, count: n)
    )
    var rowOf = [Int](repeating: -1, count: n)
    for start in 0..<rows {
      // Dijkstra's tree of reduced costs from the new row.
      var distance = [Double](repeating: .infinity, count: n)
      var previous = [Int](repeating: -1, count: n)
      var isDone = [Bool](repeating: false, count: n)
      var (row, reached, end, from) = (start, 0.0, -1, -1)
      while end < 0 {
        var best = -1
        for j in 0..<n where !isDone[j] {
          let d = reached + cost(row, j) - rowPotential[row] - columnPotential[j]
          if d < distance[j] { (distance[j], previous[j]) = (d, from) }
          if best < 0 || distance[j] < distance[best] { best = j }
        }
        isDone[best] = true
        reached = distance[best]
        from = best
        if rowOf[best] < 0 { end = best } else { row = rowOf[best] }
      }
      rowPotential[start] += reached
      for j in 0..<n where isDone[j] && j != end {
        rowPotential[rowOf[j]] += reached - distance[j]
        columnPotential[j] -= reached - distance[j]
      }
      var column = end
      while previous[column] >= 0 {
        rowOf[column] = rowOf[previous[column]]
        column = previous[column]
      }
      rowOf[column] = start
    }
    var columns = [Int](repeating: -1, count: rows)
    for (j, row) in rowOf.enumerated() where row >= 0 { columns[row] = j }
    self.columns = columns
  }
}
