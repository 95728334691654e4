import CellComplexes
import ExactAlgebra
import LinearAlgebra
import Testing

@testable import CellularSheaves
@testable import SheafCohomology

/// Sheaves on posets: their cohomology, pullbacks and pushforwards.
struct PosetSheafTests {
  static let seeds = Array(UInt64(0)..<40)

  /// A random order-preserving map: the images of the elements one after the other, each above those of the elements below.
  static func map(
    _ source: FinitePoset, to target: FinitePoset, _ g: inout RandomGenerator
  ) -> [Int]? {
    let lower = target.lowerSets.map(Set.init)
    var f = [Int](repeating: 0, count: source.count)
    for x in source.linearExtension {
      let choices = (0..<target.count).filter { q in
        source.below[x].allSatisfy { f[$0] == q || lower[q].contains(f[$0]) }
      }
      if choices.isEmpty { return nil }
      f[x] = choices[g.integer(0...choices.count - 1)]
    }
    return f
  }

  static func same(_ a: PosetSheaf, _ b: PosetSheaf) -> Bool {
    guard a.stalks == b.stalks && a.poset.below == b.poset.below else { return false }
    return a.poset.below.indices.allSatisfy { x in
      a.poset.below[x].indices.allSatisfy { i in
        let n = a.stalks[a.poset.below[x][i]]
        return a.maps[x][i].dense(n).minus(b.maps[x][i].dense(n)).maximumMagnitude < 1e-9
      }
    }
  }

  /// On a regular complex the order complex of the face poset is the subdivision, with the same cohomology.
  @Test func facePosetsHaveTheCellularCohomology() throws {
    try Tally.over(Self.seeds) { seed, tally in
      var g = RandomGenerator(case: seed)
      let complex =
        seed % 2 == 0
        ? g.simplicial(vertices: 5, facets: 4, dimension: 2).complex : CellComplex.grid([3, 2])
      let sheaf = g.integerSheaf(on: complex, summands: 3)
      let poset = try sheaf.onFacePoset()
      let order = poset.onOrderComplex()
      try order.check()
      let n = complex.dimension + 1
      for c in [.rational, .prime(2)] as [ExactCohomology.Coefficients] {
        tally.expect(
          try SheafCohomologyTests.padded(SheafCohomologyTests.exact(order, c), n)
            == SheafCohomologyTests.exact(sheaf, c), "\(seed), \(c)")
      }
      // H^k needs the simplices of dimension k + 1 at most.
      let less = try SheafCohomologyTests.exact(poset.onOrderComplex(maximumDimension: 1))
      tally.expect(
        try less.first == SheafCohomologyTests.exact(sheaf).first, "\(seed), cut off")
      let back = try poset.cellular(on: complex)
      tally.expect(
        (0..<complex.incidenceCount).allSatisfy { back.map($0) == sheaf.map($0) }, "\(seed), back")
    }.check(atLeast: 4 * Self.seeds.count)
    let torus = CellularSheaf.constant(1, on: Spaces.square(isTwisted: false))
    #expect(message { _ = try torus.onFacePoset() }.contains("a face in several incidences"))
  }

