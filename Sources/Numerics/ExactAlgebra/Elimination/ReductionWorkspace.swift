/// A column while it is reduced: all its entries, which of them may differ from 0, and the pivots in whose
/// rows these stand.
struct ReductionWorkspace<Element: Sendable & Equatable>: Sendable {
  var values: [Element]
  private(set) var touched: [Int32] = []
  private var isTouched: [Bool]
  var queue: OrdinalQueue

  /// - Parameter columns: the greatest number of pivots.
  init(rows: Int, columns: Int, zero: Element) {
    values = [Element](repeating: zero, count: rows)
    isTouched = [Bool](repeating: false, count: rows)
    queue = OrdinalQueue(bound: min(rows, columns))
  }

  /// Says that row `i` may differ from 0 from now on.
  @inline(__always) mutating func touch(_ i: Int, ordinals: [Int32]) {
    if isTouched[i] { return }
    isTouched[i] = true
    touched.append(Int32(truncatingIfNeeded: i))
    if ordinals[i] >= 0 { queue.insert(Int(ordinals[i])) }
  }

  /// Takes over a column of a matrix; all is 0 before.
  mutating func load(_ matrix: SparseColumns<Element>, column j: Int, ordinals: [Int32]) {
    for k in matrix.columnStarts[j]..<matrix.columnStarts[j + 1] {
      let i = Int(matrix.rowIndices[k])
      touch(i, ordinals: ordinals)
      values[i] = matrix.values[k]
    }
  }

  /// Makes all entries 0 again.
  mutating func clear(_ zero: Element) {
    for i in touched {
      values[Int(i)] = zero
      isTouched[Int(i)] = false
    }
    touched.removeAll(keepingCapacity: true)
  }

  /// Whether all entries are 0.
  func isZero(_ zero: Element) -> Bool { touched.allSatisfy { values[Int($0)] == zero } }

  /// The entries that are not 0.
  func entries(_ zero: Element) -> some Sequence<(row: Int, value: Element)> {
    touched.lazy.filter { values[Int($0)] != zero }.map { (Int($0), values[Int($0)]) }
  }
}
