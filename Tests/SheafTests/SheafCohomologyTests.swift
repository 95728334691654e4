import BigInt
import CellComplexes
import CellularSheaves
import ExactAlgebra
import LinearAlgebra
import Testing

@testable import SheafCohomology

/// Cohomology that is known, and the laws that it obeys.
struct SheafCohomologyTests {
  static let seeds = Array(UInt64(0)..<30)

  static func betti(_ sheaf: CellularSheaf) throws -> [Int] { try RealCohomology(sheaf).betti }

  static func exact(
    _ sheaf: CellularSheaf, _ coefficients: ExactCohomology.Coefficients = .rational
  ) throws -> [Int] { try sheaf.exactCohomology(over: coefficients).betti }

  /// As many degrees as wanted, 0 beyond the complex.
  static func padded(_ list: [Int], _ n: Int) -> [Int] {
    (0..<n).map { $0 < list.count ? list[$0] : 0 }
  }

  @Test func spacesHaveTheirCohomology() throws {
    typealias Row = (CellComplex, real: [Int], two: [Int], three: [Int], torsion: [[BigInt]])
    let cases: [Row] = [
      (Spaces.sphere.complex, [1, 0, 1], [1, 0, 1], [1, 0, 1], [[], [], []]),
      (Spaces.torus.complex, [1, 2, 1], [1, 2, 1], [1, 2, 1], [[], [], []]),
      (Spaces.square(isTwisted: false), [1, 2, 1], [1, 2, 1], [1, 2, 1], [[], [], []]),
      (.grid([3, 4], isPeriodic: true), [1, 2, 1], [1, 2, 1], [1, 2, 1], [[], [], []]),
      (Spaces.klein.complex, [1, 1, 0], [1, 2, 1], [1, 1, 0], [[], [], [2]]),
      (Spaces.square(isTwisted: true), [1, 1, 0], [1, 2, 1], [1, 1, 0], [[], [], [2]]),
      (Spaces.projectivePlane.complex, [1, 0, 0], [1, 1, 1], [1, 0, 0], [[], [], [2]]),
      (Spaces.lens(3), [1, 0, 0, 1], [1, 0, 0, 1], [1, 1, 1, 1], [[], [], [3], []]),
      (
        .grid([2, 2, 2], isPeriodic: true), [1, 3, 3, 1], [1, 3, 3, 1], [1, 3, 3, 1],
        [[], [], [], []]
      ),
    ]
    for (n, (complex, real, two, three, torsion)) in cases.enumerated() {
      for d in 1...2 {
        let sheaf = CellularSheaf.constant(d, on: complex)
        try sheaf.check()
        let times = { (list: [Int]) in list.map { d * $0 } }
        let found = try RealCohomology(sheaf)
        #expect(found.betti == times(real) && !found.isNarrow, "case \(n)")
        #expect(try Self.exact(sheaf, .prime(2)) == times(two), "case \(n)")
        #expect(try Self.exact(sheaf, .prime(3)) == times(three), "case \(n)")
        #expect(try Self.exact(sheaf, .prime(1_000_003)) == times(real), "case \(n)")
        let integer = try sheaf.exactCohomology(over: .integer)
        #expect(integer.betti == times(real), "case \(n)")
        #expect(integer.torsion == torsion.map { $0 + (d == 2 ? $0 : []) }, "case \(n)")
        for k in real.indices {
          let basis = try HarmonicBasis(sheaf, degree: k)
          #expect(basis.dimension == d * real[k] && !basis.isNarrow, "case \(n), degree \(k)")
        }
      }
    }
  }

