import BigInt
import LinearAlgebra
import Testing

@testable import ExactAlgebra

/// Ranks and Smith forms against what is known of them beforehand.
struct ExactAlgebraTests {
  static let seeds = Array(UInt64(0)..<40)

  @Test func onlyPrimesAreCharacteristics() throws {
    for p in [-7, 0, 1, 4, 9, 561, 65_536, 46_337 * 46_337, 1 << 31, 2_147_483_659] {
      #expect(throws: NotAPrime(value: p)) { try PrimeField(p) }
    }
    let small = (2..<2000).filter { n in !(2..<n).contains { n % $0 == 0 } }
    #expect((2..<2000).filter { (try? PrimeField($0)) != nil } == small)
    #expect(
      Array(PrimeField.large.prefix(2)).map(\.characteristic) == [2_147_483_647, 2_147_483_629])
  }

  @Test(arguments: [2, 3, 65_537, 2_147_483_647]) func fieldOperationsAreResidues(p: Int) throws {
    let field = try PrimeField(p)
    var g = RandomGenerator(case: UInt64(p))
    for n in 0..<2000 {
      let (a, b, c) = (
        n % 3 == 0 ? p - 1 : Int.random(in: 0..<p, using: &g), Int.random(in: 0..<p, using: &g),
        n % 2 == 0 ? p - 1 : Int.random(in: 0..<p, using: &g)
      )
      let (x, y, z) = (field.element(a), field.element(b), field.element(c))
      #expect(Int(field.product(x, z)) == a * c % p)
      #expect(Int(field.difference(x, minus: y, times: z)) == ((a - b * c) % p + p) % p)
      #expect(field.symmetric(x) % p == a || field.symmetric(x) + p == a)
      if a != 0 { #expect(field.product(x, field.inverse(ofUnit: x)) == 1) }
    }
  }

  @Test func numbersAreDyadicRationals() throws {
    let field = try PrimeField(7)
    #expect(field.element(0.5) == 4)
    #expect(field.element(-0.75) == 1)
    #expect(field.product(field.element(0x1p-600)!, field.element(0x1p600)!) == 1)
    #expect(
      field.product(field.element(0x1p-1074)!, field.element(0x1p1000)!) == field.element(0x1p-74)!)
    #expect(field.element(.infinity) == nil)
    #expect(try PrimeField(2).element(0.5) == nil)
    #expect(try PrimeField(2).element(0x1p70) == 0)
    #expect(throws: ArithmeticOverflow.self) { try Integers().element(0x1p63) }
    #expect(BigIntegers().element(-0x1p63) == -(BigInt(1) << 63))
    let half = SparseMatrix(rows: 2, columns: 3, entries: [(0, 0, 1), (1, 2, 0.5)])
    let error = UnreadableEntry(
      row: 1, column: 2, value: 0.5, ring: "the integers", overflows: false)
    #expect(throws: error) { try SparseColumns(half, over: Integers()) }
    #expect("\(error)" == "the entry 0.5 in row 1, column 2 has no image in the integers")
    let whole = try SparseColumns(clearingDenominatorsOf: half, over: Integers())
    #expect(whole.values == [2, 1])
  }

  @Test func machineIntegersNeverWrap() {
    let ring = Integers()
    #expect(throws: ArithmeticOverflow.self) { try ring.product(1 << 32, 1 << 31) }
    #expect(throws: ArithmeticOverflow.self) { try ring.product(-1 << 32, 1 << 31) }
    #expect(throws: ArithmeticOverflow.self) { try ring.difference(.max, minus: -1, times: 1) }
    #expect(throws: ArithmeticOverflow.self) { try ring.difference(-.max, minus: 1, times: 1) }
  }

  /// A (rows, columns) matrix whose entries are drawn with the given chance.
  static func randomMatrix(
    _ rows: Int, _ columns: Int, density: Double, magnitude: Int, using g: inout RandomGenerator
  ) -> SparseMatrix {
    var entries: [(row: Int, column: Int, value: Double)] = []
    for i in 0..<rows {
      for j in 0..<columns where g.uniform() < density {
        entries.append((i, j, Double(Int.random(in: -magnitude...magnitude, using: &g))))
      }
    }
    return SparseMatrix(rows: rows, columns: columns, entries: entries)
  }

  /// Gaussian elimination as in a textbook.
  static func rank(_ matrix: SparseMatrix, modulo p: Int) throws -> Int {
    let field = try PrimeField(p)
    var rows = (0..<matrix.rows).map { i in
      (0..<matrix.columns).map { field.element(Int(matrix.dense[i, $0])) }
    }
    var rank = 0
    for j in 0..<matrix.columns {
      guard let pivot = (rank..<rows.count).first(where: { rows[$0][j] != 0 }) else { continue }
      rows.swapAt(rank, pivot)
      let inverse = field.inverse(ofUnit: rows[rank][j])
      for i in rank + 1..<max(rank + 1, rows.count) {
        let factor = field.product(rows[i][j], inverse)
        for k in 0..<matrix.columns {
          rows[i][k] = field.difference(rows[i][k], minus: factor, times: rows[rank][k])
        }
      }
      rank += 1
    }
    return rank
  }

  @Test(arguments: [2, 3, 101, 2_147_483_647]) func pivotsCountTheRank(p: Int) throws {
    let field = try PrimeField(p)
    try Tally.over(Self.seeds) { seed, tally in
      var g = RandomGenerator(case: seed)
      let (m, n) = (Int.random(in: 0...14, using: &g), Int.random(in: 0...14, using: &g))
      let a = Self.randomMatrix(m, n, density: g.uniform(0.1, 0.9), magnitude: 3, using: &g)
      let exact = try SparseColumns(a, over: field)
      let e = try UnitPivotElimination(exact, over: field, recording: true)
      tally.expect(try e.pivotCount == Self.rank(a, modulo: p), "seed \(seed): rank")
      tally.expect(e.remainder.columns == 0, "seed \(seed): remainder")
      tally.expect(
        (e.nullColumns + e.pivotColumns).sorted() == Array(0..<n), "seed \(seed): columns")
      // yᵀA for the vectors found from the rows.
      func product(_ y: [UInt32]) -> [UInt32] {
        (0..<n).map { j in
          exact.column(j).reduce(0) {
            field.difference($0, minus: field.negative($1.value), times: y[$1.row])
          }
        }
      }
      for i in 0..<m where !e.pivotRows.contains(i) {
        let y = e.leftNullVector(freeRow: i)
        tally.expect(y[i] == 1 && product(y).allSatisfy { $0 == 0 }, "seed \(seed): null row \(i)")
      }
      let right = (0..<n).map { _ in field.element(Int.random(in: 0..<p, using: &g)) }
      let image = product(e.leftSolution(of: right))
      tally.expect(
        e.pivotColumns.allSatisfy { image[$0] == right[$0] }, "seed \(seed): solution")
    }.check(atLeast: 160)
  }

  /// The Smith form by the definition: gcds of minors.
  static func factorsFromMinors(_ a: IntegerMatrix<BigInt>) -> [BigInt] {
    func choices(_ n: Int, _ k: Int) -> [[Int]] {
      (0..<1 << n).filter { $0.nonzeroBitCount == k }.map { bits in
        (0..<n).filter { bits >> $0 & 1 == 1 }
      }
    }
    func determinant(_ m: IntegerMatrix<BigInt>) -> BigInt {
      if m.rows == 0 { return 1 }
      return (0..<m.columns).reduce(0) { sum, j in
        let rest = m.minor(
          rows: Array(1..<m.rows), columns: (0..<m.columns).filter { $0 != j })
        return sum + (j % 2 == 0 ? 1 : -1) * m[0, j] * determinant(rest)
      }
    }
    var divisors: [BigInt] = [1]
    for k in 1...max(1, min(a.rows, a.columns)) where k <= min(a.rows, a.columns) {
      var divisor: BigInt = 0
      for rows in choices(a.rows, k) {
        for columns in choices(a.columns, k) {
          divisor = divisor.greatestCommonDivisor(
            with: determinant(a.minor(rows: rows, columns: columns)))
        }
      }
      if divisor == 0 { break }
      divisors.append(divisor)
    }
    return zip(divisors.dropFirst(), divisors).map { $0 / $1 }
  }

  @Test func invariantFactorsAreQuotientsOfMinors() throws {
    try Tally.over(Self.seeds) { seed, tally in
      var g = RandomGenerator(case: seed)
      let (m, n) = (Int.random(in: 1...5, using: &g), Int.random(in: 1...5, using: &g))
      let a = Self.randomMatrix(m, n, density: g.uniform(0.3, 1), magnitude: 12, using: &g)
      let exact = try SparseColumns(a, over: BigIntegers())
      let dense = IntegerMatrix(
        rows: m, columns: n,
        elements: (0..<m).flatMap { i in (0..<n).map { BigInt(a.dense[i, $0]) } })
      let expected = Self.factorsFromMinors(dense)
      tally.expect(
        try SmithNormalForm(a).invariantFactors == expected, "seed \(seed): machine integers")
      tally.expect(
        SmithNormalForm(exact).invariantFactors == expected, "seed \(seed): big integers")
      tally.expect(ModularSmith(dense).factors == expected, "seed \(seed): modular")
      if m == n && expected.count == n {
        tally.expect(
          dense.determinant.magnitude == expected.reduce(1, *).magnitude,
          "seed \(seed): determinant")
      }
    }.check(atLeast: 120)
  }

  /// U D V with random U, V of determinant ±1.
  static func disguise(
    _ factors: [BigInt], rows: Int, columns: Int, steps: Int, using g: inout RandomGenerator
  ) -> IntegerMatrix<BigInt> {
    var a = IntegerMatrix<BigInt>(
      rows: rows, columns: columns, elements: [BigInt](repeating: 0, count: rows * columns))
    for (i, factor) in factors.enumerated() { a[i, i] = factor }
    for _ in 0..<steps {
      let c = BigInt(Int.random(in: -2...2, using: &g))
      let (i, k) = (Int.random(in: 0..<rows, using: &g), Int.random(in: 0..<rows, using: &g))
      if i != k { for j in 0..<columns { a[i, j] += c * a[k, j] } }
      let (j, l) = (Int.random(in: 0..<columns, using: &g), Int.random(in: 0..<columns, using: &g))
      if j != l { for i in 0..<rows { a[i, j] += c * a[i, l] } }
    }
    return a
  }

  @Test func smithFormSeesThroughUnimodularFactors() throws {
    try Tally.over(Self.seeds) { seed, tally in
      var g = RandomGenerator(case: seed)
      let size = 4 + Int(seed % 14)
      let (m, n) = (size + Int(seed % 3), size + Int(seed / 3 % 3))
      var factors: [BigInt] = []
      var last: BigInt = 1
      for _ in 0..<size - Int(seed % 4) {
        if g.uniform() < 0.3 { last *= [2, 3, 5, 4, 1_000_003][Int.random(in: 0..<5, using: &g)] }
        factors.append(last)
      }
      let a = Self.disguise(factors, rows: m, columns: n, steps: size * size / 2, using: &g)
      tally.expect(
        SmithNormalForm(a.sparse).invariantFactors == factors, "seed \(seed): Smith form")
      tally.expect(ModularSmith(a).factors == factors, "seed \(seed): modular")
      if a.elements.allSatisfy({ $0.magnitude < 1 << 62 }) {
        let small = SmithNormalForm(a.map { Int($0) }.sparse)
        tally.expect(small.invariantFactors == factors, "seed \(seed): machine integers")
      }
    }.check(atLeast: 80)
  }

  @Test func overflowGoesOnInBigIntegers() throws {
    // Columns (1, M), (−M, 1): the second one reduced is 1 + M² with M near 2⁶³.
    let m = Int.max - 24
    var a = SparseColumns<Int>(rows: 2)
    a.append([(row: 0, value: 1), (row: 1, value: m)])
    a.append([(row: 0, value: -m), (row: 1, value: 1)])
    #expect(throws: ArithmeticOverflow.self) { try UnitPivotElimination(a, over: Integers()) }
    #expect(SmithNormalForm(a).invariantFactors == [1, 1 + BigInt(m) * BigInt(m)])
    // No unit anywhere, and products beyond 64 bits.
    var b = SparseColumns<Int>(rows: 2)
    b.append([(row: 0, value: 6 << 40), (row: 1, value: 10 << 40)])
    b.append([(row: 0, value: 15 << 40), (row: 1, value: 7 << 40)])
    let determinant: BigInt = (6 * 7 - 150) * (BigInt(1) << 80)
    let first = BigInt(1) << 40
    #expect(
      SmithNormalForm(b).invariantFactors == [first, BigInt(determinant.magnitude) / first])
    let large = SparseMatrix(rows: 1, columns: 1, entries: [(0, 0, 0x1p100)])
    #expect(try SmithNormalForm(large).torsion == [BigInt(1) << 100])
    #expect(throws: UnreadableEntry.self) {
      try SmithNormalForm(SparseMatrix(rows: 1, columns: 1, entries: [(0, 0, 0.5)]))
    }
  }

  @Test func denseIntegerMatricesGrowAndStayExact() throws {
    for (n, columns) in [(24, 24), (24, 26), (40, 40)] {
      var g = RandomGenerator(case: UInt64(n * columns))
      let a = Self.randomMatrix(n, columns, density: 1, magnitude: 9, using: &g)
      let form = try SmithNormalForm(a)
      #expect(form.rank == n)
      let dense = IntegerMatrix(
        rows: n, columns: columns,
        elements: (0..<n).flatMap { i in (0..<columns).map { BigInt(a.dense[i, $0]) } })
      if n == columns {
        #expect(form.invariantFactors.reduce(1, *) == BigInt(dense.determinant.magnitude))
      }
      // Its ranks modulo small primes count the factors that they do not divide.
      for p in [2, 3, 5, 7, 11] {
        let rank = form.invariantFactors.count { $0 % BigInt(p) != 0 }
        #expect(try Self.rank(a, modulo: p) == rank, "\(n) × \(columns) modulo \(p)")
      }
    }
  }
}
