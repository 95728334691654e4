/// A set of numbers below a bound of which the least is taken out: a bit for each number, and on each floor above a
/// bit for every word that is not 0.
///
/// Cost of insertion and of removal: one word on each of log₆₄(bound) floors.
package struct OrdinalQueue: Sendable {
  @usableFromInline var leaves: [UInt64]
  @usableFromInline var floors: [[UInt64]] = []

  /// The empty set of numbers from 0 to below the bound.
  package init(bound: Int) {
    leaves = [UInt64](repeating: 0, count: max((bound + 63) / 64, 1))
    var size = leaves.count
    while size > 1 {
      size = (size + 63) / 64
      floors.append([UInt64](repeating: 0, count: size))
    }
  }

  /// Puts in a number.
  @inlinable package mutating func insert(_ number: Int) {
    var word = number >> 6
    let isNew = leaves[word] == 0
    leaves[word] |= 1 << UInt64(truncatingIfNeeded: number & 63)
    guard isNew else { return }
    for level in floors.indices {
      let above = word >> 6
      let wasEmpty = floors[level][above] == 0
      floors[level][above] |= 1 << UInt64(truncatingIfNeeded: word & 63)
      if !wasEmpty { return }
      word = above
    }
  }

  /// The least number, if there is one.
  @inlinable package var least: Int? {
    var word = 0
    for level in floors.indices.reversed() {
      let bits = floors[level][word]
      if bits == 0 { return nil }
      word = word << 6 | bits.trailingZeroBitCount
    }
    let bits = leaves[word]
    return bits == 0 ? nil : word << 6 | bits.trailingZeroBitCount
  }

  /// Takes out a number that is there.
  @inlinable package mutating func remove(_ number: Int) {
    var word = number >> 6
    leaves[word] &= ~(1 << UInt64(truncatingIfNeeded: number & 63))
    if leaves[word] != 0 { return }
    for level in floors.indices {
      let above = word >> 6
      floors[level][above] &= ~(1 << UInt64(truncatingIfNeeded: word & 63))
      if floors[level][above] != 0 { return }
      word = above
    }
  }

  /// Takes out the least number, if there is one.
  @inlinable package mutating func popLeast() -> Int? {
    guard let number = least else { return nil }
    remove(number)
    return number
  }
}
