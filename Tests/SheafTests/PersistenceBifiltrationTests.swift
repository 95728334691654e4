import CellComplexes
import CellularSheaves
import LinearAlgebra
import SheafPersistence
import Testing

/// Two-parameter filtrations: slices, ranks by dense elimination, and the matching distance.
@Suite struct PersistenceBifiltrationTests {
  /// Random values 0, …, 3 on a random sheaf of whole numbers.
  static func bifiltration(_ generator: inout RandomGenerator) -> SheafBifiltration {
    let filtration = generator.filtration()
    let complex = filtration.sheaf.complex
    let second = Self.monotone(
      complex, (0..<complex.count).map { _ in Double(generator.integer(0...3)) })
    return known {
      try SheafBifiltration(filtration.sheaf, first: filtration.values, second: second)
    }
  }

  /// The least values from given ones on that are no larger at faces than at cofaces.
  static func monotone(_ complex: CellComplex, _ values: [Double]) -> [Double] {
    var result = values
    for cell in 0..<complex.count {
      for i in complex.incidences(of: cell) {
        result[cell] = max(result[cell], result[complex.face(i)])
      }
    }
    return result
  }

  /// On whole numbers and lines with slopes 1 and 2, where nothing is rounded, and on horizontal and vertical ones.
  @Test func slicesAreTheSubcomplexesOfTheirPoints() throws {
    try Tally.over(Array(0..<100)) { seed, tally in
      var generator = RandomGenerator(case: seed)
      let bifiltration = Self.bifiltration(&generator)
      for direction in [(1.0, 1.0), (2, 1), (1, 2), (1, 0), (0, 1)] {
        let line = SheafBifiltration.Line(
          from: (Double(generator.integer(-1...2)), Double(generator.integer(-1...2))),
          direction: direction)
        let slice = try bifiltration.slice(along: line)
        for lambda in stride(from: -3.0, through: 6, by: 0.5) {
          let point = line.point(lambda)
          let expected = bifiltration.cells(upTo: point.s, point.t)
          let found = Set(slice.filtration.cells(upTo: lambda).map { slice.cells[$0] })
          tally.expect(found == expected, "seed \(seed), \(line) at \(lambda)")
        }
      }
    }.check(atLeast: 9000)
  }

  @Test func ranksByDenseElimination() throws {
    try Tally.over(Array(0..<60)) { seed, tally in
      var generator = RandomGenerator(case: 1000 + seed)
      let bifiltration = Self.bifiltration(&generator)
      let sheaf = bifiltration.sheaf
      for q in 0...max(sheaf.complex.dimension, 0) {
        for _ in 0..<8 {
          let a = (Double(generator.integer(0...3)), Double(generator.integer(0...3)))
          let b = (a.0 + Double(generator.integer(0...2)), a.1 + Double(generator.integer(0...2)))
          let expected = sheaf.denseRank(
            q, from: bifiltration.cells(upTo: a.0, a.1), to: bifiltration.cells(upTo: b.0, b.1),
            modulo: 2)
          let found = try bifiltration.rank(q, from: a, to: b, over: .prime(2))
          tally.expect(
            found == expected,
            "seed \(seed), degree \(q) from \(a) to \(b): \(found), expected \(expected)")
          guard a != b else { continue }
          let slice = try bifiltration.slice(
            along: .init(from: a, direction: (b.0 - a.0, b.1 - a.1)))
          let bars = try slice.filtration.barcode(over: .prime(2))
          tally.expect(
            bars.rank(q, from: 0, to: 1) == expected,
            "seed \(seed), degree \(q) along the line from \(a) to \(b)")
        }
      }
    }.check(atLeast: 1000)
  }

  /// dim H^q(X_{s,t}) on the grid: by definition, and the number of bars of a slice at each of its points.
  @Test func barsLieWhereTheHilbertFunctionSays() throws {
    try Tally.over(Array(0..<60)) { seed, tally in
      var generator = RandomGenerator(case: 2000 + seed)
      let bifiltration = Self.bifiltration(&generator)
      let (firsts, seconds) = (
        (-1...4).map { Double($0) }, (0...(seed % 2 == 0 ? 3 : 6)).map { Double($0) }
      )
      for q in 0...2 {
        let hilbert = try bifiltration.hilbertFunction(
          q, firsts: firsts, seconds: seconds, over: .prime(3))
        for (i, s) in firsts.enumerated() {
          for (j, t) in seconds.enumerated() {
            let cells = bifiltration.cells(upTo: s, t)
            let expected = bifiltration.sheaf.denseRank(q, from: cells, to: cells, modulo: 3)
            tally.expect(
              hilbert[i][j] == expected,
              "seed \(seed), degree \(q) at \(s), \(t): \(hilbert[i][j]), expected \(expected)")
          }
        }
        for offset in -1...2 {
          let slice = try bifiltration.slice(
            along: .init(from: (Double(offset), 0), direction: (1, 1)))
          let bars = try slice.filtration.barcode(over: .prime(3))
          for t in 0...3 where (-1...4).contains(t + offset) {
            tally.expect(
              bars.betti(q, at: Double(t)) == hilbert[t + offset + 1][t],
              "seed \(seed), degree \(q), offset \(offset) at \(t)")
          }
        }
      }
    }.check(atLeast: 7000)
  }

