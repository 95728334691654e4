import LinearAlgebra
import Testing

@testable import SparseFactorizations

/// The selected inverse against dense inverses and laws of traces.
@Suite struct SelectedInverseTests {
  static func inverse(_ a: SparseMatrix) throws -> Matrix {
    var inverse = Matrix.identity(a.rows)
    try CholeskyFactorization(a.dense).solve(&inverse)
    return inverse
  }

  /// A graph of `n` points in a square, joined by distance, with blocks of order `width`: the sum over edges of Bᵀ B for
  /// random B of shape (width, 2 width), plus `shift` I.
  static func geometric(
    _ n: Int, width: Int, degree: Double, shift: Double, _ g: inout RandomGenerator
  ) -> SparseMatrix {
    let points = (0..<n).map { _ in (x: g.uniform(), y: g.uniform()) }
    let reach = degree / (Double.pi * Double(n))
    var entries = (0..<n * width).map { (row: $0, column: $0, value: shift) }
    for i in 0..<n {
      for j in 0..<i {
        let (dx, dy) = (points[i].x - points[j].x, points[i].y - points[j].y)
        guard dx * dx + dy * dy < reach else { continue }
        let b = g.normalMatrix(rows: width, columns: 2 * width)
        var gram = Matrix(rows: 2 * width, columns: 2 * width)
        gram.addGram(b, transposed: true)
        let places = (0..<2 * width).map { $0 < width ? i * width + $0 : (j - 1) * width + $0 }
        for (p, row) in places.enumerated() {
          for (q, column) in places.enumerated() { entries.append((row, column, gram[p, q])) }
        }
      }
    }
    return SparseMatrix(rows: n * width, columns: n * width, entries: entries)
  }

  /// Compares every entry there is, asks for those on the pattern of A, and for the determinant.
  static func check(_ a: SparseMatrix, _ name: String, _ tally: inout Tally) throws {
    let factorization = try SparseCholesky(a)
    let selected = try factorization.selectedInverse()
    let dense = try inverse(a)
    let tolerance = 1e-12 * dense.maximumMagnitude
    var (found, isRight) = (0, true)
    for j in 0..<a.columns {
      for i in 0..<a.rows {
        guard let value = selected[i, j] else { continue }
        found += 1
        isRight = isRight && abs(value - dense[i, j]) < tolerance && selected[j, i] == value
      }
      isRight = isRight && selected.diagonal[j] == selected[j, j]
      a.forEachEntry(ofColumn: j) { i, _ in isRight = isRight && selected[i, j] != nil }
    }
    tally.expect(isRight, "\(name): an entry is wrong or lacking")
    #if SuiteSparse
      tally.expect(
        found >= 2 * factorization.factorEntries - a.rows,
        "\(name): \(found) entries, \(factorization.factorEntries) in L")
    #else
      tally.expect(found == a.rows * a.columns, "\(name): \(found) entries")
    #endif
    let logarithm = try CholeskyFactorization(a.dense).logDeterminant
    tally.expect(
      abs(factorization.logDeterminant - logarithm) < 1e-12 * (abs(logarithm) + Double(a.rows)),
      "\(name): log det \(factorization.logDeterminant), not \(logarithm)")
  }

  @Test func entriesAreTheDenseInverses() throws {
    try Tally.over((0..<150).map { $0 }) { seed, tally in
      var g = RandomGenerator(case: seed)
      let (n, perRow) = (g.integer(1...100), g.uniform(0, seed % 3 == 0 ? 30 : 4))
      let a = SparseFactorizationTests.symmetric(
        n, perRow: perRow, diagonal: 10 + 3 * perRow, &g)
      try Self.check(a, "seed \(seed), order \(n)", &tally)
    }.check(atLeast: 450)
  }

  @Test func entriesOnGridsAndGraphsAreTheDenseInverses() throws {
    try Tally.over((0..<12).map { $0 }) { seed, tally in
      var g = RandomGenerator(case: seed)
      let grid = SparseFactorizationTests.grid(g.integer(2...20), g.integer(1...20), shift: 0.1)
      try Self.check(grid, "seed \(seed): grid", &tally)
      let order = g.permutation(grid.rows)
      try Self.check(grid.part(rows: order, columns: order), "seed \(seed): permuted", &tally)
      let n = g.integer(10...150)
      let graph = Self.geometric(n, width: 3, degree: g.uniform(1, 12), shift: 0.5, &g)
      try Self.check(graph, "seed \(seed): graph of \(n)", &tally)
    }.check(atLeast: 108)
  }

