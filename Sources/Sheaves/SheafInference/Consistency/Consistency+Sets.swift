import LinearAlgebra

/// Which cells are consistent with each other, as the threshold grows: the consistency filtration.
///
/// A set of cells with values is *consistent* at a threshold ε if no link between two of them has a discrepancy above ε; where
/// several meet in a cell, each two are looked at as if they met alone, so that they are not consistent by leaving that cell
/// out. What meets only by way of other cells without values is not compared: the sets are of what contradicts itself
/// directly, and the radius says whether there is more.
extension Consistency {
  /// The cells with values that a set may have.
  private var members: [Int] { model.layout.variables.filter { assignment.readings[$0] != nil } }

  /// Pairs of cells with values whose link is above a threshold; a cell whose link to nothing is above it with itself.
  func conflicts(above threshold: Double) -> [(Int, Int)] {
    let isMember = Set(members)
    return (links + pairs).compactMap { link in
      guard link.discrepancy > threshold, isMember.contains(link.ends.0) else { return nil }
      guard let other = link.ends.1, other != link.ends.0 else {
        return (link.ends.0, link.ends.0)
      }
      return isMember.contains(other) ? (link.ends.0, other) : nil
    }
  }

  /// The discrepancies of links, different ones ascending: the thresholds at which the filtration changes.
  public var thresholds: [Double] { Set((links + pairs).map(\.discrepancy)).sorted() }

  /// The maximal consistent sets at a threshold: of cells with values, each the largest possible, together a cover unless a
  /// cell contradicts itself.
  ///
  /// They are the maximal independent sets of the graph of conflicts, which can be exponentially many.
  ///
  /// - Parameter limit: the most sets that are listed.
  /// - Returns: sets of cells, ascending, the largest first, and whether all are there.
  public func maximalConsistentSets(
    at threshold: Double, limit: Int = 1000
  ) -> (sets: [[Int]], isComplete: Bool) {
    let pairs = conflicts(above: threshold)
    var conflicts: [Int: Set<Int>] = [:]
    var impossible: Set<Int> = []
    for (a, b) in pairs {
      if a == b {
        impossible.insert(a)
      } else {
        conflicts[a, default: []].insert(b)
        conflicts[b, default: []].insert(a)
      }
    }
    let open = Set(conflicts.keys).subtracting(impossible)
    let common = members.filter { !impossible.contains($0) && !open.contains($0) }
    for cell in open { conflicts[cell]!.formIntersection(open) }
    var search = IndependentSets(conflicts: conflicts, limit: limit)
    search.run(open)
    let sets = search.found.map { (common + $0).sorted() }
      .sorted { $0.count == $1.count ? $0.lexicographicallyPrecedes($1) : $0.count > $1.count }
    return (sets, !search.isCut)
  }

  /// The groups of cells that links of at most a threshold connect: what agrees piece by piece.
  public func clusters(at threshold: Double) -> [[Int]] {
    let cells = model.layout.variables
    let place = Dictionary(uniqueKeysWithValues: cells.enumerated().map { ($1, $0) })
    let entries = links.compactMap { link -> (row: Int, column: Int, value: Double)? in
      guard link.discrepancy <= threshold, let other = link.ends.1,
        let a = place[link.ends.0], let b = place[other], a != b
      else { return nil }
      return (max(a, b), min(a, b), 1)
    }
    return SparseMatrix(rows: cells.count, columns: cells.count, entries: entries)
      .connectedComponents.map { $0.map { cells[$0] } }
  }
}

/// Bron's and Kerbosch's search for maximal independent sets, with pivots (Tomita, Tanaka, Takahashi 2006).
private struct IndependentSets {
  let conflicts: [Int: Set<Int>]
  let limit: Int
  var found: [[Int]] = []
  var isCut = false

  init(conflicts: [Int: Set<Int>], limit: Int) {
    (self.conflicts, self.limit) = (conflicts, limit)
  }

  /// A set being extended: `next` of `branches` comes next.
  private struct Frame {
    var candidates: Set<Int>
    var excluded: Set<Int>
    let branches: [Int]
    var next = 0
  }

  private func frame(_ candidates: Set<Int>, _ excluded: Set<Int>) -> Frame {
    // Branch on a cell of few remaining conflicts and on those conflicts: any maximal set has one of them.
    let pivot = candidates.union(excluded).min {
      (degree($0, candidates), $0) < (degree($1, candidates), $1)
    }!
    return Frame(
      candidates: candidates, excluded: excluded,
      branches: candidates.filter { $0 == pivot || conflicts[pivot]!.contains($0) }.sorted())
  }

  /// Finds the maximal sets of all cells in `open`; as deep as a set is large, on a stack of its own.
  mutating func run(_ open: Set<Int>) {
    guard !open.isEmpty else {
      note([])
      return
    }
    var stack = [frame(open, [])]
    var set: [Int] = []
    while let top = stack.last, !isCut {
      if set.count == stack.count {
        // Back from a set with the last cell.
        let cell = set.removeLast()
        stack[stack.count - 1].candidates.remove(cell)
        stack[stack.count - 1].excluded.insert(cell)
        continue
      }
      guard top.next < top.branches.count else {
        stack.removeLast()
        continue
      }
      let cell = top.branches[top.next]
      stack[stack.count - 1].next += 1
      set.append(cell)
      let out = conflicts[cell]!
      var candidates = top.candidates.subtracting(out)
      candidates.remove(cell)
      let excluded = top.excluded.subtracting(out)
      if candidates.isEmpty {
        if excluded.isEmpty { note(set) }
      } else {
        stack.append(frame(candidates, excluded))
      }
    }
  }

  private mutating func note(_ set: [Int]) {
    if found.count < limit { found.append(set) } else { isCut = true }
  }

  private func degree(_ cell: Int, _ candidates: Set<Int>) -> Int {
    conflicts[cell]!.intersection(candidates).count
  }
}
