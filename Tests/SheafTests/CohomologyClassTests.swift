import CellComplexes
import CellularSheaves
import LinearAlgebra
import Testing

@testable import SheafCohomology

/// Cup products, cocycles in their classes, and the maps between them.
struct CohomologyClassTests {
  static let seeds = Array(UInt64(0)..<30)

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
      let betti = try SheafCohomologyTests.betti(sheaf)
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
