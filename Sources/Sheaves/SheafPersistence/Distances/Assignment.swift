/// The assignment of rows to different columns of least total cost, where a row may also stay alone at a cost of its
/// own: by shortest augmenting paths with potentials (Jonker, Volgenant 1987).
///
/// A row that is alone once stays so, since no other can take its place from it.
///
/// Cost: O(rows² · columns).
struct Assignment {
  /// The column of each row, nil for one that is alone.
  let columns: [Int?]

  /// - Parameters:
  ///   - costs: of row i and column j at i · n + j.
  ///   - alone: the cost of each row by itself.
  init(costs: [Double], columns n: Int, alone: [Double]) {
    precondition(costs.count == n * alone.count, "\(costs.count) costs")
    var rowPotential = [Double](repeating: 0, count: alone.count)
    var columnPotential = [Double](repeating: 0, count: n)
    var rowOf = [Int](repeating: -1, count: n)
    var columnOf = [Int](repeating: -1, count: alone.count)
    var (distance, previous) = (columnPotential, rowOf)
    var isDone = [Bool](repeating: false, count: n)
    for start in alone.indices {
      // Dijkstra's tree of reduced costs from the new row, up to a free column or a row that had better be alone.
      for j in 0..<n { (distance[j], previous[j], isDone[j]) = (.infinity, -1, false) }
      var (row, reached, from) = (start, 0.0, -1)
      var (least, lonely) = (Double.infinity, -1)
      var end = -1
      while true {
        let base = reached - rowPotential[row]
        if base + alone[row] < least { (least, lonely) = (base + alone[row], row) }
        var best = -1
        for j in 0..<n where !isDone[j] {
          let d = base + costs[row * n + j] - columnPotential[j]
          if d < distance[j] { (distance[j], previous[j]) = (d, from) }
          if best < 0 || distance[j] < distance[best] { best = j }
        }
        guard best >= 0, distance[best] < least else { break }
        reached = distance[best]
        if rowOf[best] < 0 {
          end = best
          break
        }
        isDone[best] = true
        (from, row) = (best, rowOf[best])
      }
      if end < 0 { reached = least }
      rowPotential[start] += reached
      for j in 0..<n where isDone[j] {
        rowPotential[rowOf[j]] += reached - distance[j]
        columnPotential[j] -= reached - distance[j]
      }
      // The last column of the path is taken over from there on back to the new row.
      var column = end >= 0 ? end : columnOf[lonely]
      if end < 0 { columnOf[lonely] = -1 }
      while column >= 0 {
        let before = previous[column]
        let taker = before >= 0 ? rowOf[before] : start
        (rowOf[column], columnOf[taker]) = (taker, column)
        column = before
      }
    }
    columns = columnOf.map { $0 < 0 ? nil : $0 }
  }
}
