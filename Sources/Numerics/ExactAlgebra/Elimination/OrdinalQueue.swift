/// A set of numbers below a bound of which the least is taken out: bits, and bits that say which words
/// of bits are not 0, three floors of them.
///
/// Cost of insertion and of removal: constant up to 64³ numbers, then a walk over bound/64³ words.
struct OrdinalQueue: Sendable {
  private var leaves: [UInt64]
  private var branches: [UInt64]
  private var roots: [UInt64]

  init(bound: Int) {
    func words(_ bits: Int) -> Int { (bits + 63) / 64 }
    leaves = [UInt64](repeating: 0, count: words(bound))
    branches = [UInt64](repeating: 0, count: words(leaves.count))
    roots = [UInt64](repeating: 0, count: words(branches.count))
  }

  @inline(__always) mutating func insert(_ ordinal: Int) {
    leaves[ordinal >> 6] |= 1 << UInt64(truncatingIfNeeded: ordinal & 63)
    branches[ordinal >> 12] |= 1 << UInt64(truncatingIfNeeded: (ordinal >> 6) & 63)
    roots[ordinal >> 18] |= 1 << UInt64(truncatingIfNeeded: (ordinal >> 12) & 63)
  }

  /// Takes out the least number, if there is one.
  @inline(__always) mutating func popLeast() -> Int? {
    for i in roots.indices where roots[i] != 0 {
      let branch = i << 6 | roots[i].trailingZeroBitCount
      let leaf = branch << 6 | branches[branch].trailingZeroBitCount
      let ordinal = leaf << 6 | leaves[leaf].trailingZeroBitCount
      leaves[leaf] &= leaves[leaf] &- 1
      if leaves[leaf] == 0 {
        branches[branch] &= branches[branch] &- 1
        if branches[branch] == 0 { roots[i] &= roots[i] &- 1 }
      }
      return ordinal
    }
    return nil
  }
}
