import CellComplexes
import CellularSheaves
import LinearAlgebra
import SheafCohomology
import SheafPersistence
import Testing

/// Zigzags: by hand, against barcodes where they are monotone, and against the ranks of the maps from limits to
/// colimits, which tell the intervals of every zigzag module.
@Suite struct PersistenceZigzagTests {
  static let fields: [SheafFiltration.Coefficients] = [
    .prime(2), .prime(3), .rational, .real(),
  ]

  static func intervals(_ barcode: ZigzagBarcode) -> [[Int]] {
    barcode.intervals.map { [$0.degree, $0.first, $0.last] }
  }

  /// Two arcs of a circle, one of them first and the other last. Their union in between has the loop; their
  /// intersection in between has a second component instead, one degree lower (the diamond of Mayer and Vietoris;
  /// Carlsson, de Silva 2010, §5.3).
  @Test(arguments: fields) func arcsOfACircle(_ field: SheafFiltration.Coefficients) throws {
    let circle = CellComplex.cycle(6)
    let sheaf = CellularSheaf.constant(on: circle)
    let edges = Array(circle.cells(ofDimension: 1))
    let (left, right) = (circle.closure(edges.prefix(3)), circle.closure(edges.suffix(3)))
    #expect(
      Self.intervals(
        try SheafZigzag(sheaf, throughUnions: [left, right]).barcode(over: field))
        == [[0, 0, 2], [1, 1, 1]])
    #expect(
      Self.intervals(
        try SheafZigzag(sheaf, throughIntersections: [left, right]).barcode(over: field))
        == [[0, 0, 2], [0, 1, 1]])
  }

  /// Two triangles with a common vertex: the first loop, both, the second one, none. The first goes with an edge, the
  /// second when it is filled in.
  @Test(arguments: fields) func circlesComeAndGo(_ field: SheafFiltration.Coefficients) throws {
    let complex = try SimplicialComplex(facets: [[0, 1], [0, 2], [1, 2], [2, 3, 4]])
    let cells = Dictionary(
      uniqueKeysWithValues: (0..<complex.complex.count).map { cell in
        (complex.simplices[cell].map { Int($0) }, cell)
      })
    func closure(_ simplices: [[Int]]) -> Set<Int> {
      complex.complex.closure(simplices.map { cells[$0]! })
    }
    let (first, second) = ([[0, 1], [0, 2], [1, 2]], [[2, 3], [2, 4], [3, 4]])
    let zigzag = try SheafZigzag(
      .constant(on: complex.complex),
      [
        closure(first), closure(first + second), closure(Array(first.dropLast()) + second),
        closure(second), closure([[2, 3, 4]]), [],
      ])
    #expect(
      Self.intervals(try zigzag.barcode(over: field))
        == [[0, 0, 4], [1, 0, 1], [1, 1, 3]])
    #expect(
      Self.intervals(try zigzag.barcode(over: field, maximumDegree: 0)) == [[0, 0, 4]])
    let barcode = try zigzag.barcode(over: field)
    #expect((0...5).map { barcode.betti(1, at: $0) } == [1, 2, 1, 1, 0, 0])
    #expect(barcode.rank(1, from: 1, to: 2) == 1 && barcode.rank(1, from: 0, to: 2) == 0)
  }

  /// A point that goes and one that comes in its place are two classes; one that stays is one.
  @Test func aPointGoesAndComes() throws {
    let sheaf = CellularSheaf.constant(2, on: CellComplex.path(2))
    #expect(
      Self.intervals(try SheafZigzag(sheaf, [[0], [], [0], [0, 1], [0]]).barcode(over: .prime(2)))
        == [[0, 0, 0], [0, 0, 0], [0, 2, 4], [0, 2, 4], [0, 3, 3], [0, 3, 3]])
    #expect(try SheafZigzag(sheaf, []).barcode(over: .prime(2)).intervals.isEmpty)
  }

  @Test func monotoneZigzagsAreFiltrations() throws {
    try Tally.over(Array(0..<100)) { seed, tally in
      var generator = RandomGenerator(case: seed)
      let filtration = generator.filtration()
      let steps = (0...3).map { Double($0) }
      let up = steps.map { filtration.cells(upTo: $0) }
      for field in Self.fields {
        let expected = try filtration.barcode(over: field).intervals.map { bar in
          [bar.degree, Int(bar.birth), bar.death == .infinity ? 3 : Int(bar.death) - 1]
        }.sorted { $0.lexicographicallyPrecedes($1) }
        let found = try SheafZigzag(filtration.sheaf, up).barcode(over: field)
        tally.expect(
          Self.intervals(found) == expected,
          "seed \(seed) over \(field): \(Self.intervals(found)), expected \(expected)")
        let down = try SheafZigzag(filtration.sheaf, up.reversed()).barcode(over: field)
        let turned = expected.map { [$0[0], 3 - $0[2], 3 - $0[1]] }
          .sorted { $0.lexicographicallyPrecedes($1) }
        tally.expect(
          Self.intervals(down) == turned, "seed \(seed) over \(field): down \(Self.intervals(down))"
        )
      }
    }.check(atLeast: 800)
  }

  /// A random zigzag of closed sets, cells coming and going.
  static func zigzag(_ generator: inout RandomGenerator, on sheaf: CellularSheaf, count: Int)
    -> SheafZigzag
  {
    let complex = sheaf.complex
    func closed(_ share: Double) -> Set<Int> {
      complex.closure((0..<complex.count).filter { _ in generator.uniform() < share })
    }
    var sets = [closed(generator.uniform(0, 0.5))]
    while sets.count < count {
      let (last, other) = (sets[sets.count - 1], closed(generator.uniform(0, 0.5)))
      sets.append(generator.uniform() < 0.5 ? last.union(other) : last.intersection(other))
    }
    return known { try SheafZigzag(sheaf, sets) }
  }

  /// The number of intervals that contain i, …, j is the rank of the map from the limit to the colimit of the spaces
  /// from i to j, for all i ≤ j; these numbers tell the intervals.
  @Test func ranksFromLimitsToColimits() throws {
    try Tally.over(Array(0..<200)) { seed, tally in
      var generator = RandomGenerator(case: 1000 + seed)
      let complex = generator.simplicial(
        vertices: generator.integer(3...5), facets: generator.integer(2...5), dimension: 2
      ).complex
      let sheaf = generator.integerSheaf(on: complex, summands: generator.integer(1...2))
      let zigzag = Self.zigzag(&generator, on: sheaf, count: generator.integer(2...6))
      for p in [2, 3] {
        let barcode = try zigzag.barcode(over: .prime(p))
        for q in 0...max(complex.dimension, 0) {
          let module = DenseZigzag(zigzag, degree: q, modulo: p)
          for i in zigzag.subcomplexes.indices {
            for j in i..<zigzag.subcomplexes.count {
              let (found, expected) = (barcode.rank(q, from: i, to: j), module.rank(i, j))
              tally.expect(
                found == expected,
                "seed \(seed) over GF(\(p)), degree \(q) from \(i) to \(j): \(found), expected \(expected)"
              )
            }
          }
        }
      }
    }.check(atLeast: 8000)
  }

  /// Over ℚ and ℝ: dimensions by the cohomology of each subcomplex; the same intervals as over a large prime field;
  /// with weights and in other bases the same over ℝ.
  @Test func rationalAndRealIntervals() throws {
    try Tally.over(Array(0..<100)) { seed, tally in
      var generator = RandomGenerator(case: 2000 + seed)
      let complex = generator.simplicial(vertices: 6, facets: 6, dimension: 3).complex
      let sheaf = generator.integerSheaf(on: complex, summands: generator.integer(1...3))
      let zigzag = Self.zigzag(&generator, on: sheaf, count: 7)
      let rational = try zigzag.barcode(over: .rational)
      for (i, cells) in zigzag.subcomplexes.enumerated() {
        let betti = try sheaf.restricted(to: cells).sheaf.exactCohomology(over: .rational).betti
        for (q, dimension) in betti.enumerated() {
          tally.expect(
            rational.betti(q, at: i) == dimension, "seed \(seed), degree \(q) at \(i): \(dimension)"
          )
        }
      }
      tally.expect(
        try zigzag.barcode(over: .prime(1_000_003)) == rational, "seed \(seed): modulo a prime")
      let other = try sheaf.changingBases(sheaf.stalks.map { generator.invertible($0) })
        .weighted(generator.weights(sheaf.stalks))
      let real = try SheafZigzag(other, zigzag.subcomplexes).barcode(
        over: .real(tolerance: 1e-10))
      tally.expect(
        real.intervals == rational.intervals,
        "seed \(seed): \(Self.intervals(real)) over ℝ, \(Self.intervals(rational)) over ℚ")
    }.check(atLeast: 1500)
  }

  /// Through unions and through intersections: an interval that ends between two subcomplexes on the one way ends at
  /// the one of them on the other, and those that are only between two are shifted by a degree (the strong diamond
  /// principle, Carlsson, de Silva 2010, Theorem 5.9).
  @Test func diamondsExchangeUnionsAndIntersections() throws {
    try Tally.over(Array(0..<200)) { seed, tally in
      var generator = RandomGenerator(case: 3000 + seed)
      let complex = generator.simplicial(vertices: 6, facets: 6, dimension: 2).complex
      let sheaf = generator.integerSheaf(on: complex, summands: 2)
      let sets = (0..<4).map { _ in
        complex.closure((0..<complex.count).filter { _ in generator.uniform() < 0.25 })
      }
      let unions = try SheafZigzag(sheaf, throughUnions: sets).barcode(over: .prime(2))
      let parts = try SheafZigzag(sheaf, throughIntersections: sets).barcode(over: .prime(2))
      let exchanged = unions.intervals.map { interval -> [Int] in
        let (a, b) = (interval.first, interval.last)
        if a == b && a % 2 == 1 { return [interval.degree - 1, a, a] }
        return [
          interval.degree, a == 0 ? 0 : a % 2 == 1 ? a + 1 : a - 1,
          b == 6 ? 6 : b % 2 == 1 ? b - 1 : b + 1,
        ]
      }.sorted { $0.lexicographicallyPrecedes($1) }
      tally.expect(
        exchanged == Self.intervals(parts),
        "seed \(seed): \(Self.intervals(unions)) and \(Self.intervals(parts))")
    }.check(atLeast: 200)
  }

  @Test func mistakesInSubcomplexes() throws {
    let sheaf = CellularSheaf.constant(on: CellComplex.path(3))
    #expect(throws: PersistenceError.self) { try SheafZigzag(sheaf, [[0, 3]]) }
    #expect(throws: PersistenceError.self) { try SheafZigzag(sheaf, [[0], [1]]) }
    #expect(throws: Never.self) { try SheafZigzag(sheaf, throughUnions: [[0], [1]]) }
    #expect(throws: PersistenceError.self) {
      try SheafZigzag(sheaf, [[0]]).barcode(over: .prime(4))
    }
  }
}

