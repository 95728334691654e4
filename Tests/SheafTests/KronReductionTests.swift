import CellComplexes
import CellularSheaves
import LinearAlgebra
import SheafCoarsening
import SheafCohomology
import Testing

/// Reduced sheaves: energies, harmonic questions, and sheaves that have them.
@Suite struct KronReductionTests {
  private static func energy(_ sheaf: CellularSheaf, _ c: Matrix) -> Double {
    sheaf.orthonormal(sheaf.applyCoboundary(c, degree: 0), degree: 1).sumOfSquares / 2
  }

  /// The energy is that of the harmonic extension and at most that of any other.
  @Test func reducedEnergyIsTheLeast() throws {
    try Tally.over(Array(0..<100)) { seed, tally in
      var g = RandomGenerator(case: seed)
      let n = g.integer(2...9)
      let sheaf = g.weightedSheaf(on: g.graph(vertices: n, edges: g.integer(1...14)), summands: 2)
      let kept = Array(g.permutation(n).prefix(g.integer(1...n)))
      let reduction = try KronReduction(sheaf, keeping: kept)
      let x = Matrix(column: reduction.coordinates.map { _ in g.uniform(-1, 1) })
      let found = reduction.energies(x)[0]
      let extended = try reduction.prolong(x)
      let harmonic = try HarmonicExtension(of: x, on: reduction.coordinates, in: sheaf)
      let scale = max(1, Self.energy(sheaf, extended))
      tally.expect(
        abs(found - harmonic.energies[0]) < 1e-8 * scale
          && abs(found - Self.energy(sheaf, extended)) < 1e-8 * scale
          && reduction.restrict(extended) == x, "seed \(seed): \(found), \(harmonic.energies[0])")
      for _ in 0..<5 {
        var other = extended
        let isKept = Set(reduction.coordinates)
        for i in 0..<other.rows where !isKept.contains(i) { other[i, 0] += g.normal() }
        tally.expect(
          found <= Self.energy(sheaf, other) + 1e-9 * scale, "seed \(seed): an extension has less")
      }
    }.check(atLeast: 600)
  }

  /// The sheaf that is made has the reduced energy, the stalks and the inner products; and reducing in two steps is
  /// reducing at once.
  @Test func reducedSheavesHaveTheEnergy() throws {
    let tally = try Tally.over(Array(0..<100)) { seed, tally in
      var g = RandomGenerator(case: seed)
      let n = g.integer(3...9)
      let sheaf = g.weightedSheaf(on: g.graph(vertices: n, edges: g.integer(1...14)), summands: 2)
      let order = g.permutation(n)
      let (kept, fewer) = (Array(order.prefix(n - 1)), Array(order.prefix(n / 2)))
      let reduction = try KronReduction(sheaf, keeping: kept)
      let reduced = try reduction.reduced().sheaf
      try reduced.check()
      let x = Matrix(column: reduction.coordinates.map { _ in g.uniform(-1, 1) })
      let scale = max(1, reduction.energies(x)[0])
      tally.expect(
        abs(Self.energy(reduced, x) - reduction.energies(x)[0]) < 1e-7 * scale,
        "seed \(seed): \(Self.energy(reduced, x)), expected \(reduction.energies(x)[0])")
      let atOnce = try KronReduction(sheaf, keeping: fewer)
      let inSteps = try KronReduction(reduced, keeping: Array(0..<n / 2))
      var difference = atOnce.complement.matrix
      let size = max(1, difference.maximumMagnitude)
      difference.add(inSteps.complement.matrix, scale: -1)
      tally.expect(
        difference.maximumMagnitude < 1e-6 * size,
        "seed \(seed): in steps \(difference.maximumMagnitude)")
    }
    tally.check(atLeast: 200)
  }

  /// Sections of the whole restrict to the sections of the reduced sheaf that extend: the same H⁰ where every vertex is
  /// determined by the kept ones.
  @Test func graphsStayGraphs() throws {
    try Tally.over(Array(0..<40)) { seed, tally in
      var g = RandomGenerator(case: seed)
      let n = g.integer(4...20)
      let sheaf = CellularSheaf.constant(on: g.connectedGraph(vertices: n, extra: n))
      let kept = Array(g.permutation(n).prefix(n / 2 + 1))
      let reduction = try KronReduction(sheaf, keeping: kept)
      let reduced = try reduction.reduced()
      tally.expect(reduced.isGraph, "seed \(seed): no graph")
      let cohomology = try RealCohomology(reduced.sheaf)
      tally.expect(cohomology.betti[0] == 1, "seed \(seed): H0 of \(cohomology.betti[0])")
      // No half-open edge: rows of a graph Laplacian add up to 0.
      tally.expect(
        reduced.sheaf.complex.cells(ofDimension: 1).allSatisfy {
          reduced.sheaf.complex.incidences(of: $0).count == 2
        }, "seed \(seed): a half-open edge")
      // Resistances between kept vertices are those of the whole graph.
      let (whole, part) = try (
        EffectiveResistance(SheafLaplacian(sheaf, degree: 0)),
        EffectiveResistance(SheafLaplacian(reduced.sheaf, degree: 0))
      )
      var current = Matrix(rows: n, columns: 1)
      (current[kept[0], 0], current[kept[1], 0]) = (1, -1)
      let (expected, found) = (whole(current)[0], part(reduction.restrict(current))[0])
      tally.expect(
        abs(found - expected) < 1e-9 * max(1, expected), "seed \(seed): \(found), \(expected)")
    }.check(atLeast: 160)
  }