  /// By hand. a < b, c: H⁰ = {(x, y, z): y = 2x, z = 3x}, whatever is above. a, b < c: pairs with F x = G y.
  @Test func smallPosetsHaveTheirCohomology() throws {
    func cohomology(
      _ below: [[Int]], _ stalks: [Int], _ maps: [[RestrictionMap]]
    ) throws -> [Int] {
      try RealCohomology(
        PosetSheaf(try FinitePoset(below: below), stalks: stalks, maps: maps).onOrderComplex()
      ).betti
    }
    #expect(
      try cohomology([[], [0], [0]], [1, 1, 1], [[], [.scalar(2)], [.scalar(3)]]) == [1, 0])
    #expect(
      try cohomology(
        [[], [], [0, 1]], [2, 1, 1], [[], [], [.matrix(Matrix([[1, 0]])), .scalar(2)]])
        == [2, 0])
    #expect(
      try cohomology([[], [], [0, 1]], [1, 1, 1], [[], [], [.scalar(0), .scalar(0)]]) == [2, 1])
    // Two minimal elements below two maximal ones: a circle.
    let circle = [[], [], [0, 1], [0, 1]]
    let ones: [[RestrictionMap]] = [[], [], [.identity, .identity], [.identity, .identity]]
    #expect(try cohomology(circle, [1, 1, 1, 1], ones) == [1, 1])
    // The model of the sphere: two elements at each of three heights, all comparable between heights.
    let sphere = [[], [], [0, 1], [0, 1], [2, 3], [2, 3]]
    #expect(
      try cohomology(
        sphere, [Int](repeating: 1, count: 6), sphere.map { $0.map { _ in .identity } })
        == [1, 0, 1])
    #expect(try cohomology([], [], []) == [])
    #expect(try cohomology([[]], [0], [[]]) == [0])
  }

  @Test func nonCommutingDiamondsAreRefused() throws {
    let diamond = try FinitePoset(below: [[], [0], [0], [1, 2]], names: ["a", "b", "c", "d"])
    func sheaf(_ p: RestrictionMap, _ q: RestrictionMap, _ d: Int = 1) -> String? {
      do {
        _ = try PosetSheaf(
          diamond, stalks: [d, d, d, d], maps: [[], [.scalar(2)], [.scalar(3)], [p, q]])
        return nil
      } catch { return "\(error)" }
    }
    #expect(sheaf(.scalar(3), .scalar(2)) == nil)
    #expect(
      sheaf(.identity, .identity)
        == "the maps from \"a\" to \"d\" by way of \"b\" and \"c\" differ by 1.0, expected one map")
    #expect(sheaf(.identity, .identity, 0) == nil)
    let (a, b) = (Matrix([[3, 0], [0, 3]]), Matrix([[2, 1], [0, 2]]))
    #expect(sheaf(.matrix(a), .scalar(2), 2) == nil)
    #expect(sheaf(.matrix(a), .matrix(b), 2)?.contains("differ by 3.0") == true)
    #expect(sheaf(.matrix(a), .scalar(2))?.contains("(2, 2), expected (1, 1)") == true)
    #expect(sheaf(.scalar(.nan), .scalar(2))?.contains("not finite") == true)
    // A relation that follows from others, and with another map.
    let chain = try FinitePoset(below: [[], [0], [1, 0]], names: ["a", "b", "c"])
    for (map, isRight) in [(6.0, true), (5, false)] {
      let made = try? PosetSheaf(
        chain, stalks: [1, 1, 1], maps: [[], [.scalar(2)], [.scalar(3), .scalar(map)]])
      #expect((made != nil) == isRight)
    }
    // Ways that vanish but for rounding agree.
    let flat = try? PosetSheaf(
      diamond, stalks: [1, 2, 2, 1],
      maps: [
        [], [.matrix(Matrix([[0.1], [0.3]]))], [.matrix(Matrix([[1], [1]]))],
        [.matrix(Matrix([[3, -1]])), .matrix(Matrix([[1, -1]]))],
      ])
    #expect(flat != nil)
  }

  @Test func pullbacksAndPushforwardsAreFunctors() throws {
    let tally = try Tally.over(Self.seeds) { seed, tally in
      var g = RandomGenerator(case: seed)
      let sheaf = try g.integerSheaf(
        on: g.simplicial(vertices: 4, facets: 3, dimension: 2).complex, summands: 3
      ).onFacePoset()
      let p = sheaf.poset
      func poset(_ n: Int) throws -> FinitePoset {
        try FinitePoset(
          below: (0..<n).map { x in (0..<x).filter { _ in g.uniform() < 0.5 } } + [Array(0..<n)])
      }
      let (q, r) = (try poset(4), try poset(3))
      // Their last elements are above all, so that maps into them exist.
      guard let f = Self.map(p, to: q, &g), let h = Self.map(q, to: r, &g),
        let back = Self.map(q, to: p, &g) ?? (0..<q.count).map({ _ in 0 }) as [Int]?,
        let further = Self.map(r, to: q, &g)
      else { return }
      // (f ∘ g)* = g* ∘ f*.
      let twice = try sheaf.pullback(along: back, from: q).pullback(along: further, from: r)
      let once = try sheaf.pullback(along: further.map { back[$0] }, from: r)
      tally.expect(Self.same(twice, once), "\(seed), pullback")
      tally.expect(
        Self.same(try sheaf.pullback(along: Array(0..<p.count), from: p), sheaf),
        "\(seed), identity")
      // (h ∘ f)_* ≅ h_* ∘ f_*: the same stalks and ranks of maps, and sections.
      let pushed = try sheaf.pushforward(along: f, to: q)
      let again = try pushed.pushforward(along: h, to: r)
      let direct = try sheaf.pushforward(along: f.map { h[$0] }, to: r)
      tally.expect(
        again.stalks == direct.stalks, "\(seed), pushforward \(again.stalks), \(direct.stalks)")
      for x in 0..<r.count {
        for (i, y) in r.below[x].enumerated() {
          func rank(_ s: PosetSheaf) throws -> Int {
            try PivotedQR(s.maps[x][i].dense(s.stalks[y]), tolerance: 1e-8).rank
          }
          tally.expect(try rank(again) == rank(direct), "\(seed), map \(y) < \(x)")
        }
      }
      func sections(_ s: PosetSheaf) throws -> Int {
        try RealCohomology(s.onOrderComplex(maximumDimension: 1), tolerance: 1e-8).betti.first ?? 0
      }
      let count = try sections(sheaf)
      tally.expect(
        try sections(pushed) == count && sections(again) == count && sections(direct) == count,
        "\(seed), sections")
      // To a point: the stalk is H⁰.
      let point = try FinitePoset(below: [[]])
      tally.expect(
        try sheaf.pushforward(along: p.below.map { _ in 0 }, to: point).stalks == [count],
        "\(seed), point")
      // From a point: the stalk.
      let one = g.integer(0...p.count - 1)
      tally.expect(
        try sheaf.pullback(along: [one], from: point).stalks == [sheaf.stalks[one]],
        "\(seed), stalk")
    }
    tally.check(atLeast: 6 * Self.seeds.count)
    let chain = try FinitePoset(below: [[], [0]])
    let sheaf = try PosetSheaf(chain, stalks: [1, 1], maps: [[], [.scalar(2)]])
    #expect(
      message { _ = try sheaf.pullback(along: [1, 0], from: chain) }.contains(
        "0 < 1 to 1 and 0, expected a map that preserves the order"))
    #expect(
      message { _ = try sheaf.pushforward(along: [1, 0], to: chain) }.contains(
        "preserves the order"))
  }
}
