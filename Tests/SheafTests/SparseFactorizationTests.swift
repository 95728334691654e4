import LinearAlgebra
import SparseFactorizations
import Testing

/// Sparse factorisations against dense ones and against exact arithmetic.
struct SparseFactorizationTests {
  /// The Laplacian of a path of `n`, or of a grid of `n` × `width`, plus `shift` I.
  static func grid(_ n: Int, _ width: Int = 1, shift: Double) -> SparseMatrix {
    var entries: [(row: Int, column: Int, value: Double)] = []
    func join(_ a: Int, _ b: Int) {
      entries += [(a, a, 1), (b, b, 1), (a, b, -1), (b, a, -1)]
    }
    for k in 0..<n * width {
      entries.append((k, k, shift))
      if k % width + 1 < width { join(k, k + 1) }
      if k / width + 1 < n { join(k, k + width) }
    }
    return SparseMatrix(rows: n * width, columns: n * width, entries: entries)
  }

  /// A symmetric matrix with about `perRow` entries off the diagonal in a row, and `diagonal` on it.
  static func symmetric(
    _ n: Int, perRow: Double, diagonal: Double, _ g: inout RandomGenerator
  ) -> SparseMatrix {
    var entries: [(row: Int, column: Int, value: Double)] = []
    for i in 0..<n {
      entries.append((i, i, diagonal + g.normal()))
      for j in 0..<i where g.uniform() * Double(n) < perRow {
        let x = g.normal()
        entries += [(i, j, x), (j, i, x)]
      }
    }
    return SparseMatrix(rows: n, columns: n, entries: entries)
  }

  /// Integers −3...3, often 0, as rows.
  static func integers(
    _ m: Int, _ n: Int, density: Double, _ g: inout RandomGenerator
  ) -> [[Int]] {
    (0..<m).map { _ in
      (0..<n).map { _ in g.uniform() < density ? Int(g.uniform() * 7) - 3 : 0 }
    }
  }

  static func sparse(_ rows: [[Int]], columns: Int) -> SparseMatrix {
    SparseMatrix(
      rows: rows.map { row in
        row.enumerated().filter { $1 != 0 }.map { (column: $0, value: Double($1)) }
      }, columns: columns)
  }

  /// The rank by elimination modulo 2³¹ − 1: never above the rank of the integers, and below for no matrix in reach.
  static func rank(_ matrix: [[Int]], columns: Int) -> Int {
    let p = 2_147_483_647
    func power(_ x: Int, _ k: Int) -> Int {
      var (result, x, k) = (1, x, k)
      while k > 0 {
        if k % 2 == 1 { result = result * x % p }
        (x, k) = (x * x % p, k / 2)
      }
      return result
    }
    var rows = matrix.map { $0.map { ($0 % p + p) % p } }
    var rank = 0
    for j in 0..<columns {
      guard let pivot = (rank..<rows.count).first(where: { rows[$0][j] != 0 }) else { continue }
      rows.swapAt(rank, pivot)
      let inverse = power(rows[rank][j], p - 2)
      for i in rank + 1..<max(rows.count, rank + 1) where rows[i][j] != 0 {
        let factor = p - rows[i][j] * inverse % p
        for k in j..<columns { rows[i][k] = (rows[i][k] + factor * rows[rank][k]) % p }
      }
      rank += 1
    }
    return rank
  }

  static func difference(_ a: Matrix, _ b: Matrix) -> Double {
    var d = a
    d.add(b, scale: -1)
    return d.maximumMagnitude
  }

  // MARK: Cholesky

