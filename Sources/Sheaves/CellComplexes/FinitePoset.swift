/// A finite partially ordered set, given by relations y < x that generate it, such as its covering relations.
///
/// A sheaf on it, with the topology whose open sets are the upper sets (Alexandrov), is a functor to vector spaces
/// (Ladkani 2008; Curry 2014, §4).
public struct FinitePoset: Sendable, Equatable {
  /// The names of the elements.
  public let names: [String]
  /// For each element x the elements y < x that were given, in their order.
  public let below: [[Int]]
  /// The elements in an order in which smaller ones come first.
  public let linearExtension: [Int]

  /// A poset from relations.
  ///
  /// - Throws: `circularFaces` where the relations run in a circle, `unknownFace`, `repeatedName`.
  public init(below: [[Int]], names: [String]? = nil) throws(CellComplexError) {
    let names = names ?? below.indices.map { "\($0)" }
    (self.below, self.names) = (below, names)
    var seen: Set<String> = []
    for name in names where !seen.insert(name).inserted { throw .repeatedName(name) }
    var (state, order) = ([UInt8](repeating: 0, count: below.count), [Int]())
    for root in below.indices where state[root] == 0 {
      var stack = [(element: root, next: 0)]
      state[root] = 1
      while let (x, i) = stack.last {
        guard i < below[x].count else {
          state[x] = 2
          order.append(x)
          stack.removeLast()
          continue
        }
        stack[stack.count - 1].next += 1
        let y = below[x][i]
        guard below.indices.contains(y) else { throw .unknownFace(of: names[x], face: "\(y)") }
        if state[y] == 1 {
          let circle = stack.drop { $0.element != y }.map(\.element)
          throw .circularFaces((circle + [y]).reversed().map { names[$0] })
        }
        if state[y] == 0 {
          state[y] = 1
          stack.append((y, 0))
        }
      }
    }
    linearExtension = order
  }

  /// The number of elements.
  public var count: Int { below.count }

  /// For each element all that are smaller, in the order of the linear extension.
  ///
  /// - Complexity: O(relations · elements).
  public var lowerSets: [[Int]] {
    var rank = [Int](repeating: 0, count: count)
    for (i, x) in linearExtension.enumerated() { rank[x] = i }
    var result = [[Int]](repeating: [], count: count)
    for x in linearExtension {
      var set: Set<Int> = []
      for y in below[x] {
        set.insert(y)
        set.formUnion(result[y])
      }
      result[x] = set.sorted { rank[$0] < rank[$1] }
    }
    return result
  }

  /// The rank of each element where the poset is graded by its given relations: minimal elements have rank 0 and each
  /// other one more than what stands below it. Nil where that is contradictory.
  public var ranks: [Int]? {
    var rank = [Int](repeating: 0, count: count)
    for x in linearExtension {
      guard let first = below[x].first else { continue }
      rank[x] = rank[first] + 1
      if below[x].contains(where: { rank[$0] + 1 != rank[x] }) { return nil }
    }
    return rank
  }

  /// The number of chains of at most `maximumDimension` + 1 elements, which are the simplices of the order complex.
  ///
  /// - Complexity: O(pairs of comparable elements · the longest chain).
  public func chainCount(maximumDimension: Int = .max) -> Double {
    let lowerSets = lowerSets
    // The chains of k + 1 elements that end in each element.
    var ending = [Double](repeating: 1, count: count)
    var (total, k) = (0.0, 0)
    while k <= maximumDimension, ending.contains(where: { $0 > 0 }) {
      total += ending.reduce(0, +)
      ending = lowerSets.map { $0.reduce(0) { $0 + ending[$1] } }
      k += 1
    }
    return total
  }

  /// The order complex: a simplex for every chain x₀ < … < x_k. Its vertices are numbered along the linear extension.
  ///
  /// - Complexity: proportional to the number of chains.
  public func orderComplex(maximumDimension: Int = .max) -> SimplicialComplex {
    var rank = [Int](repeating: 0, count: count)
    for (i, x) in linearExtension.enumerated() { rank[x] = i }
    var neighbors = [[Int32]](repeating: [], count: count)
    for (x, set) in lowerSets.enumerated() {
      for y in set { neighbors[rank[y]].append(Int32(rank[x])) }
    }
    for i in neighbors.indices { neighbors[i].sort() }
    return madeToFit {
      try .flag(
        neighbors, maximumDimension: min(maximumDimension, max(count - 1, 0)),
        vertexNames: linearExtension.map { names[$0] }, limit: .max)
    }
  }
}

extension CellComplex {
  /// The poset of the cells, ordered by being a face.
  public var facePoset: FinitePoset {
    madeToFit {
      try FinitePoset(
        below: (0..<count).map { cell in
          incidences(of: cell).map { face($0) }.reduce(into: []) {
            if !$0.contains($1) { $0.append($1) }
          }
        }, names: (0..<count).map(name))
    }
  }

  /// The barycentric subdivision, the order complex of the face poset; homeomorphic to a regular complex.
  public var barycentricSubdivision: SimplicialComplex { facePoset.orderComplex() }
}
