extension Barcode {
  /// The bottleneck distance of the bars of a degree: the least ε such that all bars longer than 2 ε of both barcodes
  /// can be matched with one another, births and deaths of partners differing by ε at most.
  ///
  /// If the values of a filtration change by ε at most, so do the barcodes in this distance (Cohen-Steiner,
  /// Edelsbrunner, Harer 2007). It is ∞ for different numbers of infinite bars. The result is exact, one of the
  /// differences of births or deaths or half a length.
  ///
  /// Complexity: O(log(n m)) matchings, each of O(n m √(n + m)), for n and m bars.
  public func bottleneckDistance(to other: Barcode, degree: Int) -> Double {
    let (first, second) = (Diagram(self[degree]), Diagram(other[degree]))
    guard first.infinite.count == second.infinite.count else { return .infinity }
    let least = zip(first.infinite, second.infinite).reduce(0) { max($0, abs($1.0 - $1.1)) }
    let (a, b) = (first.finite, second.finite)
    // No matching at all is one.
    let most = (a + b).reduce(0) { max($0, $1.toDiagonal) }
    var candidates = Set((a + b).map(\.toDiagonal))
    for p in a {
      for q in b where p.distance(to: q) < most { candidates.insert(p.distance(to: q)) }
    }
    let sorted = [least] + candidates.filter { $0 > least && $0 <= most }.sorted()
    var (low, high) = (0, sorted.count - 1)
    while low < high {
      let middle = (low + high) / 2
      if Self.isMatched(a, b, within: sorted[middle])
        && Self.isMatched(b, a, within: sorted[middle])
      {
        high = middle
      } else {
        low = middle + 1
      }
    }
    return sorted[low]
  }

  /// Whether the bars of one diagram that are too far from the diagonal can be matched into the other.
  ///
  /// If that is so both ways, there is one matching that covers them all (Mendelsohn, Dulmage 1958).
  private static func isMatched(
    _ a: [DiagramPoint], _ b: [DiagramPoint], within epsilon: Double
  ) -> Bool {
    let far = a.filter { $0.toDiagonal > epsilon }
    let neighbors = far.map { p in
      b.indices.filter { p.distance(to: b[$0]) <= epsilon }.map { Int32($0) }
    }
    return BipartiteMatching(neighbors, right: b.count).size == far.count
  }
}

/// The finite bars and the births of the infinite ones, ascending.
struct Diagram {
  let finite: [DiagramPoint]
  let infinite: [Double]

  init(_ intervals: [PersistenceInterval]) {
    finite = intervals.filter { $0.death < .infinity }.map {
      DiagramPoint(birth: $0.birth, death: $0.death)
    }
    infinite = intervals.filter { $0.death == .infinity }.map(\.birth).sorted()
  }
}

/// A finite bar as a point of the plane with the maximum norm.
struct DiagramPoint {
  let birth, death: Double

  /// The distance from the diagonal, half the length.
  var toDiagonal: Double { (death - birth) / 2 }

  func distance(to other: DiagramPoint) -> Double {
    max(abs(birth - other.birth), abs(death - other.death))
  }
}