  @Test func choleskySolvesAsTheDenseOne() throws {
    try Tally.over((0..<200).map { $0 }) { seed, tally in
      var g = RandomGenerator(case: seed)
      let n = 1 + Int(g.uniform() * 120)
      let a = Self.symmetric(n, perRow: g.uniform(0, 5), diagonal: 20, &g)
      let x = g.normalMatrix(rows: n, columns: 3)
      let factorization = try SparseCholesky(a)
      var solution = a(x)
      try factorization.solve(&solution)
      tally.expect(relativeError(solution, x) < 1e-11, "seed \(seed): not the solution")
      var dense = a(x)
      try CholeskyFactorization(a.dense).solve(&dense)
      tally.expect(relativeError(solution, dense) < 1e-11, "seed \(seed): not the dense one's")
      let values = try SymmetricEigendecomposition(a.dense, vectors: false).values
      let condition = factorization.conditionEstimate
      tally.expect(
        condition >= 1 && condition <= values.last! / values.first! * (1 + 1e-10),
        "seed \(seed): condition \(condition), found \(values.last! / values.first!)")
    }.check(atLeast: 600)
  }

  @Test func choleskyReadsTheLowerTriangle() throws {
    let a = Self.grid(7, 6, shift: 0.5)
    var entries: [(row: Int, column: Int, value: Double)] = [(2, 30, .nan)]
    for j in 0..<a.columns {
      a.forEachEntry(ofColumn: j) { i, value in if i >= j { entries.append((i, j, value)) } }
    }
    let lower = SparseMatrix(rows: 42, columns: 42, entries: entries)
    var (x, y) = (Matrix(rows: 42, columns: 1, repeating: 1), Matrix(rows: 42, columns: 1))
    y.add(x)
    try SparseCholesky(a).solve(&x)
    try SparseCholesky(lower).solve(&y)
    #expect(x == y)
  }

  @Test func oneAnalysisServesAllValues() throws {
    let patterns = [Self.grid(30, 30, shift: 1), Self.grid(400, shift: 1)]
    for a in patterns {
      let analysis = try SparseCholesky.Analysis(a)
      #expect(analysis.order == a.rows && analysis.factorBytes >= 8 * analysis.factorEntries)
      #expect(analysis.factorEntries >= (a.values.count + a.rows) / 2)
      for shift in [0.01, 3] {
        let b = a.rows == 900 ? Self.grid(30, 30, shift: shift) : Self.grid(400, shift: shift)
        let factorization = try SparseCholesky(b, using: analysis)
        #expect(factorization.factorEntries == analysis.factorEntries)
        let ones = Matrix(rows: b.rows, columns: 2, repeating: 1)
        var x = b(ones)
        try factorization.solve(&x)
        #expect(relativeError(x, ones) < 1e-11)
      }
    }
  }

  @Test func threadsMaySolveAtOnce() throws {
    let a = Self.grid(40, 40, shift: 0.1)
    let factorization = try SparseCholesky(a)
    var g = RandomGenerator(seed: 5)
    let exact = (0..<16).map { _ in g.normalMatrix(rows: 1600, columns: 2) }
    var solutions = exact.map { a($0) }
    forEachInParallel(&solutions, threads: 4) { b in
      do { try factorization.solve(&b) } catch { b.scale(by: .nan) }
    }
    for (x, y) in zip(solutions, exact) { #expect(relativeError(x, y) < 1e-11) }
  }

  @Test func whatHasNoCholeskyFactorIsRefused() throws {
    let path = Self.grid(50, shift: 0.1)
    for row in [0, 20, 49] {
      let flipped = SparseMatrix(
        rows: 50, columns: 50,
        entries: (0..<50).flatMap { j -> [(row: Int, column: Int, value: Double)] in
          path[column: j].map { ($0.row, j, $0.row == j && j == row ? -1 : $0.value) }
        })
      #expect {
        _ = try SparseCholesky(flipped)
      } throws: { error in
        guard case FactorizationError.notPositiveDefinite = error else { return false }
        return true
      }
    }
    for bad in [Double.nan, .infinity] {
      let a = SparseMatrix(
        rows: 3, columns: 3, entries: [(0, 0, 1), (1, 1, 1), (2, 2, 1), (2, 1, bad)])
      #expect(throws: FactorizationError.notFinite) { try SparseCholesky(a) }
      #expect(throws: FactorizationError.notFinite) { try SparseInertia(a) }
      #expect(throws: FactorizationError.notFinite) { try RankRevealingQR(a) }
    }
    // Finite entries whose factors overflow.
    let huge = SparseMatrix(
      rows: 50, columns: 2, entries: (0..<100).map { ($0 % 50, $0 / 50, 1.7e308) })
    #expect(throws: FactorizationError.notFinite) { try RankRevealingQR(huge) }
    let tiny = SparseMatrix(
      rows: 2, columns: 2, entries: [(0, 0, 1e-300), (1, 0, 1e200), (1, 1, 1e300)])
    #expect(throws: (any Error).self) { try SparseCholesky(tiny) }
    let zero = SparseMatrix(rows: 2, columns: 2, entries: [])
    #expect(throws: (any Error).self) { try SparseCholesky(zero) }
  }