  /// No more than the largest change of a value.
  @Test func matchingDistanceIsStable() throws {
    try Tally.over(Array(0..<100)) { seed, tally in
      var generator = RandomGenerator(case: 3000 + seed)
      let bifiltration = Self.bifiltration(&generator)
      let size = [0.05, 0.5, 2][generator.integer(0...2)]
      let complex = bifiltration.sheaf.complex
      func changed(_ values: [Double]) -> [Double] {
        Self.monotone(complex, values.map { $0 + generator.uniform(-size, size) })
      }
      let other = try SheafBifiltration(
        bifiltration.sheaf, first: changed(bifiltration.first),
        second: changed(bifiltration.second))
      let change = zip(bifiltration.first + bifiltration.second, other.first + other.second)
        .reduce(0) { max($0, abs($1.0 - $1.1)) }
      for q in 0...1 {
        let found = try bifiltration.matchingDistance(
          to: other, degree: q, over: .prime(2), directions: 5, offsets: 4)
        tally.expect(
          found.lowerBound <= change * (1 + 1e-12),
          "seed \(seed), degree \(q): \(found), values changed by \(change)")
        let back = try other.matchingDistance(
          to: bifiltration, degree: q, over: .prime(2), directions: 5, offsets: 4)
        tally.expect(back == found, "seed \(seed), degree \(q): \(back) and \(found)")
      }
    }.check(atLeast: 400)
  }

  /// With a second value that is the same everywhere there is one parameter, and the bound is the bottleneck distance.
  @Test func oneParameterInDisguise() throws {
    try Tally.over(Array(0..<60)) { seed, tally in
      var generator = RandomGenerator(case: 4000 + seed)
      let filtration = generator.filtration()
      let complex = filtration.sheaf.complex
      let other = try SheafFiltration(
        filtration.sheaf,
        values: Self.monotone(complex, filtration.values.map { $0 + generator.uniform() }))
      let flat = [Double](repeating: 7, count: complex.count)
      for isFirst in [true, false] {
        func disguised(_ filtration: SheafFiltration) throws -> SheafBifiltration {
          try SheafBifiltration(
            filtration.sheaf, first: isFirst ? filtration.values : flat,
            second: isFirst ? flat : filtration.values)
        }
        for q in 0...2 {
          let expected = try filtration.barcode(over: .prime(2)).bottleneckDistance(
            to: other.barcode(over: .prime(2)), degree: q)
          let found = try disguised(filtration).matchingDistance(
            to: disguised(other), degree: q, over: .prime(2), directions: 3, offsets: 3)
          tally.expect(
            abs(found.lowerBound - expected) < 1e-12,
            "seed \(seed), degree \(q): \(found), expected \(expected)")
        }
      }
    }.check(atLeast: 360)
  }

  /// A square of four points, one late: with all four there is a loop from side to diagonal, without it none.
  @Test func squareWithALatePoint() throws {
    let (bifiltration, complex) = try SheafBifiltration.vietorisRips(
      points: Matrix(rows: 2, columns: 4, columnMajor: [0, 0, 1, 0, 1, 1, 0, 1]),
      pointValues: [0, 0, 0, 5], radius: 2, maximumDimension: 2)
    #expect(complex.complex.count == 14)
    let (firsts, seconds) = ([0, 0.9, 1, 1.4, 1.5], [-1.0, 0, 4, 5])
    #expect(
      try bifiltration.hilbertFunction(1, firsts: firsts, seconds: seconds, over: .prime(2))
        == [[0, 0, 0, 0], [0, 0, 0, 0], [0, 0, 0, 1], [0, 0, 0, 1], [0, 0, 0, 0]])
    #expect(
      try bifiltration.hilbertFunction(0, firsts: firsts, seconds: seconds, over: .rational)
        == [[0, 3, 3, 4], [0, 3, 3, 4], [0, 1, 1, 1], [0, 1, 1, 1], [0, 1, 1, 1]])
    #expect(try bifiltration.rank(1, from: (1, 5), to: (1.4, 9), over: .prime(2)) == 1)
    #expect(try bifiltration.rank(1, from: (1, 5), to: (1.5, 9), over: .prime(2)) == 0)
  }

  @Test func mistakesInValues() throws {
    let sheaf = CellularSheaf.constant(on: CellComplex.path(2))
    #expect(
      throws: PersistenceError.faceAfterCoface(
        face: sheaf.complex.name(0), value: 2, coface: sheaf.complex.name(2), cofaceValue: 1)
    ) { try SheafBifiltration(sheaf, first: [0, 0, 0], second: [2, 0, 1]) }
    #expect(throws: PersistenceError.missing(cell: sheaf.complex.name(2))) {
      try SheafBifiltration(sheaf, first: [0, 0], second: [2, 0, 1])
    }
  }
}