  /// A path of two edges with conductances 1/r₁ and 1/r₂: 1/(r₁ + r₂) by series, and a star of three to a triangle.
  @Test func seriesAndStars() throws {
    let path = CellComplex.path(3)
    let weights: [InnerProduct] = [.standard, .standard, .standard, .scalar(0.5), .scalar(0.25)]
    let sheaf = try CellularSheaf(path, stalks: [1, 1, 1, 1, 1], weights: weights) { _ in .identity
    }
    let s = try KronReduction(sheaf, keeping: [0, 2]).complement.matrix
    #expect(abs(s[0, 0] - 1.0 / 6) < 1e-15 && abs(s[0, 1] + 1.0 / 6) < 1e-15)
    let star = CellularSheaf.constant(
      on: try .graph(vertices: 4, edges: [(0, 3), (1, 3), (2, 3)]))
    let triangle = try KronReduction(star, keeping: [0, 1, 2]).complement.matrix
    #expect(abs(triangle[0, 1] + 1.0 / 3) < 1e-15 && abs(triangle[0, 0] - 2.0 / 3) < 1e-15)
  }

  /// No coupling of small units is lost, none comes of rounding: two paths, one of them in other units, and a long one.
  @Test func reducedSheavesHaveTheRightEdges() throws {
    let complex = try CellComplex.graph(vertices: 6, edges: [(0, 1), (1, 2), (3, 4), (4, 5)])
    let mixed = try CellularSheaf(complex, stalks: [Int](repeating: 1, count: 10)) { i in
      .scalar(i < 4 ? 1e6 : 0.9)
    }
    let reduced = try KronReduction(mixed, keeping: [0, 2, 3, 5]).reduced()
    #expect(reduced.isGraph && reduced.sheaf.complex.cellCounts == [4, 2])
    for n in [100, 5000] {
      let long = try KronReduction(.constant(on: .path(n)), keeping: [0, n / 2, n - 1]).reduced()
      #expect(long.isGraph && long.sheaf.complex.cellCounts == [3, 2])
    }
    // A half-open edge keeps one, and names do not meet.
    let ray = try CellularSheaf(
      .graph(vertices: 2, edges: [(0, 1), (1, nil)], names: ["a", "b", "a–", "e"]),
      stalks: [1, 1, 1, 1]
    ) { _ in .identity }
    let half = try KronReduction(ray, keeping: [0]).reduced().sheaf
    #expect(half.complex.count == 2 && half.complex.name(1) == "a–")
    let same = try CellularSheaf(
      .graph(vertices: 2, edges: [(0, nil), (1, nil)], names: ["a", "a–", "e", "f"]),
      stalks: [1, 1, 1, 1]
    ) { _ in .identity }
    let named = try KronReduction(same, keeping: [0, 1]).reduced().sheaf.complex
    #expect((0..<named.count).map(named.name) == ["a", "a–", "a–′", "a––"])
    // One part that no edges can carry leaves the other a graph.
    let two = try CellularSheaf(
      .graph(vertices: 5, edges: [(0, 1), (1, 2), (3, 4)]), stalks: [1, 1, 1, 1, 1, 1, 1, 1]
    ) { $0 == 4 ? .scalar(2) : .identity }
    let parts = try KronReduction(two, keeping: [0, 1, 2, 3, 4]).reduced().sheaf
    #expect(parts.complex.cellCounts[1] >= 3)
    try parts.check()
  }

  @Test func cellsThatCannotBeKept() throws {
    let sheaf = CellularSheaf.constant(on: .path(3))
    for (kept, found) in [([0, 0], "twice"), ([3], "3"), ([9], "9")] {
      do {
        _ = try KronReduction(sheaf, keeping: kept)
        Issue.record("kept \(kept)")
      } catch let error as CoarseningError {
        #expect("\(error)".contains(found))
      }
    }
  }
}