  @Test func aNaNStaysInItsColumn() throws {
    let a = Self.grid(20, 20, shift: 1)
    var b = Matrix(rows: 400, columns: 3, repeating: 1)
    b[7, 1] = .nan
    try SparseCholesky(a).solve(&b)
    #expect(b.columns(0..<1).firstNonFinite == nil && b.columns(2..<3).firstNonFinite == nil)
    #expect(b.columns(1..<2).firstNonFinite != nil)
  }

  // MARK: Inertia

  @Test func inertiaCountsEigenvalues() throws {
    try Tally.over((0..<400).map { $0 }) { seed, tally in
      var g = RandomGenerator(case: seed)
      let n = 1 + Int(g.uniform() * 60)
      let a = Self.symmetric(n, perRow: g.uniform(0, 4), diagonal: 0, &g)
      let values = try SymmetricEigendecomposition(a.dense, vectors: false).values
      let inertia = try SparseInertia(a)
      for _ in 0..<4 {
        let mu = 2 * g.normal()
        let count = try inertia.inertia(shift: mu)
        tally.expect(
          count.negative + count.zero + count.positive == n, "seed \(seed): a pivot is lost")
        let distance = values.reduce(.infinity) { min($0, abs($1 - mu)) }
        tally.expect(
          count.zero > 0 || count.distance > 0.99 * distance - count.uncertainty,
          "seed \(seed): \(count) at \(mu), in fact \(distance) away")
        guard count.isReliable else { continue }
        tally.expect(
          count.negative == values.count { $0 < mu } && count.distance < 2 * distance,
          "seed \(seed): \(count) at \(mu), eigenvalues \(values)")
      }
    }.check(atLeast: 4700)
  }

  /// A singular matrix is found out, and a shift on either side of 0 counts its kernel.
  @Test func shiftsCountTheKernelOfALaplacian() throws {
    for (n, width, parts) in [(40, 1, 1), (12, 9, 1), (5, 7, 4), (1, 1, 6)] {
      let part = Self.grid(n, width, shift: 0)
      let size = n * width
      let a = SparseMatrix(
        rows: parts * size, columns: parts * size,
        entries: (0..<parts * size).flatMap { j -> [(row: Int, column: Int, value: Double)] in
          part[column: j % size].map { (j / size * size + $0.row, j, $0.value) }
        })
      let inertia = try SparseInertia(a)
      let below = try inertia.inertia(shift: -1e-5)
      #expect(below.isReliable && below.negative == 0 && below.positive == a.rows)
      let above = try inertia.inertia(shift: 1e-5)
      #expect(above.isReliable && above.negative == parts && above.zero == 0)
      #expect(try !inertia.inertia(shift: 0).isReliable)
      #expect(try SparseInertia.inertia(of: a, shift: 1e-5) == above)
    }
  }

  /// (ε 1; 1 0) has eigenvalues near ±1, but for small ε no factors without an exchange.
  @Test func growthIsTold() throws {
    for pivot in [0, 1e-18, 1e-12] {
      let a = SparseMatrix(
        rows: 2, columns: 2, entries: [(0, 0, pivot), (1, 0, 1), (0, 1, 1)])
      let count = try SparseInertia.inertia(of: a, shift: 0)
      #if SuiteSparse
        #expect(count.uncertainty > 1e-4 && count.isReliable == (pivot == 1e-12))
      #endif
      #expect(!count.isReliable || (count.negative == 1 && count.positive == 1))
      let moved = try SparseInertia.inertia(of: a, shift: 0.01)
      #expect(moved.isReliable && moved.negative == 1 && moved.positive == 1)
    }
  }