/// A zigzag module by matrices: bases of the H^q(X_i) and the maps between neighbours.
private struct DenseZigzag {
  let p: Int
  /// dim H^q(X_i).
  var dimensions: [Int] = []
  /// The images of the basis vectors, from i to i + 1 if `isForward[i]` and else the other way round.
  var maps: [[[Int]]] = []
  var isForward: [Bool] = []

  init(_ zigzag: SheafZigzag, degree q: Int, modulo p: Int) {
    self.p = p
    let (sheaf, sets) = (zigzag.sheaf, zigzag.subcomplexes)
    // Independent coboundaries, and cocycles that are independent modulo them.
    let parts = sets.map { set -> (boundaries: [[Int]], classes: [[Int]]) in
      var (boundaries, classes) = ([[Int]](), [[Int]]())
      for vector in sheaf.coboundaries(q, on: set, modulo: p)
      where DenseResidues.rank(boundaries + [vector], modulo: p) > boundaries.count {
        boundaries.append(vector)
      }
      for vector in sheaf.cocycles(q, on: set, modulo: p)
      where DenseResidues.rank(boundaries + classes + [vector], modulo: p)
        > boundaries.count + classes.count
      {
        classes.append(vector)
      }
      return (boundaries, classes)
    }
    dimensions = parts.map(\.classes.count)
    for i in sets.indices.dropLast() {
      let forward = sets[i + 1].isSubset(of: sets[i])
      let (large, small) = forward ? (i, i + 1) : (i + 1, i)
      let place = Dictionary(
        uniqueKeysWithValues: sheaf.coordinates(q, in: sets[large]).enumerated().map { ($1, $0) })
      let coordinates = sheaf.coordinates(q, in: sets[small])
      isForward.append(forward)
      maps.append(
        parts[large].classes.map { cocycle in
          let restricted = coordinates.map { cocycle[place[$0]!] }
          let basis = parts[small].boundaries + parts[small].classes
          return Array(coefficients(restricted, basis).dropFirst(parts[small].boundaries.count))
        })
    }
  }