  /// Factors of single columns and of dense blocks, both as CHOLMOD chooses.
  @Test func bothKindsOfFactorsAreInverted() throws {
    try Tally.over((0..<8).map { $0 }) { seed, tally in
      var g = RandomGenerator(case: seed)
      let thin = Self.geometric(200, width: 2, degree: 3, shift: 0.5, &g)
      let thick = Self.geometric(150, width: 3, degree: 30, shift: 0.5, &g)
      #if SuiteSparse
        let kinds = try [thin, thick].map { try SparseCholesky($0).factor?.isSupernodal }
        tally.expect(kinds == [false, true], "seed \(seed): blocks, \(kinds)")
      #endif
      try Self.check(thin, "seed \(seed): thin", &tally)
      try Self.check(thick, "seed \(seed): thick", &tally)
    }.check(atLeast: 48)
  }

  /// Rows and columns change places in the inverse as in the matrix.
  @Test func permutationsCommuteWithInverses() throws {
    var g = RandomGenerator(case: 11)
    let a = Self.geometric(80, width: 2, degree: 7, shift: 1, &g)
    let order = g.permutation(a.rows)
    let (plain, permuted) = try (
      SparseCholesky(a).selectedInverse(),
      SparseCholesky(a.part(rows: order, columns: order)).selectedInverse()
    )
    let worst = order.enumerated().map { abs(permuted.diagonal[$0] - plain.diagonal[$1]) }.max()!
    #expect(worst < 1e-13, "SHEAF_SEED=\(Seeds.shift)")
  }

  /// tr A⁻¹A = n, which takes the entries on the pattern only.
  @Test func tracesAreTheOrder() throws {
    var g = RandomGenerator(case: 4)
    #if SuiteSparse
      let (length, points) = (140, 1500)
    #else
      let (length, points) = (35, 300)
    #endif
    let matrices = [
      SparseFactorizationTests.grid(length, length, shift: 0.01),
      Self.geometric(points, width: 3, degree: 8, shift: 1, &g),
    ]
    for a in matrices {
      let selected = try SparseCholesky(a).selectedInverse()
      var trace = 0.0
      for j in 0..<a.columns {
        a.forEachEntry(ofColumn: j) { i, value in trace += value * (selected[i, j] ?? .nan) }
      }
      #expect(abs(trace / Double(a.rows) - 1) < 1e-10, "trace \(trace) of order \(a.rows)")
    }
  }

  /// ∂ log det A / ∂Aᵢᵢ = (A⁻¹)ᵢᵢ.
  @Test func diagonalIsTheGradientOfTheLogDeterminant() throws {
    let a = SparseFactorizationTests.grid(9, 7, shift: 0.5)
    let selected = try SparseCholesky(a).selectedInverse()
    for i in [0, 20, 62] {
      func logDeterminant(_ change: Double) throws -> Double {
        var entries = [(row: i, column: i, value: change)]
        for j in 0..<a.columns { a.forEachEntry(ofColumn: j) { entries.append(($0, j, $1)) } }
        return try SparseCholesky(
          SparseMatrix(rows: a.rows, columns: a.columns, entries: entries)
        ).logDeterminant
      }
      let slope = try (logDeterminant(1e-4) - logDeterminant(-1e-4)) / 2e-4
      #expect(abs(slope - selected.diagonal[i]) < 1e-7)
    }
  }