  // MARK: QR

  /// Ranks of sparse integer matrices, many of them products of thin ones, against exact elimination; and the spaces
  /// that the factors show.
  @Test func ranksAndSpacesAreExact() throws {
    try Tally.over((0..<3000).map { $0 }) { seed, tally in
      var g = RandomGenerator(case: seed)
      let (m, n) = (Int(g.uniform() * 25), Int(g.uniform() * 25))
      let density = g.uniform(0.02, 0.6)
      var rows = Self.integers(m, n, density: density, &g)
      if seed % 3 > 0 {
        let inner = Int(g.uniform() * 12)
        let left = Self.integers(m, inner, density: density, &g)
        let right = Self.integers(inner, n, density: density, &g)
        rows = left.map { row in
          (0..<n).map { j in (0..<inner).reduce(0) { $0 + row[$1] * right[$1][j] } }
        }
      }
      let a = Self.sparse(rows, columns: n)
      let first = try RankRevealingQR(a)
      let qr = try RankRevealingQR.withGap(a)
      let rank = Self.rank(rows, columns: n)
      tally.expect(
        first.isNarrow || first.rank == rank && first.gap > 1e6,
        "seed \(seed): rank \(first.rank), expected \(rank), but the gap is \(first.gap)")
      tally.expect(
        qr.rank == rank, "seed \(seed): rank \(qr.rank), expected \(rank), gap \(qr.gap)")
      tally.expect(try PivotedQR(a.dense).rank == rank, "seed \(seed): the dense rank")
      guard qr.rank == rank else { return }
      tally.expect(
        qr.smallestKept > qr.tolerance && !qr.isNarrow,
        "seed \(seed): kept \(qr.smallestKept), dropped \(qr.largestDropped)")
      let slack = 1e-12 * (1 + a.values.maximumMagnitude) + 2 * qr.largestDropped
      let kernel = qr.leftNullSpace()
      tally.expect(
        kernel.rows == m && kernel.columns == m - rank, "seed \(seed): \(kernel.shape)")
      var gram = Matrix(rows: m - rank, columns: m - rank)
      gram.setProduct(kernel, kernel, transposing: .left)
      tally.expect(
        Self.difference(gram, .identity(m - rank)) < 1e-13, "seed \(seed): no orthonormal basis")
      tally.expect(
        a.adjoint(kernel).maximumMagnitude < slack, "seed \(seed): not the kernel of Aᵀ")
      let c = g.normalMatrix(rows: m, columns: 35)
      let (inside, outside) = (qr.project(c), qr.complement(c))
      var sum = inside
      sum.add(outside)
      tally.expect(Self.difference(sum, c) < 1e-13, "seed \(seed): parts that are not the whole")
      tally.expect(
        a.adjoint(outside).maximumMagnitude < slack, "seed \(seed): not orthogonal")
      tally.expect(
        Self.difference(qr.project(a.dense), a.dense) < slack, "seed \(seed): A moves")
      let x = qr.solveLeastSquares(c)
      tally.expect(
        Self.difference(a(x), inside) < (1e-9 + 30 * slack) * (1 + x.maximumMagnitude),
        "seed \(seed): not least squares, by \(Self.difference(a(x), inside))")
      tally.expect(
        (0..<35).allSatisfy { x.column($0).count { $0 != 0 } <= rank }, "seed \(seed): not basic")
    }.check(atLeast: 25_000)
  }

  @Test func qIsOrthogonalAndItsTransposeUndoesIt() throws {
    var g = RandomGenerator(seed: 8)
    let a = Self.sparse(Self.integers(90, 60, density: 0.05, &g), columns: 60)
    let qr = try RankRevealingQR(a)
    let c = g.normalMatrix(rows: 90, columns: 40)
    var d = c
    qr.applyQ(&d)
    #expect(abs(d.sumOfSquares / c.sumOfSquares - 1) < 1e-13)
    qr.applyQTranspose(&d)
    #expect(relativeError(d, c) < 1e-13)
  }

