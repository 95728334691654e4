import CellComplexes
import CellularSheaves
import LinearAlgebra
import SheafCohomology

/// Ever coarser partitions of the vertices of a complex: every part of a level lies in one part of the next.
public struct VertexHierarchy: Sendable, Equatable {
  /// For each level the part of each vertex, 0…; the parts of the first level are the vertices themselves.
  public let labels: [[Int]]
  /// For each level the number of parts.
  public let counts: [Int]

  /// A hierarchy from labels, finest first.
  ///
  /// The level of single vertices is put before them if it is not there, and one part of all at the end if
  /// `closing`. Labels may be any numbers; parts are numbered in the order of their first vertices.
  ///
  /// - Parameters:
  ///   - labels: for each level one label for each of the n vertices.
  ///   - closing: whether the last level is to be one part.
  /// - Throws: `partition` for a level of another length, or with a part of the level before in two of its parts.
  public init(
    vertices n: Int, labels given: [[Int]], closing: Bool = true
  ) throws(CoarseningError) {
    var (labels, counts) = ([Array(0..<n)], [n])
    for (k, level) in (given + (closing ? [[Int](repeating: 0, count: n)] : [])).enumerated() {
      guard level.count == n else {
        throw .partition(level: k, found: "\(level.count) labels", expected: "\(n)")
      }
      var number: [Int: Int] = [:]
      let next = level.map { label -> Int in
        if let known = number[label] { return known }
        number[label] = number.count
        return number.count - 1
      }
      var place = [Int](repeating: -1, count: counts.last!)
      for (v, part) in labels.last!.enumerated() {
        if place[part] < 0 { place[part] = next[v] }
        guard place[part] == next[v] else {
          throw .partition(
            level: k, found: "vertex \(v) apart from others of its part one level below",
            expected: "parts that lie in one part each")
        }
      }
      if number.count < counts.last! {
        labels.append(next)
        counts.append(number.count)
      }
    }
    (self.labels, self.counts) = (labels, counts)
  }

  /// Refuses a sheaf with another number of vertices.
  func check(_ sheaf: CellularSheaf) throws(CoarseningError) {
    let n = sheaf.complex.cells(ofDimension: 0).count
    guard counts[0] == n else {
      throw .partition(level: 0, found: "\(counts[0]) vertices", expected: "\(n)")
    }
  }

  /// The number of levels, that of the single vertices included.
  public var levels: Int { labels.count }

  /// For each part of a level above the first, the parts of the level below in it.
  public func children(_ level: Int) -> [[Int]] {
    var result = [[Int]](repeating: [], count: counts[level])
    var isSeen = [Bool](repeating: false, count: counts[level - 1])
    for v in labels[level].indices {
      let child = labels[level - 1][v]
      if !isSeen[child] {
        isSeen[child] = true
        result[labels[level][v]].append(child)
      }
    }
    return result
  }

  /// The vertices of each part of a level.
  public func members(_ level: Int) -> [[Int]] {
    var result = [[Int]](repeating: [], count: counts[level])
    for (v, part) in labels[level].enumerated() { result[part].append(v) }
    return result
  }

  /// For each level a vertex of each part, the one that is coupled most strongly with the others of its part among
  /// those that stand for the parts below; so the vertices of a level are among those of the level before.
  public func representatives(_ couplings: VertexCouplings) -> [[Int]] {
    var result = [Array(0..<counts[0])]
    for level in 1..<max(levels, 1) {
      let label = labels[level]
      result.append(
        children(level).map { parts in
          var (best, strength) = (result[level - 1][parts[0]], -1.0)
          for vertex in parts.map({ result[level - 1][$0] }) {
            var sum = 0.0
            couplings.weights.forEachEntry(ofColumn: vertex) {
              if label[$0] == label[vertex] { sum += $1 }
            }
            if sum > strength { (best, strength) = (vertex, sum) }
          }
          return best
        })
    }
    return result
  }
}