  @Test func independentPartsHaveNothingBetweenThem() throws {
    let a = SparseMatrix(
      rows: 5, columns: 5,
      entries: [
        (0, 0, 2), (3, 0, 1), (0, 3, 1), (3, 3, 3), (1, 1, 4), (2, 2, 5), (4, 2, 2), (2, 4, 2),
        (4, 4, 1),
      ])
    let selected = try SparseCholesky(a).selectedInverse()
    let block = try #require(selected.block([3, 0]))
    #expect(relativeError(block, Matrix([[0.4, -0.2], [-0.2, 0.6]])) < 1e-15)
    #expect(selected.diagonal[1] == 0.25)
    let other = try #require(selected.block([4, 2]))
    #expect(relativeError(other, Matrix([[5, -2], [-2, 1]])) < 1e-14)
    #expect(selected.block([])?.count == 0)
    #if SuiteSparse
      #expect(selected[0, 1] == nil && selected.block([0, 3, 2]) == nil)
    #else
      #expect(selected[0, 1] == 0)
    #endif
  }

  @Test func smallestOrders() throws {
    let none = try SparseCholesky(SparseMatrix(rows: 0, columns: 0, entries: []))
    #expect(none.logDeterminant == 0)
    #expect(try none.selectedInverse().diagonal == [])
    let one = try SparseCholesky(SparseMatrix(rows: 1, columns: 1, entries: [(0, 0, 4)]))
    #expect(try one.selectedInverse()[0, 0] == 0.25)
    #expect(abs(one.logDeterminant - 1.3862943611198906) < 1e-15)
    // The inverse of what has no normal inverse.
    let tiny = try SparseCholesky(SparseMatrix(rows: 1, columns: 1, entries: [(0, 0, 0x1p-1060)]))
    #expect(throws: FactorizationError.notFinite) { try tiny.selectedInverse() }
  }

  // MARK: Patterns

  /// Zeros that are added survive the factorisation, and give the inverse on the blocks.
  @Test func addedZerosGiveBlocks() throws {
    try Tally.over((0..<60).map { $0 }) { seed, tally in
      var g = RandomGenerator(case: seed)
      let n = g.integer(1...60)
      let a = SparseFactorizationTests.symmetric(n, perRow: g.uniform(0, 3), diagonal: 20, &g)
      var builder = SparseMatrix.ColumnBuilder(rows: n)
      for j in 0..<n {
        a.forEachEntry(ofColumn: j) { if $0 >= j { builder.append(row: $0, $1) } }
        builder.endColumn()
      }
      let lower = builder.matrix
      var (ranges, start): ([Range<Int>], Int) = ([], 0)
      while start < n {
        let end = min(n, start + g.integer(0...7))
        if g.uniform() < 0.8 { ranges.append(start..<end) }
        start = max(end, start + 1)
      }
      let wider = lower.withPattern(including: ranges)
      let inside = Set(
        ranges.flatMap { r in r.flatMap { j in (j..<r.upperBound).map { [$0, j] } } })
      let present = Set(lower.places)
      tally.expect(wider.dense == lower.dense, "seed \(seed): other values")
      tally.expect(
        Set(wider.places) == inside.union(present)
          && wider.values.count == inside.union(present).count, "seed \(seed): another pattern")
      tally.expect(
        wider.withPattern(including: ranges) == wider, "seed \(seed): not idempotent")
      let (selected, dense) = try (
        SparseCholesky(wider).selectedInverse(), Self.inverse(a)
      )
      for range in ranges {
        let block = selected.block(Array(range))
        let exact = dense[rows: Array(range), columns: Array(range)]
        tally.expect(
          block.map { range.isEmpty || relativeError($0, exact) < 1e-12 } ?? false,
          "seed \(seed): block \(range)")
      }
    }.check(atLeast: 400)
  }

  #if SuiteSparse
    @Test func zerosAreEntriesOfTheFactor() throws {
      let diagonal = SparseMatrix(
        rows: 6, columns: 6, entries: (0..<6).map { ($0, $0, 2) })
      #expect(try SparseCholesky(diagonal).selectedInverse()[0, 2] == nil)
      let blocks = try SparseCholesky(diagonal.withPattern(including: [0..<3, 3..<6]))
      #expect(blocks.factorEntries == 12)
      #expect(try blocks.selectedInverse()[0, 2] == 0)
    }
  #endif
}

extension SparseMatrix {
  /// The row and column of each entry.
  fileprivate var places: [[Int]] {
    (0..<columns).flatMap { j in
      rowIndices[columnStarts[j]..<columnStarts[j + 1]].map { [Int($0), j] }
    }
  }
}
