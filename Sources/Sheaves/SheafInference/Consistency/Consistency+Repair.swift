/// Which few cells to give up so that the others are consistent.
extension Consistency {
  /// Cells without whose values an assignment is consistent at a threshold.
  public struct Repair: Sendable, Equatable {
    /// Which ones, ascending.
    public let cells: [Int]
    /// No fewer cells do: as many disjoint conflicts need one cell each, or all smaller sets were excluded.
    public let lowerBound: Int
    /// Whether no smaller set does.
    public var isMinimal: Bool { cells.count == lowerBound }
  }

  /// The fewest cells with values to drop so that no two of the others that meet are farther apart than a threshold: the
  /// complement of a largest consistent set.
  ///
  /// One end of every link above it has to go: a smallest vertex cover of the conflicts, by branching with a matching as lower
  /// bound; where that takes more than `maximumBranches`, or 10⁷ over the number of cells that contradict each other in
  /// cycles, the best that was found, begun with a greedy one, of at most twice the size of a smallest one.
  ///
  /// Whether values exist for the dropped cells, and for those that never had one, with which all agree is another question:
  /// `mended(without:)` answers it.
  public func minimalRepair(at threshold: Double, maximumBranches: Int = 100_000) -> Repair {
    var search = VertexCover(conflicts(above: threshold), limit: maximumBranches)
    search.run()
    return Repair(cells: search.best.sorted(), lowerBound: search.lowerBound)
  }

  /// The consistency that is left if some cells lose their values and have the best ones instead.
  ///
  /// - Throws: as the consistency of an assignment.
  public func mended(without cells: [Int]) throws -> Consistency {
    try Consistency(repeating: self, assignment.without(cells))
  }
}

/// A smallest set of vertices that has an end of every edge.
private struct VertexCover {
  private var neighbors: [Int: Set<Int>] = [:]
  private var forced: [Int] = []
  private let limit: Int
  private var branches = 0
  private var allowed = 0
  private(set) var best: [Int] = []
  private(set) var lowerBound = 0

  init(_ edges: [(Int, Int)], limit: Int) {
    self.limit = limit
    let loops = Set(edges.filter { $0.0 == $0.1 }.map(\.0))
    forced = loops.sorted()
    for (a, b) in edges where a != b && !loops.contains(a) && !loops.contains(b) {
      neighbors[a, default: []].insert(b)
      neighbors[b, default: []].insert(a)
    }
  }

  mutating func run() {
    // Each connected part by itself.
    var seen: Set<Int> = []
    best = forced
    lowerBound = forced.count
    for root in neighbors.keys.sorted() where !seen.contains(root) {
      var (part, stack) = (Set([root]), [root])
      while let x = stack.popLast() {
        for y in neighbors[x]! where part.insert(y).inserted { stack.append(y) }
      }
      seen.formUnion(part)
      solve(part)
    }
  }

  private mutating func solve(_ part: Set<Int>) {
    var graph = neighbors.filter { part.contains($0.key) }
    let sure = Self.takeNeighborsOfLeaves(&graph)
    let matching = Self.matching(graph)
    // Both ends of a maximal matching cover everything; the greedy cover is mostly better.
    let ends = Self.pruned(matching.flatMap { [$0.0, $0.1] }, graph)
    let greedy = Self.pruned(Self.greedy(graph), graph)
    var found = greedy.count <= ends.count ? greedy : ends
    branches = 0
    allowed = min(limit, 10_000_000 / max(graph.count, 1))
    let isWhole = branch(graph, [], &found)
    best += sure + found
    lowerBound += sure.count + (isWhole ? found.count : matching.count)
  }

  /// Whether the search came to its end.
  private mutating func branch(
    _ graph: [Int: Set<Int>], _ chosen: [Int], _ best: inout [Int]
  ) -> Bool {
    branches += 1
    guard branches <= allowed else { return false }
    var graph = graph
    let chosen = chosen + Self.takeNeighborsOfLeaves(&graph)
    guard !graph.isEmpty else {
      if chosen.count < best.count { best = chosen }
      return true
    }
    guard chosen.count + Self.matching(graph).count < best.count else { return true }
    let top = graph.max { ($0.value.count, -$0.key) < ($1.value.count, -$1.key) }!
    let taken = branch(Self.without([top.key], graph), chosen + [top.key], &best)
    return branch(
      Self.without(Array(top.value), graph), chosen + top.value.sorted(), &best) && taken
  }

  /// Takes the neighbour of each leaf, which is in some smallest cover, until no leaf is left; vertices without edges go.
  private static func takeNeighborsOfLeaves(_ graph: inout [Int: Set<Int>]) -> [Int] {
    var taken: [Int] = []
    var leaves = graph.filter { $0.value.count == 1 }.keys.sorted()
    while let leaf = leaves.popLast() {
      guard let around = graph[leaf], around.count == 1, let neighbor = around.first else {
        continue
      }
      taken.append(neighbor)
      for other in graph[neighbor]! {
        graph[other]!.remove(neighbor)
        if graph[other]!.count == 1 { leaves.append(other) }
      }
      graph[neighbor] = nil
    }
    graph = graph.filter { !$0.value.isEmpty }
    return taken
  }

  private static func without(_ cells: [Int], _ graph: [Int: Set<Int>]) -> [Int: Set<Int>] {
    var result = graph
    for cell in cells {
      for other in result[cell] ?? [] { result[other]?.remove(cell) }
      result[cell] = nil
    }
    return result
  }

  /// A maximal matching.
  private static func matching(_ graph: [Int: Set<Int>]) -> [(Int, Int)] {
    var used: Set<Int> = []
    var pairs: [(Int, Int)] = []
    for a in graph.keys.sorted() where !used.contains(a) {
      guard let b = graph[a]!.filter({ !used.contains($0) }).min() else { continue }
      used.formUnion([a, b])
      pairs.append((a, b))
    }
    return pairs
  }

  /// The vertex of most edges, again and again.
  private static func greedy(_ graph: [Int: Set<Int>]) -> [Int] {
    var (graph, cover) = (graph, [Int]())
    while let top = graph.max(by: { ($0.value.count, -$0.key) < ($1.value.count, -$1.key) }),
      !top.value.isEmpty
    {
      cover.append(top.key)
      graph = without([top.key], graph)
    }
    return cover
  }

  /// A cover without those that are not needed.
  private static func pruned(_ cover: [Int], _ graph: [Int: Set<Int>]) -> [Int] {
    var kept = Set(cover)
    for cell in cover where graph[cell]!.isSubset(of: kept) { kept.remove(cell) }
    return kept.sorted()
  }
}
