import LinearAlgebra

/// The entries of A⁻¹ on the pattern of L + Lᵀ, for a factorisation P A Pᵀ = L Lᵀ: on that of A and where L fills in.
///
/// Takes about the memory of L.
public struct SelectedInverse: Sendable {
  private let blocks: SupernodalBlocks
  private let supernodes: [Int32]
  /// Unknown i is row `places[i]` of L.
  private let places: [Int32]
  /// The diagonal of A⁻¹.
  public let diagonal: [Double]

  /// Takes over what stands in place of L.
  init(_ inverse: SupernodalBlocks) {
    (blocks, supernodes) = (inverse, inverse.supernodes)
    var places = [Int32](repeating: 0, count: inverse.order)
    var diagonal = [Double](repeating: 0, count: inverse.order)
    for s in 0..<inverse.count {
      let (first, end) = (inverse.columnStarts[s], inverse.columnStarts[s + 1])
      let height = inverse.rowStarts[s + 1] - inverse.rowStarts[s]
      for j in first..<end {
        let i = Int(inverse.permutation[j])
        places[i] = Int32(j)
        diagonal[i] = inverse.values[inverse.valueStarts[s] + (j - first) * (height + 1)]
      }
    }
    (self.places, self.diagonal) = (places, diagonal)
  }

  /// The number of rows and columns of A.
  public var order: Int { places.count }

  /// (A⁻¹)ᵢⱼ, nil outside the pattern. Cost: the logarithm of a column's length.
  public subscript(i: Int, j: Int) -> Double? {
    precondition(
      i >= 0 && i < order && j >= 0 && j < order, "entry (\(i), \(j)) of order \(order)")
    let (p, q) = (Int(max(places[i], places[j])), Int(min(places[i], places[j])))
    let s = Int(supernodes[q])
    let (first, end) = (blocks.columnStarts[s], blocks.columnStarts[s + 1])
    let (start, height) = (blocks.rowStarts[s], blocks.rowStarts[s + 1] - blocks.rowStarts[s])
    let below = start + end - first..<start + height
    guard let row = p < end ? p - first : place(of: p, in: below).map({ $0 - start }) else {
      return nil
    }
    return blocks.values[blocks.valueStarts[s] + row + (q - first) * height]
  }

  /// The place of a row in a part of the list of rows, by bisection.
  private func place(of row: Int, in range: Range<Int>) -> Int? {
    var (low, high) = (range.lowerBound, range.upperBound)
    while low < high {
      let middle = (low + high) / 2
      if blocks.rows[middle] < row { low = middle + 1 } else { high = middle }
    }
    return low < range.upperBound && blocks.rows[low] == row ? low : nil
  }

  /// The rows and columns of A⁻¹ with the given indices, nil if an entry of them is outside the pattern.
  ///
  /// - Parameter indices: in any order, repetitions allowed.
  public func block(_ indices: [Int]) -> Matrix? {
    var result = Matrix(rows: indices.count, columns: indices.count)
    for (q, j) in indices.enumerated() {
      for (p, i) in indices.enumerated() where p >= q {
        guard let value = self[i, j] else { return nil }
        (result[p, q], result[q, p]) = (value, value)
      }
    }
    return result
  }
}
