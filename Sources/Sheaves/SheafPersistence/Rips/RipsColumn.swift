import ExactAlgebra

/// A column of residues with rows (f, m) in lexicographic order: for each f a list of entries in any order, and for
/// the f at hand the sums at each m.
///
/// Once a row is taken out, what is added to it or before it is left out: it cancels.
struct RipsColumn {
  private let modulus: UInt32
  /// The first entry of each list, −1 if there is none.
  private var heads: [Int32]
  private var next: [Int32] = []
  private var minorOf: [Int32] = []
  private var values: [UInt32] = []
  private var majors: OrdinalQueue
  /// The f at hand with its sums, and the m behind which entries are taken; −1 before the first.
  private var major: Int32 = -1
  private var minor: Int32 = -1
  private var sums: [UInt32]
  private var touched: OrdinalQueue

  init(majors: Int, minors: Int, modulus: UInt32) {
    self.modulus = modulus
    heads = [Int32](repeating: -1, count: majors)
    self.majors = OrdinalQueue(bound: majors)
    sums = [UInt32](repeating: 0, count: minors)
    touched = OrdinalQueue(bound: minors)
  }

  /// Adds a value in row (f, m) if that is behind the row at hand.
  @inline(__always) mutating func add(_ f: Int32, _ m: Int32, _ value: UInt32) {
    if f > major {
      let head = heads[Int(f)]
      if head < 0 { majors.insert(Int(f)) }
      heads[Int(f)] = Int32(truncatingIfNeeded: next.count)
      next.append(head)
      minorOf.append(m)
      values.append(value)
    } else if f == major && m > minor {
      include(Int(m), value)
    }
  }

  @inline(__always) private mutating func include(_ m: Int, _ value: UInt32) {
    let (sum, overflows) = sums[m].addingReportingOverflow(value)
    sums[m] = overflows || sum >= modulus ? sum &- modulus : sum
    touched.insert(m)
  }

  /// Takes out the first row with a value that is not 0, which becomes the row at hand.
  mutating func popFirst() -> (f: Int, m: Int32, value: UInt32)? {
    while true {
      while let m = touched.popLeast() {
        let value = sums[m]
        sums[m] = 0
        if value != 0 {
          minor = Int32(truncatingIfNeeded: m)
          return (Int(major), minor, value)
        }
      }
      guard let f = majors.popLeast() else { return nil }
      (major, minor) = (Int32(truncatingIfNeeded: f), -1)
      var place = heads[f]
      heads[f] = -1
      while place >= 0 {
        include(Int(minorOf[Int(place)]), values[Int(place)])
        place = next[Int(place)]
      }
    }
  }

  /// Makes it 0.
  mutating func clear() {
    while let m = touched.popLeast() { sums[m] = 0 }
    while let f = majors.popLeast() { heads[f] = -1 }
    (major, minor) = (-1, -1)
    next.removeAll(keepingCapacity: true)
    minorOf.removeAll(keepingCapacity: true)
    values.removeAll(keepingCapacity: true)
  }
}
