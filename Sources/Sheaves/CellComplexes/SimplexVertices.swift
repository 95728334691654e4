/// The vertices of the simplices of a complex, ascending, dimension by dimension.
public struct SimplexVertices: Sendable, Equatable {
  /// Where the simplices of each dimension begin.
  let dimensionStarts: [Int]
  /// Where the vertices of each dimension begin in the list.
  private let offsets: [Int]
  private let list: [Int32]

  /// - Parameter simplices: for each dimension k its simplices, k + 1 vertices each, one after the other.
  init(_ simplices: [[Int32]]) {
    var (starts, offsets) = ([0], [0])
    for (k, flat) in simplices.enumerated() {
      starts.append(starts[k] + flat.count / (k + 1))
      offsets.append(offsets[k] + flat.count)
    }
    (dimensionStarts, self.offsets, list) = (starts, offsets, simplices.flatMap { $0 })
  }

  /// The vertices of a simplex.
  public subscript(cell: Int) -> ArraySlice<Int32> {
    let k = dimensionStarts.dropFirst().firstIndex { cell < $0 }! - 1
    let start = offsets[k] + (cell - dimensionStarts[k]) * (k + 1)
    return list[start..<start + k + 1]
  }

  /// The simplex with given vertices, ascending, if it is there. Cost: O(k log n).
  public func cell(_ vertices: some Collection<Int32>) -> Int? {
    let k = vertices.count - 1
    guard k >= 0 && k + 1 < dimensionStarts.count else { return nil }
    var (low, high) = (dimensionStarts[k], dimensionStarts[k + 1])
    let base = offsets[k] - dimensionStarts[k] * (k + 1)
    while low < high {
      let middle = (low + high) / 2
      let start = base + middle * (k + 1)
      let order = compare(start, vertices)
      if order == 0 { return middle }
      if order < 0 { low = middle + 1 } else { high = middle }
    }
    return nil
  }

  private func compare(_ start: Int, _ vertices: some Collection<Int32>) -> Int {
    var p = start
    for v in vertices {
      if list[p] != v { return list[p] < v ? -1 : 1 }
      p += 1
    }
    return 0
  }
}
