/// Simplices with all their faces, dimension by dimension, each by its ascending vertices and all in lexicographic
/// order.
enum SortedSimplices {
  /// - Parameters:
  ///   - cells: of dimension `d`, d + 1 different vertices each, ascending.
  ///   - edges: further ones, two vertices each, ascending.
  ///   - n: the number of vertices.
  /// - Complexity: proportional to the number of simplices, and to n for each dimension.
  static func lists(
    cells: [Int32], dimension d: Int, edges: [Int32], vertices n: Int
  ) -> [[Int32]] {
    var lists = [[Int32]](repeating: [], count: max(d, edges.isEmpty ? 0 : 1) + 1)
    var current = cells
    for k in stride(from: d, through: 1, by: -1) {
      if k == 1 { current += edges }
      lists[k] = sorted(current, width: k + 1, vertices: n)
      current = faces(lists[k], width: k + 1)
    }
    if d < 1 && !edges.isEmpty { lists[1] = sorted(edges, width: 2, vertices: n) }
    lists[0] = (0..<n).map { Int32(truncatingIfNeeded: $0) }
    return lists
  }

  private static func faces(_ list: [Int32], width: Int) -> [Int32] {
    var result: [Int32] = []
    result.reserveCapacity(list.count * (width - 1))
    for start in stride(from: 0, to: list.count, by: width) {
      for left in 0..<width {
        for i in 0..<width where i != left { result.append(list[start + i]) }
      }
    }
    return result
  }

  /// In lexicographic order without repetitions: by counting, the last vertex first.
  static func sorted(_ list: [Int32], width: Int, vertices n: Int) -> [Int32] {
    let count = list.count / width
    var order = (0..<count).map { Int32(truncatingIfNeeded: $0) }
    var moved = order
    for digit in (0..<width).reversed() {
      var starts = [Int32](repeating: 0, count: n + 1)
      for i in 0..<count { starts[Int(list[i * width + digit]) + 1] += 1 }
      for v in 0..<n { starts[v + 1] += starts[v] }
      for i in order {
        let v = Int(list[Int(i) * width + digit])
        moved[Int(starts[v])] = i
        starts[v] += 1
      }
      swap(&order, &moved)
    }
    var result: [Int32] = []
    result.reserveCapacity(list.count)
    var last = -1
    for i in order {
      let start = Int(i) * width
      if last >= 0, (0..<width).allSatisfy({ list[last + $0] == list[start + $0] }) { continue }
      result.append(contentsOf: list[start..<start + width])
      last = start
    }
    return result
  }
}
