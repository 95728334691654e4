import LinearAlgebra
import NeuralSheaves

/// The coordinates of a network numbered through: vertex by vertex, the input first. A discrepancy
/// has the number of the coordinate that its row determines.
package final class FlatNetwork: Sendable {
  /// One target coordinate of a state-dependent operation.
  package struct Row: Sendable {
    /// The edge.
    package let edge: Int
    /// The coordinate of the edge's target.
    package let row: Int
    /// The number of that coordinate.
    package let target: Int
    /// The number of coordinate 0 of the edge's source.
    package let source: Int
  }

  /// The number of coordinate 0 of each vertex, and of all.
  package let starts: [Int]
  /// The state-dependent rows.
  package let rows: [Row]
  /// The rows in whose boundaries a coordinate occurs: those of coordinate c are
  /// `readers[readerStarts[c]..<readerStarts[c + 1]]`.
  package let readerStarts: [Int]
  package let readers: [Int]
  /// The operation of each edge.
  package let operations: [any NetworkOperation]
  /// What the branches of a row are, for rows with few: those of row r are numbered from
  /// `branchStarts[r]`, or −1 where there are many.
  @usableFromInline let branchStarts: [Int]
  @usableFromInline let functions: [BranchFunction]
  @usableFromInline let boundaries: [BranchBoundary]
  @usableFromInline let boundaryStarts: [Int]
  /// Whether only state-dependent operations read a coordinate: then it may be held up on a path.
  package let canBend: [Bool]

  package init(_ network: Network) {
    var starts = [0]
    for vertex in network.vertices { starts.append(starts.last! + vertex.dimension) }
    var rows: [Row] = []
    var pairs: [(Int, Int)] = []
    var bends = network.vertices.map { _ in true }
    for (e, edge) in network.edges.enumerated() {
      guard edge.operation.isStateDependent else {
        bends[edge.source] = false
        continue
      }
      for row in edge.operation.targetRows {
        var sources: Set<Int> = []
        for b in 0..<edge.operation.branchCount(ofRow: row) {
          sources.insert(edge.operation.branch(b, ofRow: row).source)
        }
        for s in sources { pairs.append((starts[edge.source] + s, rows.count)) }
        rows.append(
          Row(
            edge: e, row: row, target: starts[edge.target] + row, source: starts[edge.source]))
      }
    }
    var counts = [Int](repeating: 0, count: starts.last! + 1)
    for (c, _) in pairs { counts[c + 1] += 1 }
    for c in 1..<counts.count { counts[c] += counts[c - 1] }
    var readers = [Int](repeating: 0, count: pairs.count)
    var place = counts
    for (c, r) in pairs {
      readers[place[c]] = r
      place[c] += 1
    }
    // Calls through the protocol cost more than the work behind them.
    var (branchStarts, functions, boundaries): ([Int], [BranchFunction], [BranchBoundary]) =
      ([], [], [])
    var boundaryStarts: [Int] = []
    for row in rows {
      let operation = network.edges[row.edge].operation
      let count = operation.branchCount(ofRow: row.row)
      guard count <= 16 else {
        branchStarts.append(-1)
        continue
      }
      branchStarts.append(functions.count)
      for b in 0..<count {
        var f = operation.branch(b, ofRow: row.row)
        f.source += row.source
        functions.append(f)
        boundaryStarts.append(boundaries.count)
        operation.forEachBoundary(ofRow: row.row, branch: b) {
          var boundary = $0
          boundary.source += row.source
          boundary.other = boundary.other.map { $0 + row.source }
          boundaries.append(boundary)
        }
      }
    }
    boundaryStarts.append(boundaries.count)
    operations = network.edges.map(\.operation)
    (self.branchStarts, self.functions) = (branchStarts, functions)
    (self.boundaries, self.boundaryStarts) = (boundaries, boundaryStarts)
    (self.starts, self.rows, self.readerStarts, self.readers) = (starts, rows, counts, readers)
    canBend = network.vertices.indices.flatMap { v in
      [Bool](repeating: bends[v], count: network.vertices[v].dimension)
    }
  }

  /// The affine function of row r on a branch, its source numbered through.
  @inlinable package func function(_ r: Int, _ branch: Int) -> BranchFunction {
    let start = branchStarts[r]
    if start >= 0 { return functions[start + branch] }
    var f = operations[rows[r].edge].branch(branch, ofRow: rows[r].row)
    f.source += rows[r].source
    return f
  }

  /// Visits the boundaries of a branch of row r, their coordinates numbered through.
  @inlinable package func forEachBoundary(
    _ r: Int, _ branch: Int, _ visit: (BranchBoundary) -> Void
  ) {
    let start = branchStarts[r]
    if start >= 0 {
      for k in boundaryStarts[start + branch]..<boundaryStarts[start + branch + 1] {
        visit(boundaries[k])
      }
      return
    }
    operations[rows[r].edge].forEachBoundary(ofRow: rows[r].row, branch: branch) {
      var boundary = $0
      boundary.source += rows[r].source
      boundary.other = boundary.other.map { $0 + rows[r].source }
      visit(boundary)
    }
  }

  /// The number of all coordinates.
  package var count: Int { starts.last! }

  /// The vertex and the row of a coordinate.
  package func place(_ c: Int) -> (vertex: Int, row: Int) {
    var (low, high) = (0, starts.count - 1)
    while high - low > 1 {
      let middle = (low + high) / 2
      if starts[middle] <= c { low = middle } else { high = middle }
    }
    return (low, c - starts[low])
  }

  /// γ of each coordinate's discrepancy; 1 for the input's, which have none.
  package func weights(_ stiffness: Stiffness) -> [Double] {
    (0..<starts.count - 1).flatMap { v in
      stiffness[v] ?? [Double](repeating: 1, count: starts[v + 1] - starts[v])
    }
  }

  /// Column j of a list of matrices, one per vertex, as one vector; vertices without rows are 0.
  package func gather(_ m: [Matrix], _ j: Int, into x: inout [Double]) {
    for v in m.indices {
      let stalk = m[v]
      guard stalk.rows > 0 else { continue }
      stalk.copyColumn(j, to: &x, at: starts[v])
    }
  }
}