  @Test(arguments: [(0, 5), (5, 0), (0, 0), (4, 7), (7, 4), (1, 1)])
  func zeroMatricesHaveRankZero(m: Int, n: Int) throws {
    for entries in [[], (0..<min(m, n)).map { (row: $0, column: $0, value: 0.0) }] {
      let qr = try RankRevealingQR(SparseMatrix(rows: m, columns: n, entries: entries))
      #expect(qr.rank == 0 && qr.rows == m && qr.columns == n)
      #expect(qr.smallestKept == .infinity && qr.largestDropped == 0 && !qr.isNarrow)
      let c = Matrix(rows: m, columns: 2, repeating: 3)
      #expect(qr.complement(c) == c && qr.project(c) == Matrix(rows: m, columns: 2))
      #expect(qr.leftNullSpace().columns == m)
      #expect(qr.solveLeastSquares(c) == Matrix(rows: n, columns: 2))
    }
    let empty = SparseMatrix(rows: 0, columns: 0, entries: [])
    var none = Matrix(rows: 0, columns: 3)
    try SparseCholesky(empty).solve(&none)
    #expect(try SparseCholesky.Analysis(empty).factorEntries == 0)
    let inertia = try SparseInertia.inertia(of: empty, shift: 1)
    #expect(inertia.negative == 0 && inertia.positive == 0 && inertia.isReliable)
  }

  /// A column that nearly depends on another is kept or dropped by the tolerance, and reported either way.
  @Test func narrowGapsAreReported() throws {
    func matrix(_ small: Double) -> SparseMatrix {
      SparseMatrix(
        rows: 4, columns: 3,
        entries: [
          (0, 0, 1), (1, 0, 1), (2, 0, 1), (0, 1, 1), (1, 1, 1), (2, 1, 1 + small), (1, 2, 2),
          (2, 2, 1), (3, 2, 1),
        ])
    }
    let clear = try RankRevealingQR(matrix(0.5))
    #expect(clear.rank == 3 && !clear.isNarrow)
    let kept = try RankRevealingQR(matrix(1e-12))
    #expect(kept.rank == 3 && kept.isNarrow)
    let dropped = try RankRevealingQR(matrix(1e-5), tolerance: 1e-4)
    #expect(dropped.rank == 2 && dropped.tolerance == 1e-4)
    #expect(dropped.largestDropped > 1e-6 && dropped.largestDropped < 1e-4)
    #expect(try RankRevealingQR(matrix(1e-5), tolerance: 1e-6).isNarrow)
    let widened = try RankRevealingQR.withGap(matrix(1e-12))
    #expect(widened.rank == 2 && !widened.isNarrow && widened.tolerance > 1e-12)
    let refused = try RankRevealingQR.withGap(matrix(1e-12), largestTolerance: 1e-13)
    #expect(refused.rank == 3 && refused.isNarrow)
  }

  // MARK: Builds without SuiteSparse

  @Test func largeSparseMatricesNeedASparseFactorization() throws {
    let a = Self.grid(80, 60, shift: 1)
    #if SuiteSparse
      let analysis = try SparseCholesky.Analysis(a)
      #expect(analysis.factorEntries < 150_000)
      #expect(try SparseInertia.inertia(of: a, shift: 0).positive == 4800)
      #expect(try RankRevealingQR(a).rank == 4800)
    #else
      let refusal = FactorizationError.needsSparseFactorization(order: 4800)
      #expect(throws: refusal) { try SparseCholesky.Analysis(a) }
      #expect(throws: refusal) { try SparseCholesky(a) }
      #expect(throws: refusal) { try SparseInertia(a) }
      #expect(throws: refusal) { try RankRevealingQR(a) }
      #expect("\(refusal)".contains("trait SuiteSparse"))
    #endif
  }
}

extension SparseMatrix {
  /// The entries of column `j`.
  fileprivate subscript(column j: Int) -> [(row: Int, value: Double)] {
    var entries: [(row: Int, value: Double)] = []
    forEachEntry(ofColumn: j) { entries.append(($0, $1)) }
    return entries
  }
}
