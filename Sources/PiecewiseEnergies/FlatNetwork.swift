import LinearAlgebra
import NeuralSheaves

/// The coordinates of a network numbered through: vertex by vertex, the input first. A discrepancy
/// has the number of the coordinate that its row determines.
package struct FlatNetwork: Sendable {
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
    (self.starts, self.rows, self.readerStarts, self.readers) = (starts, rows, counts, readers)
    canBend = network.vertices.indices.flatMap { v in
      [Bool](repeating: bends[v], count: network.vertices[v].dimension)
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

  /// Column j of a list of matrices, one per vertex, as one vector; vertices without rows are 0.
  package func gather(_ m: [Matrix], _ j: Int, into x: inout [Double]) {
    for v in m.indices {
      let stalk = m[v]
      guard stalk.rows > 0 else { continue }
      let (start, from) = (starts[v], j * stalk.rows)
      for i in 0..<stalk.rows { x[start + i] = stalk.elements[from + i] }
    }
  }
}
