import CellComplexes
import CellularSheaves
import ExactAlgebra
import LinearAlgebra
import SheafCohomology
import SheafPersistence
import Testing

/// Barcodes of sheaves along filtrations: closed forms, filtrations worked out by hand, and the ranks of the maps
/// H^q(X_b) → H^q(X_a) by dense elimination.
@Suite struct PersistenceBarcodeTests {
  static let fields: [SheafFiltration.Coefficients] = [
    .prime(2), .prime(3), .prime(65_537), .rational, .real(),
  ]

  static func bars(_ barcode: Barcode) -> [[Double]] {
    barcode.intervals.map { [Double($0.degree), $0.birth, $0.death] }
  }

  /// A sheaf on a vertex, a vertex and their edge, of numbers, that appear at 0, 1 and 2.
  static func edge(_ first: Double, _ second: Double) throws -> SheafFiltration {
    let sheaf = try CellularSheaf(CellComplex.path(2), stalks: [1, 1, 1]) {
      .matrix(Matrix([[$0 == 0 ? first : second]]))
    }
    return try SheafFiltration(sheaf, values: [0, 1, 2])
  }

  /// With the identity on both sides the second component dies into the first. With 0 from the second vertex, a
  /// section on the edge must be 0 at the first vertex: its class of birth 0 ends, that of birth 1 extends. With 0 on
  /// both sides both extend, and the edge has a class of degree 1.
  @Test(arguments: fields) func anEdgeByHand(_ field: SheafFiltration.Coefficients) throws {
    let infinity = Double.infinity
    #expect(
      Self.bars(try Self.edge(1, 1).barcode(over: field)) == [[0, 0, infinity], [0, 1, 2]])
    #expect(
      Self.bars(try Self.edge(1, 0).barcode(over: field)) == [[0, 0, 2], [0, 1, infinity]])
    #expect(
      Self.bars(try Self.edge(0, 1).barcode(over: field)) == [[0, 0, infinity], [0, 1, 2]])
    #expect(
      Self.bars(try Self.edge(0, 0).barcode(over: field))
        == [[0, 0, infinity], [0, 1, infinity], [1, 2, infinity]])
  }

  /// Multiplication by 3 on one side: as the identity over ℚ and GF(2), as 0 over GF(3).
  @Test func theCharacteristicCounts() throws {
    let filtration = try Self.edge(1, 3)
    for field in [SheafFiltration.Coefficients.prime(2), .rational, .real()] {
      #expect(Self.bars(try filtration.barcode(over: field)) == [[0, 0, .infinity], [0, 1, 2]])
    }
    #expect(
      Self.bars(try filtration.barcode(over: .prime(3))) == [[0, 0, 2], [0, 1, .infinity]])
  }

  /// A circle of six vertices by height 0 1 2 3 2 1: one component from 0, one loop from 3. Turned over once around,
  /// there is no section and no class of degree 1 but over GF(2).
  @Test(arguments: fields) func aCircleByHeight(_ field: SheafFiltration.Coefficients) throws {
    let heights = [0.0, 1, 2, 3, 2, 1]
    let constant = CellularSheaf.constant(on: .cycle(6))
    let trivial = [[0, 0, Double.infinity], [1, 3, .infinity]]
    #expect(
      Self.bars(try SheafFiltration.lowerStar(constant, vertexValues: heights).barcode(over: field))
        == trivial)
    let twisted = try CellularSheaf.cycle(6, transport: Matrix([[-1]]))
    #expect(
      Self.bars(try SheafFiltration.lowerStar(twisted, vertexValues: heights).barcode(over: field))
        == (field == .prime(2) ? trivial : [[0, 0, 3]]))
  }

  /// A sphere by height of its vertices: the last triangle closes it. A torus has two loops, Klein's bottle two over
  /// GF(2).
  @Test(arguments: fields) func surfaces(_ field: SheafFiltration.Coefficients) throws {
    let sphere = try SheafFiltration.lowerStar(
      .constant(2, on: Spaces.sphere.complex), vertexValues: [0, 1, 2, 3]
    ).barcode(over: field)
    #expect(
      Self.bars(sphere)
        == [[0, 0], [0, 0], [2, 3], [2, 3]].map { $0 + [.infinity] })
    for (surface, isTwisted) in [(Spaces.torus, false), (Spaces.klein, true)] {
      let heights = (0..<surface.vertexCount).map { Double($0 * 7 % 16) }
      let barcode = try SheafFiltration.lowerStar(
        .constant(on: surface.complex), vertexValues: heights
      ).barcode(over: field)
      let isOriented = !isTwisted || field == .prime(2)
      #expect(
        (0...2).map { barcode.betti($0, at: 15) } == [1, isOriented ? 2 : 1, isOriented ? 1 : 0])
    }
  }

  @Test func ranksOfMapsAreCountsOfBars() throws {
    for (field, p) in [(SheafFiltration.Coefficients.prime(2), 2), (.prime(3), 3)] {
      try Self.compareRanks(Array(0..<200), field, modulo: p)
    }
    // The ranks over ℚ, as those modulo a prime of 31 bits.
    try Self.compareRanks(Array(0..<200), .rational, modulo: (1 << 31) - 1)
  }

  static func compareRanks(
    _ seeds: [UInt64], _ field: SheafFiltration.Coefficients, modulo p: Int
  ) throws {
    try Tally.over(seeds) { seed, tally in
      var generator = RandomGenerator(case: seed)
      let filtration = generator.filtration()
      let barcode = try filtration.barcode(over: field)
      let steps = filtration.steps
      for q in 0...max(filtration.sheaf.complex.dimension, 0) {
        for (i, b) in steps.enumerated() {
          for a in steps[...i] {
            let (found, expected) = (
              barcode.rank(q, from: a, to: b), filtration.denseRank(q, from: a, to: b, modulo: p)
            )
            tally.expect(
              found == expected,
              "seed \(seed), degree \(q), \(b) → \(a) over GF(\(p)): \(found) bars, rank \(expected)"
            )
          }
        }
      }
    }.check(atLeast: 2000)
  }

  /// The Betti numbers of the subcomplexes by other eliminations.
  @Test func bettiNumbersOfSubcomplexes() throws {
    try Tally.over(Array(0..<200)) { seed, tally in
      var generator = RandomGenerator(case: 1000 + seed)
      let filtration = generator.filtration()
      for (field, ring) in [
        (SheafFiltration.Coefficients.prime(2), ExactCohomology.Coefficients.prime(2)),
        (.prime(3), .prime(3)), (.rational, .rational), (.real(), .rational),
      ] {
        let barcode = try filtration.barcode(over: field)
        for a in filtration.steps {
          let betti = try filtration.subsheaf(upTo: a).sheaf.exactCohomology(over: ring).betti
          tally.expect(
            betti.indices.allSatisfy { betti[$0] == barcode.betti($0, at: a) },
            "seed \(seed) at \(a) over \(field): \(Self.bars(barcode)), expected \(betti)")
        }
      }
    }.check(atLeast: 2000)
  }

  /// An isomorphic sheaf of real numbers with weights has the bars of the one of whole numbers.
  @Test func barsOverRealsAreThoseOverRationals() throws {
    try Tally.over(Array(0..<200)) { seed, tally in
      var generator = RandomGenerator(case: 2000 + seed)
      let filtration = generator.filtration()
      let sheaf = filtration.sheaf
      let real = try sheaf.changingBases(sheaf.stalks.map { generator.invertible($0) })
        .weighted(generator.weights(sheaf.stalks))
      let expected = try filtration.barcode(over: .rational)
      let found = try SheafFiltration(real, values: filtration.values).barcode(
        over: .real(tolerance: 1e-10))
      tally.expect(
        Self.bars(found) == Self.bars(expected),
        "seed \(seed): \(Self.bars(found)), expected \(Self.bars(expected))")
      tally.expect(
        found.decisions.allSatisfy { !$0.isNarrow }, "seed \(seed): \(found.decisions)")
    }.check(atLeast: 400)
  }

  /// The bars of the constant sheaf of rank 3 are those of rank 1, three times.
  @Test func constantSheavesRepeatTheBars() throws {
    var generator = RandomGenerator(case: 3)
    let complex = generator.simplicial(vertices: 12, facets: 30, dimension: 3).complex
    let values = (0..<12).map { _ in generator.uniform() }
    for field in Self.fields {
      let one = try SheafFiltration.lowerStar(.constant(on: complex), vertexValues: values)
        .barcode(over: field)
      let three = try SheafFiltration.lowerStar(.constant(3, on: complex), vertexValues: values)
        .barcode(over: field)
      #expect(Self.bars(three) == Self.bars(one).flatMap { [$0, $0, $0] })
    }
  }

  /// Over ℝ in random bases of the stalks too, where nothing is whole any more.
  @Test func basesHaveNoSay() throws {
    var generator = RandomGenerator(case: 5)
    let complex = generator.simplicial(vertices: 40, facets: 120, dimension: 3).complex
    let values = (0..<40).map { _ in generator.uniform() }
    let one = try SheafFiltration.lowerStar(.constant(on: complex), vertexValues: values)
      .barcode(over: .rational)
    let bases = (0..<complex.count).map { _ in generator.invertible(3) }
    let general = try CellularSheaf.constant(3, on: complex).changingBases(bases)
    for sheaf in [general, try general.weighted(generator.weights(general.stalks))] {
      let three = try SheafFiltration.lowerStar(sheaf, vertexValues: values)
        .barcode(over: .real())
      #expect(Self.bars(three) == Self.bars(one).flatMap { [$0, $0, $0] })
      #expect(three.decisions.count == 3 && three.decisions.allSatisfy { !$0.isNarrow })
    }
  }

  /// Degrees up to a largest one are those of all.
  @Test func degreesMayBeCut() throws {
    var generator = RandomGenerator(case: 4)
    for _ in 0..<20 {
      let filtration = generator.filtration()
      for field in Self.fields {
        let all = try filtration.barcode(over: field).intervals
        for top in -1...2 {
          #expect(
            try filtration.barcode(over: field, maximumDegree: top).intervals
              == all.filter { $0.degree <= top })
        }
      }
    }
  }
}