  /// By hand. a —ab— b with maps x ↦ p x₀ + q x₁ from ℝ² and y ↦ r y from ℝ: δ = (−p −q r), rank 1 unless all are 0.
  @Test func smallSheavesHaveTheirCohomology() throws {
    func edge(_ p: Double, _ q: Double, _ r: Double) throws -> CellularSheaf {
      try CellularSheaf(.path(2), stalks: [2, 1, 1]) {
        .matrix($0 == 0 ? Matrix([[p, q]]) : Matrix([[r]]))
      }
    }
    for (p, q, r) in [(1.0, 2.0, 3.0), (0, 0, 1), (0, 5, 0)] {
      #expect(try Self.betti(edge(p, q, r)) == [2, 0])
      #expect(try Self.exact(edge(p, q, r)) == [2, 0])
    }
    #expect(try Self.betti(edge(0, 0, 0)) == [3, 1])
    #expect(try edge(2, 4, 6).exactCohomology(over: .integer).torsion == [[], [2]])
    #expect(try Self.exact(edge(2, 4, 6), .prime(2)) == [3, 1])

    let square = CellComplex.grid([2, 2])
    // A skyscraper has cohomology in the degree of its cell alone.
    for cell in 0..<square.count {
      var expected = [0, 0, 0]
      expected[square.dimension(of: cell)] = 3
      let sheaf = CellularSheaf.skyscraper(at: cell, stalk: 3, in: square)
      #expect(try Self.betti(sheaf) == expected && Self.exact(sheaf) == expected, "\(cell)")
      // The representable sheaf of a vertex: the complex modulo the cells off its star, which are a path, so 0; that of
      // an edge: an edge and the square, δ = ±1; that of the square: itself.
      let representable = CellularSheaf.representable(by: cell, in: square)
      #expect(
        try Self.betti(representable) == (square.dimension(of: cell) == 2 ? [0, 0, 1] : [0, 0, 0]))
    }
    // Half-open: a vertex with an edge that ends nowhere. c ↦ ∓F c.
    let half = try CellComplex.graph(vertices: 1, edges: [(0, nil)])
    let ray = CellularSheaf.constant(1, on: half)
    #expect(try Self.betti(ray) == [0, 0])
    #expect(try Self.betti(ray.withoutOpenCells()) == [1])
    // An open interval: compactly supported cohomology in degree 1.
    let interval = CellularSheaf.constant(1, on: .path(2)).restricted(to: [2]).sheaf
    #expect(try Self.betti(interval) == [0, 1])
    #expect(try Self.betti(interval.withoutOpenCells()) == [])
    #expect(try Self.betti(.zero(on: square)) == [0, 0, 0])
    let none = CellularSheaf.constant(1, on: try .graph(vertices: 0, edges: []))
    #expect(try Self.betti(none) == [] && Self.exact(none) == [])
    #expect(try HarmonicBasis(none, degree: 0).dimension == 0)
    // Bundles of lines on a torus: s, t ≠ 1 once around either loop leave nothing (the incidences as in
    // CellularSheafTests).
    func bundle(_ s: Double, _ t: Double) throws -> [Int] {
      let factors = [s, 1, t, 1, 1, s, t, 1]
      return try Self.betti(
        CellularSheaf(Spaces.square(isTwisted: false), stalks: [1, 1, 1, 1]) {
          .scalar(factors[$0])
        })
    }
    #expect(
      try bundle(2, 3) == [0, 0, 0] && bundle(1, -1) == [0, 0, 0] && bundle(1, 1) == [1, 2, 1])
  }

  /// H⁰ and H¹ of a cycle are the kernel and the cokernel of transport − 1, which is square.
  @Test(arguments: [1, 2, 5]) func cyclesHaveTheCohomologyOfTheirTransport(n: Int) throws {
    let cases: [(Matrix, Int)] = [
      (Matrix([[1]]), 1), (Matrix([[-1]]), 0), (.identity(3), 3), (Matrix([[1, 1], [0, 1]]), 1),
      (Matrix([[0, -1], [1, 0]]), 0), (Matrix([[0, 1, 0], [0, 0, 1], [1, 0, 0]]), 1),
      (.diagonal([1, 2, 1, -1]), 2),
    ]
    for (transport, kernel) in cases {
      let sheaf = try CellularSheaf.cycle(n, transport: transport)
      #expect(try Self.betti(sheaf) == [kernel, kernel], "\(transport)")
      #expect(try Self.exact(sheaf) == [kernel, kernel], "\(transport)")
    }
    // Over ℤ: ℤ/2 for the transport −1, ℤ/2 for a quarter turn, whose difference from 1 has determinant 2.
    #expect(
      try CellularSheaf.cycle(n, transport: Matrix([[-1]])).exactCohomology(over: .integer).torsion
        == [[], [2]])
    #expect(
      try CellularSheaf.cycle(n, transport: Matrix([[0, -1], [1, 0]])).exactCohomology(
        over: .integer
      )
      .torsion == [[], [2]])
  }

  /// On 1,000 sheaves of whole numbers; where the floating ranks are narrow they may be wrong, and there are few such.
  @Test func floatingRanksAreTheExactOnes() throws {
    let tally = try Tally.over(Array(0..<1000)) { seed, tally in
      var g = RandomGenerator(case: seed)
      let sheaf: CellularSheaf
      switch seed % 3 {
      case 0:
        sheaf = g.integerSheaf(
          on: g.graph(
            vertices: g.integer(1...9), edges: g.integer(0...16), halfOpen: seed % 2 == 0),
          stalks: 0...3)
      case 1:
        sheaf = g.integerSheaf(
          on: g.simplicial(vertices: 6, facets: 6, dimension: 2).complex, summands: 4)
      default:
        sheaf = g.integerSheaf(on: .grid([3, 3], isPeriodic: seed % 2 == 0), summands: 3)
      }
      try sheaf.check()
      let real = try RealCohomology(sheaf)
      let exact = try sheaf.exactCohomology(over: .rational)
      if real.isNarrow { return }
      tally.expect(
        real.betti == exact.betti && real.ranks.dropLast().map(\.value) == exact.ranks,
        "\(seed): \(real.betti), exactly \(exact.betti)")
      tally.expect(
        real.betti.enumerated().reduce(0) { $0 + ($1.offset % 2 == 0 ? 1 : -1) * $1.element }
          == sheaf.eulerCharacteristic, "\(seed), Euler")
    }
    tally.check(atLeast: 1960)
  }

  private static func convolved(_ a: [Int], _ b: [Int]) -> [Int] {
    var sum = [Int](repeating: 0, count: a.count + b.count - 1)
    for i in a.indices { for j in b.indices { sum[i + j] += a[i] * b[j] } }
    return sum
  }

  /// Künneth: H^k(F ⊠ G) = ⊕ H^i(F) ⊗ H^{k−i}(G) over a field.
  @Test func productsObeyKünneth() throws {
    try Tally.over(Self.seeds) { seed, tally in
      var g = RandomGenerator(case: seed)
      let f = g.integerSheaf(on: g.graph(vertices: 3, edges: 4, halfOpen: true), stalks: 0...2)
      let h = g.integerSheaf(
        on: g.simplicial(vertices: 4, facets: 3, dimension: 2).complex, summands: 2)
      for (a, b) in [(f, h), (h, f), (f, f)] {
        let product = try a.externalProduct(b)
        try product.check()
        for c in [ExactCohomology.Coefficients.rational, .prime(2)] {
          tally.expect(
            try Self.exact(product, c) == Self.convolved(Self.exact(a, c), Self.exact(b, c)),
            "\(seed), \(c)")
        }
        tally.expect(
          try Self.betti(product) == Self.convolved(Self.betti(a), Self.betti(b)), "\(seed)")
      }
      let (x, y) = (f.complex, h.complex)
      tally.expect(
        try Self.exact(.constant(1, on: x.product(y)))
          == Self.convolved(Self.exact(.constant(1, on: x)), Self.exact(.constant(1, on: y))),
        "\(seed), spaces")
    }.check(atLeast: 10 * Self.seeds.count)
  }

  /// Disjoint unions add up; cones are points; suspensions shift reduced cohomology.
  @Test func conesAndSuspensions() throws {
    try Tally.over(Self.seeds) { seed, tally in
      var g = RandomGenerator(case: seed)
      let a = g.simplicial(vertices: g.integer(1...6), facets: 5, dimension: 2)
      let b = g.simplicial(vertices: 4, facets: 3, dimension: 2)
      for c in [ExactCohomology.Coefficients.rational, .prime(2)] {
        let h = { (x: SimplicialComplex) in
          Self.padded(try Self.exact(.constant(1, on: x.complex), c), 5)
        }
        let n = a.vertexCount
        let both = try SimplicialComplex(
          facets: a.facets + b.facets.map { $0.map { $0 + n } }, vertices: n + b.vertexCount)
        let (ha, hb) = (try h(a), try h(b))
        tally.expect(try h(both) == zip(ha, hb).map(+), "\(seed), union")
        tally.expect(try h(a.cone) == [1, 0, 0, 0, 0], "\(seed), cone")
        let suspension = try h(a.suspension)
        tally.expect(suspension == [1, ha[0] - 1, ha[1], ha[2], ha[3]], "\(seed), suspension")
      }
      tally.expect(
        try Self.betti(.constant(1, on: a.cone.complex)).first == 1, "\(seed), real cone")
    }.check(atLeast: 7 * Self.seeds.count)
  }

  /// What is isomorphic or homeomorphic has the same cohomology.
  @Test func cohomologyIsAnInvariant() throws {
    try Tally.over(Self.seeds) { seed, tally in
      var g = RandomGenerator(case: seed)
      let complex = g.simplicial(vertices: 6, facets: 5, dimension: 2).complex
      let sheaf = g.integerSheaf(on: complex, summands: 3)
      let expected = try Self.exact(sheaf)
      let changed = try sheaf.changingBases(sheaf.stalks.map { g.invertible($0) })
      try changed.check(tolerance: 1e-9)
      let real = try RealCohomology(changed, tolerance: 1e-8)
      tally.expect(real.betti == expected || real.isNarrow, "\(seed), bases")
      let weighted = try RealCohomology(changed.weighted(g.weights(sheaf.stalks)), tolerance: 1e-8)
      tally.expect(weighted.betti == expected || weighted.isNarrow, "\(seed), weights")
      let constant = try Self.exact(.constant(1, on: complex))
      tally.expect(
        try Self.exact(.constant(1, on: complex.barycentricSubdivision.complex)) == constant,
        "\(seed), subdivision")
      let torsion = try sheaf.directSum(sheaf).exactCohomology(over: .rational).betti
      tally.expect(torsion == expected.map { 2 * $0 }, "\(seed), sum")
    }.check(atLeast: 4 * Self.seeds.count)
    for space in [Spaces.klein, Spaces.projectivePlane] {
      let subdivided = CellularSheaf.constant(1, on: space.complex.barycentricSubdivision.complex)
      #expect(try subdivided.exactCohomology(over: .integer).torsion == [[], [], [2]])
    }
  }

  /// A closed set of cells and its complement: cochains that vanish on it.
  @Test func relativeCohomologyIsThatOfTheQuotient() throws {
    // A disc relative to its boundary is a sphere; a path relative to its ends a circle.
    let triangle = try SimplicialComplex(facets: [[0, 1, 2]]).complex
    let disc = CellularSheaf.constant(1, on: triangle)
    #expect(try Self.betti(disc.relative(to: Set(0..<6)).sheaf) == [0, 0, 1])
    let path = CellularSheaf.constant(1, on: .path(4))
    #expect(try Self.betti(path.relative(to: [0, 3]).sheaf) == [0, 1])
    let bad = message { _ = try disc.relative(to: [3]) }
    #expect(bad.contains("\"0,1\" without its face \"0\""), "\(bad)")
    let torus = CellularSheaf.constant(1, on: Spaces.torus.complex)
    #expect(try Self.exact(torus.relative(to: [0]).sheaf) == [0, 2, 1])
    #expect(try Self.exact(torus.relative(to: Set(0..<torus.complex.count)).sheaf) == [])
  }
}