  /// A vector as a combination of independent ones.
  private func coefficients(_ vector: [Int], _ basis: [[Int]]) -> [Int] {
    if vector.isEmpty { return [] }
    let columns = DenseResidues.transposed(basis + [vector.map { (p - $0) % p }])
    let kernel = DenseResidues.kernel(columns, columns: basis.count + 1, modulo: p)
    return Array(kernel[0].dropLast())
  }

  /// The rank of the map from the limit to the colimit of the spaces i, …, j.
  func rank(_ i: Int, _ j: Int) -> Int {
    var starts = [0]
    for k in i...j { starts.append(starts.last! + dimensions[k]) }
    let n = starts.last!
    // Equations of the limit, f(v_from) − v_to = 0, and relations of the colimit, v − f(v).
    var (equations, relations) = ([[Int]](), [[Int]]())
    for k in i..<j {
      let (from, to) = isForward[k] ? (k - i, k + 1 - i) : (k + 1 - i, k - i)
      for row in 0..<dimensions[to + i] {
        var equation = [Int](repeating: 0, count: n)
        equation[starts[to] + row] = p - 1
        for (column, image) in maps[k].enumerated() { equation[starts[from] + column] = image[row] }
        equations.append(equation)
      }
      for (column, image) in maps[k].enumerated() {
        var relation = [Int](repeating: 0, count: n)
        relation[starts[from] + column] = p - 1
        for (row, value) in image.enumerated() { relation[starts[to] + row] = value }
        relations.append(relation)
      }
    }
    let limit =
      equations.isEmpty
      ? (0..<n).map { k in (0..<n).map { $0 == k ? 1 : 0 } }
      : DenseResidues.kernel(equations, columns: n, modulo: p)
    let images = limit.map { vector in
      vector.indices.map { $0 < starts[1] ? vector[$0] : 0 }
    }
    return DenseResidues.rank(images + relations, modulo: p)
      - DenseResidues.rank(relations, modulo: p)
  }
}
