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

  /// δ(a ⌣ b) = δa ⌣ b + (−1)^p a ⌣ δb.
  @Test func cupProductsObeyLeibniz() throws {
    try Tally.over(Self.seeds) { seed, tally in
      var g = RandomGenerator(case: seed)
      let space = g.simplicial(vertices: 7, facets: 6, dimension: 4)
      let sheaf = CellularSheaf.constant(1, on: space.complex)
      func delta(_ c: [Double], _ k: Int) -> [Double] {
        sheaf.coboundary(k)(Matrix(column: c)).column(0)
      }
      for p in 0...2 {
        for q in 0...2 {
          let a = g.normalMatrix(rows: sheaf.cochainDimension(p), columns: 1).column(0)
          let b = g.normalMatrix(rows: sheaf.cochainDimension(q), columns: 1).column(0)
          let left = delta(space.cupProduct(a, degree: p, b, degree: q), p + q)
          let first = space.cupProduct(delta(a, p), degree: p + 1, b, degree: q)
          let second = space.cupProduct(a, degree: p, delta(b, q), degree: q + 1)
          let sign = p % 2 == 0 ? 1.0 : -1
          let error = left.indices.map { abs(left[$0] - first[$0] - sign * second[$0]) }.max() ?? 0
          tally.expect(
            left.count == first.count && error < 1e-12, "\(seed), degrees \(p), \(q): \(error)")
        }
      }
    }.check(atLeast: 9 * Self.seeds.count)
  }

  /// On the torus H¹ × H¹ → H² is antisymmetric and not 0; on the sphere there is nothing to multiply, on Klein's bottle
  /// no H².
  @Test func cupProductOfTheTorusIsItsArea() throws {
    let torus = Spaces.torus
    let sheaf = CellularSheaf.constant(1, on: torus.complex)
    let (one, two) = (
      try HarmonicBasis(sheaf, degree: 1), try HarmonicBasis(sheaf, degree: 2)
    )
    let z = one.cochains
    func cup(_ i: Int, _ j: Int) -> Double {
      let product = torus.cupProduct(z.column(i), degree: 1, z.column(j), degree: 1)
      return two.classes(of: Matrix(column: product))[0, 0]
    }
    #expect(abs(cup(0, 1)) > 0.01)
    #expect(abs(cup(0, 1) + cup(1, 0)) < 1e-12)
    #expect(abs(cup(0, 0)) < 1e-12 && abs(cup(1, 1)) < 1e-12)
    // Of classes, not only of harmonic cochains: a coboundary more changes nothing.
    var g = RandomGenerator(case: 1)
    var moved = sheaf.coboundary(0)(g.normalMatrix(rows: torus.vertexCount, columns: 1))
    moved.add(z.columns(0..<1))
    let product = torus.cupProduct(moved.column(0), degree: 1, z.column(1), degree: 1)
    #expect(abs(two.classes(of: Matrix(column: product))[0, 0] - cup(0, 1)) < 1e-12)
    let sphere = CellularSheaf.constant(1, on: Spaces.sphere.complex)
    #expect(try HarmonicBasis(sphere, degree: 1).dimension == 0)
    // A cup with a constant is that multiple.
    let c = g.normalMatrix(rows: torus.complex.cellCounts[2], columns: 1).column(0)
    #expect(
      torus.cupProduct(
        [Double](repeating: 1, count: torus.vertexCount), degree: 0, c, degree: 2) == c)
  }

  /// Functions on a cover: H⁰ is the functions on the union, and no more.
  @Test func functionsOnCoversAreFlabby() throws {
    try Tally.over(Self.seeds) { seed, tally in
      var g = RandomGenerator(case: seed)
      let cover = (0..<5).map { _ in (0..<12).filter { _ in g.uniform() < 0.4 } }
      let (sheaf, elements) = try CellularSheaf.functions(onCover: cover, maximumDimension: 5)
      try sheaf.check()
      let union = Set(cover.joined()).count
      let betti = try Self.betti(sheaf)
      tally.expect(
        betti.first == union && betti.dropFirst().allSatisfy { $0 == 0 }, "\(seed): \(betti)")
      tally.expect(elements.map(\.count) == sheaf.stalks, "\(seed)")
    }.check(atLeast: 2 * Self.seeds.count)
  }

  /// Localized cocycles are a basis of the same classes.
  @Test func localizedCocyclesAreABasis() throws {
    try Tally.over(Array(0..<12)) { seed, tally in
      var g = RandomGenerator(case: seed)
      let sheaf = g.weightedSheaf(
        on: seed % 2 == 0 ? Spaces.torus.complex : g.graph(vertices: 8, edges: 12), summands: 2)
      for k in 0...1 {
        let basis = try HarmonicBasis(sheaf, degree: k)
        let local = try basis.localized()
        tally.expect(local.columns == basis.dimension, "\(seed), number")
        guard basis.dimension > 0 else { continue }
        tally.expect(
          sheaf.coboundary(k)(local).maximumMagnitude < 1e-6, "\(seed), degree \(k), cocycles")
        let classes = basis.classes(of: local)
        tally.expect(
          try PivotedQR(classes, tolerance: 1e-6).rank == basis.dimension,
          "\(seed), degree \(k), independent")
        tally.expect(
          (0..<local.columns).allSatisfy { abs(local.maximumMagnitude(column: $0) - 1) < 1e-12 },
          "\(seed), size")
      }
    }.check(atLeast: 24)
    // Two circles apart: each class on one of them, once around over one edge.
    let two = try CellComplex.graph(
      vertices: 8,
      edges: (0..<4).map { ($0, ($0 + 1) % 4) } + (0..<4).map { ($0 + 4, ($0 + 1) % 4 + 4) })
    let sections = try HarmonicBasis(.constant(1, on: two), degree: 0).localized()
    let loops = try HarmonicBasis(.constant(1, on: two), degree: 1).localized()
    for j in 0..<2 {
      #expect(sections.column(j).count { $0 != 0 } == 4)
      #expect(loops.column(j).count { $0 != 0 } == 1)
    }
  }

  /// Maps on cohomology of a composite are composites, and of the identity the identity.
  @Test func inducedMapsAreFunctors() throws {
    try Tally.over(Self.seeds) { seed, tally in
      var g = RandomGenerator(case: seed)
      let complex = seed % 2 == 0 ? Spaces.torus.complex : g.graph(vertices: 5, edges: 9)
      func power(_ n: Int) throws -> (CellularSheaf, [Matrix]) {
        let bases = (0..<complex.count).map { _ in g.invertible(n) }
        let sheaf = try CellularSheaf.constant(n, on: complex).changingBases(bases)
        return (try sheaf.weighted(g.weights(sheaf.stalks)), bases)
      }
      let parts = [try power(2), try power(3), try power(2)]
      let matrices = [
        g.normalMatrix(rows: 3, columns: 2), g.normalMatrix(rows: 2, columns: 3),
      ]
      func morphism(_ from: Int, _ to: Int, _ a: Matrix) throws -> SheafMorphism {
        try SheafMorphism(
          from: parts[from].0, to: parts[to].0,
          components: (0..<complex.count).map {
            parts[to].1[$0] * a * (try parts[from].1[$0].solve(.identity(a.columns)))
          }, tolerance: 1e-8)
      }
      let (first, second) = (try morphism(0, 1, matrices[0]), try morphism(1, 2, matrices[1]))
      let both = try morphism(0, 2, matrices[1] * matrices[0])
      let same = try morphism(0, 0, .identity(2))
      for k in 0...complex.dimension {
        let bases = try parts.map { try HarmonicBasis($0.0, degree: k) }
        let one = first.onCohomology(k, from: bases[0], to: bases[1])
        let two = second.onCohomology(k, from: bases[1], to: bases[2])
        let composite = both.onCohomology(k, from: bases[0], to: bases[2])
        let scale = max(1, one.maximumMagnitude * two.maximumMagnitude)
        tally.expect(
          (two * one).minus(composite).maximumMagnitude < 1e-9 * scale, "\(seed), degree \(k)")
        tally.expect(
          same.onCohomology(k, from: bases[0], to: bases[0])
            .minus(.identity(bases[0].dimension)).maximumMagnitude < 1e-9, "\(seed), identity")
        // 2 × H^k of the complex, on which the matrix acts.
        let gram = one.transposed * one
        tally.expect(
          try gram.count == 0 || PivotedQR(gram, tolerance: 1e-8).rank == bases[0].dimension,
          "\(seed), injective")
      }
    }.check(atLeast: 6 * Self.seeds.count)
  }
}
