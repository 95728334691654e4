import Foundation
import LinearAlgebra
import NeuralSheaves
import PiecewiseEnergies
import SheafLaws
import Testing

/// Every linear operator against its assembled matrix.
struct LinearOperatorTests {
  static let seeds = NeuralSheafLawTests.seeds.filter { $0 % 9 == 0 }

  @Test(arguments: UInt64(0)..<60) func matricesAreTheirOwn(seed: UInt64) {
    var g = RandomGenerator(case: seed)
    let (m, n) = (1 + Int(g.uniform() * 9), 1 + Int(g.uniform() * 9))
    #expect(checkLinearOperator(g.normalMatrix(rows: m, columns: n), seed: seed).isEmpty)
  }

  /// From entries in any order, some of one place; rows, the transpose and the dense matrix agree.
  @Test(arguments: UInt64(0)..<60) func sparseMatricesAddUpTheirEntries(seed: UInt64) {
    var g = RandomGenerator(case: seed)
    let (m, n) = (1 + Int(g.uniform() * 9), 1 + Int(g.uniform() * 9))
    var dense = Matrix(rows: m, columns: n)
    var entries: [(row: Int, column: Int, value: Double)] = []
    for _ in 0..<Int(g.uniform() * 60) {
      let (i, j) = (Int(g.uniform() * Double(m)), Int(g.uniform() * Double(n)))
      // Halves add up exactly, in any order.
      let value = (2 * g.normal()).rounded() / 2
      entries.append((i, j, value))
      dense[i, j] += value
    }
    let a = SparseMatrix(rows: m, columns: n, entries: entries)
    #expect(a.dense == dense && a.transposed.dense == dense.transposed, "seed \(seed)")
    #expect(a.transposed.transposed == a && a.columns == n && a.rows == m, "seed \(seed)")
    let rows = (0..<m).map { i in
      entries.filter { $0.row == i }.map { (column: $0.column, value: $0.value) }
    }
    #expect(SparseMatrix(rows: rows, columns: n) == a, "seed \(seed)")
    #expect(checkLinearOperator(a, seed: seed).isEmpty, "seed \(seed)")
    for j in 0..<n {
      var rows: [Int] = []
      a.forEachEntry(ofColumn: j) { i, _ in rows.append(i) }
      #expect(rows == rows.sorted() && Set(rows).count == rows.count, "seed \(seed)")
    }
  }

  @Test(arguments: seeds) func sheafOperatorsAreTheirMatrices(seed: UInt64) throws {
    var (network, g) = try randomNetwork(seed: seed)
    guard network.freeDimension <= 200 else { return }
    let sheaf = NeuralSheaf(network)
    let x = g.normalMatrix(rows: network.inputDimension, columns: 3)
    let state = sheaf.randomState(x, using: &g)
    let patterns = sheaf.patterns(at: state)
    let coboundary = RestrictedCoboundary(sheaf, at: patterns, batch: 3)
    #expect(checkLinearOperator(coboundary, seed: seed) == [], "seed \(seed)")
    let inverse = InverseRestrictedLaplacian(coboundary)
    let matrix = inverse.assembled(system: 1)
    // An inverse has no definiteness beyond the rounding of its largest entry.
    if matrix.maximumMagnitude < 1e6 {
      #expect(checkLinearOperator(inverse, seed: seed) == [], "seed \(seed)")
    }
    let one = patterns.map { $0.sample(1) }
    let identity = sheaf.restrictedLaplacian(at: one) * matrix
    #expect(
      relativeError(identity, .identity(matrix.rows)) < 1e-13
        * max(1e3, matrix.maximumMagnitude * matrix.maximumMagnitude), "seed \(seed)")
  }

  /// With random pins, hard, soft and on the input, and an output edge.
  @Test(arguments: seeds) func hessiansAreSecondDifferences(seed: UInt64) throws {
    var (network, g) = try randomNetwork(seed: seed)
    guard network.freeDimension <= 200 else { return }
    let x = g.normalMatrix(rows: network.inputDimension, columns: 3)
    let pins = try PinnedEquilibriumTests.randomPins(network, input: x, &g)
    let sheaf = NeuralSheaf(network)
    let energy = PinnedEnergy(
      sheaf, pins: pins,
      output: seed % 2 == 0 ? nil : OutputEdge(activation: .identity, coupling: 0.7))
    let state = sheaf.randomState(x, using: &g)
    let hessian = PinnedHessian(energy, at: sheaf.patterns(at: state), batch: 3)
    #expect(checkLinearOperator(hessian, seed: seed) == [], "seed \(seed)")
    // What is held is taken for 0 and stays 0.
    let v = g.normalMatrix(rows: hessian.rows, columns: 3)
    #expect(hessian(v) == hessian.cleared(hessian(hessian.cleared(v))), "seed \(seed)")
    // On one pattern the gradient is affine: H v is a difference of gradients.
    var a = state
    if energy.output != nil { a.output = g.normalMatrix(rows: network.outputDimension, columns: 3) }
    let step = hessian.cleared(v)
    var b = a
    let parts = step.split(network.vertices.map(\.dimension) + (a.output.map { [$0.rows] } ?? []))
    let small = 1e-7
    for i in b.stalks.indices { b.stalks[i].add(parts[i], scale: small) }
    b.output?.add(parts.last!, scale: small)
    guard sheaf.patterns(at: a) == sheaf.patterns(at: b) else { return }
    var difference = Matrix(stacking: energy.gradient(at: b), columns: 3)
    difference.add(Matrix(stacking: energy.gradient(at: a), columns: 3), scale: -1)
    difference.scale(by: 1 / small)
    #expect(
      relativeError(hessian.cleared(difference), hessian(v)) < 1e-5, "seed \(seed)")
  }
}

/// Conjugate gradients and Lanczos iterations against dense decompositions.
struct KrylovTests {
  /// A with given eigenvalues and random eigenvectors.
  private static func symmetric(
    _ values: [Double], _ g: inout RandomGenerator
  ) throws -> KnownOperator<Matrix> {
    let n = values.count
    var random = g.normalMatrix(rows: n, columns: n)
    random.add(random.transposed)
    let q = try SymmetricEigendecomposition(random).vectors
    var scaled = q
    scaled.scaleColumns(by: values)
    var a = Matrix(rows: n, columns: n)
    a.setProduct(scaled, q, transposing: .right)
    a.add(a.transposed)
    a.scale(by: 0.5)
    return KnownOperator(a, values.allSatisfy { $0 >= 0 } ? .positiveSemidefinite : .symmetric)
  }

  /// Regular systems, with and without a preconditioner, from 0 and from elsewhere.
  @Test(arguments: UInt64(0)..<80) func systemsAreSolved(seed: UInt64) throws {
    var g = RandomGenerator(case: seed)
    let n = 1 + Int(g.uniform() * 30)
    let a = try Self.symmetric((0..<n).map { _ in g.uniform(0.1, 10) }, &g)
    let b = g.normalMatrix(rows: n, columns: 4)
    let expected = try a.base.solve(b)
    let jacobi = SparseMatrix(
      rows: n, columns: n, entries: (0..<n).map { ($0, $0, 1 / a.base[$0, $0]) })
    let method = ConjugateGradients(tolerance: 1e-12)
    for start in [nil, g.normalMatrix(rows: n, columns: 4)] {
      for preconditioner in [nil, jacobi] {
        let end = method.solve(a, b, from: start, preconditioner: preconditioner)
        #expect(end.statuses.allSatisfy { $0 == .converged }, "seed \(seed)")
        // That of the recursion is the tolerance; the true one differs by rounding, at most tenfold.
        #expect(end.residuals.allSatisfy { $0 <= 1e-11 }, "seed \(seed)")
        #expect(relativeError(end.value, expected) < 1e-9, "seed \(seed)")
      }
    }
    let conditioned = ConjugateGradients(tolerance: 1e-12, norm: .preconditioned)
      .solve(a, b, preconditioner: jacobi)
    #expect(relativeError(conditioned.value, expected) < 1e-9, "seed \(seed)")
  }

  /// A preconditioner for each column: as if each were solved by itself; and columns that somebody else says are done
  /// leave with what is known of them.
  @Test(arguments: UInt64(0)..<40) func columnsHavePreconditionersAndEndsOfTheirOwn(
    seed: UInt64
  ) throws {
    var g = RandomGenerator(case: seed)
    let n = 2 + Int(g.uniform() * 20)
    let a = try Self.symmetric((0..<n).map { _ in g.uniform(0.1, 10) }, &g)
    let b = g.normalMatrix(rows: n, columns: 3)
    var diagonals = Matrix(rows: n, columns: 3)
    for j in 0..<3 { for i in 0..<n { diagonals[i, j] = g.uniform(0.2, 5) } }
    let systems = DiagonalSystems(diagonals)
    #expect(checkLinearOperator(systems, seed: seed) == [], "seed \(seed)")
    let method = ConjugateGradients(tolerance: 1e-11)
    let together = method.solve(a, b, preconditioner: systems)
    for j in 0..<3 {
      let alone = method.solve(
        a, b.columns(j..<j + 1), preconditioner: systems.systems([j]))
      // Products of one and of three columns are rounded otherwise.
      #expect(
        abs(alone.iterations[0] - together.iterations[j]) <= 3, "seed \(seed), column \(j)")
      #expect(
        relativeError(alone.value, together.value.columns(j..<j + 1)) < 1e-9, "seed \(seed)")
    }
    // Column j is done after j steps; the fall is that of ½⟨x, Ax⟩ − ⟨b, x⟩, the residual b − Ax.
    var (falls, seen) = ([0.0, 0, 0], [Int](repeating: -1, count: 3))
    var residuals = [[Double]](repeating: [], count: 3)
    let end = method.solve(a, b, preconditioner: systems) { j, residual, fall in
      seen[j] += 1
      (falls[j], residuals[j]) = (fall, Array(residual))
      return seen[j] == j
    }
    for j in 0..<3 {
      let x = end.value.columns(j..<j + 1)
      let right = b.columns(j..<j + 1)
      var rest = right
      rest.add(a.base * x, scale: -1)
      let value = 0.5 * dot(x, a.base * x) - dot(right, x)
      #expect(end.iterations[j] == j && end.statuses[j] == .converged, "seed \(seed)")
      #expect(abs(value + falls[j]) <= 1e-12 * (1 + falls[j]), "seed \(seed)")
      #expect(
        zip(rest.elements, residuals[j]).allSatisfy { abs($0 - $1) < 1e-11 }, "seed \(seed)")
    }
  }

  /// A singular consistent system has its solution of least norm; an inconsistent one none, and says so; 0 is
  /// solved by 0; what is not finite stays in its column.
  @Test(arguments: UInt64(0)..<80) func singularSystemsAreTold(seed: UInt64) throws {
    var g = RandomGenerator(case: seed)
    let n = 4 + Int(g.uniform() * 20)
    let rank = 1 + Int(g.uniform() * Double(n - 2))
    let a = try Self.symmetric((0..<n).map { $0 < rank ? g.uniform(0.5, 4) : 0 }, &g)
    var b = a(g.normalMatrix(rows: n, columns: 4))
    let whole = b
    // Column 1 has a part outside the range, column 2 is 0, column 3 holds an infinity.
    let other = g.normalMatrix(rows: n, columns: 1)
    for i in 0..<n { (b[i, 1], b[i, 2]) = (other[i, 0], 0) }
    b[0, 3] = .infinity
    let end = ConjugateGradients(tolerance: 1e-10, stepLimit: 20 * n).solve(a, b)
    #expect(end.statuses[0] == .converged && end.statuses[2] == .converged, "seed \(seed)")
    #expect(
      end.statuses[1] == .stepLimit || end.statuses[1] == .stalled || end.statuses[1] == .diverged,
      "seed \(seed)")
    #expect(end.residuals[1] > 1e-10 || end.residuals[1].isNaN, "seed \(seed)")
    #expect(end.statuses[3] == .diverged, "seed \(seed)")
    #expect(end.value.column(2).allSatisfy { $0 == 0 } && end.iterations[2] == 0, "seed \(seed)")
    let spectrum = try SymmetricEigendecomposition(a.base)
    var coordinates = Matrix(rows: n, columns: 1)
    coordinates.setProduct(spectrum.vectors, whole.columns(0..<1), transposing: .left)
    for i in 0..<n {
      coordinates[i, 0] = spectrum.values[i] > 0.1 ? coordinates[i, 0] / spectrum.values[i] : 0
    }
    #expect(
      relativeError(end.value.columns(0..<1), spectrum.vectors * coordinates) < 1e-7, "seed \(seed)"
    )
    #expect(
      ConjugateGradients(halt: Halt { .interrupted }).solve(a, whole).statuses[0] == .interrupted)
  }

  /// Without a solution x grows until rounding makes the recursion's residual small: that is no convergence.
  @Test func recursionsAreNotBelieved() throws {
    try Tally.over(Array(0..<3000)) { seed, tally in
      var g = RandomGenerator(case: seed)
      let n = 4 + Int(g.uniform() * 20)
      let rank = 1 + Int(g.uniform() * Double(n - 2))
      let a = try Self.symmetric((0..<n).map { $0 < rank ? g.uniform(0.5, 4) : 0 }, &g)
      let end = ConjugateGradients(tolerance: 1e-2, stepLimit: 20 * n)
        .solve(a, g.normalMatrix(rows: n, columns: 1))
      tally.expect(
        end.statuses != [.converged] || end.residuals[0] <= 0.1, "seed \(seed): \(end.residuals)")
    }.check(atLeast: 3000)
  }

  /// A right-hand side of 0 is solved by 0 from anywhere; columns go on to tolerances of their own.
  @Test func startsAndTolerancesCount() throws {
    var g = RandomGenerator(seed: 5)
    let a = try Self.symmetric((0..<20).map { 1 + Double($0) }, &g)
    let start = g.normalMatrix(rows: 20, columns: 2)
    let zero = ConjugateGradients(absoluteTolerance: 1e-12)
      .solve(a, Matrix(rows: 20, columns: 2), from: start)
    #expect(zero.statuses == [.converged, .converged])
    #expect(zero.value.maximumMagnitude < 1e-11 && zero.residuals.allSatisfy { $0 < 1e-11 })
    let b = g.normalMatrix(rows: 20, columns: 2)
    let ends = ConjugateGradients().solve(a, b, tolerances: [1e-12, 0.1])
    #expect(ends.iterations[0] > ends.iterations[1] && ends.residuals[0] < 1e-11)
    #expect(ends.residuals[1] <= 0.1 && ends.residuals[1] > 1e-11)
    let few = ConjugateGradients(stepLimit: 2).solve(a, b)
    #expect(few.statuses == [.stepLimit, .stepLimit] && few.iterations == [2, 2])
  }

  /// Maps of their own side by side: L⁻¹x = b, each sample on its pattern, is x = L b.
  @Test(arguments: [UInt64(3), 40, 90, 150]) func samplesAreSolvedSideBySide(seed: UInt64) throws {
    var (network, g) = try randomNetwork(seed: seed)
    let sheaf = NeuralSheaf(network)
    let x = g.normalMatrix(rows: network.inputDimension, columns: 5)
    let patterns = sheaf.patterns(at: sheaf.randomState(x, using: &g))
    let delta = RestrictedCoboundary(sheaf, at: patterns, batch: 5)
    let b = g.normalMatrix(rows: delta.rows, columns: 5)
    let end = ConjugateGradients(tolerance: 1e-9).solve(InverseRestrictedLaplacian(delta), b)
    let expected = delta.adjoint(delta(b))
    for j in 0..<5 where end.statuses[j] == .converged {
      #expect(
        relativeError(end.value.columns(j..<j + 1), expected.columns(j..<j + 1)) < 1e-4,
        "seed \(seed), \(j)")
    }
    #expect(end.statuses.contains(.converged), "seed \(seed)")
  }

  /// Repeated eigenvalues beyond the block's size, both ends, against the dense decomposition.
  @Test(arguments: UInt64(0)..<60) func repeatedEigenvaluesAreFound(seed: UInt64) throws {
    var g = RandomGenerator(case: seed)
    let n = 1 + Int(g.uniform() * 70)
    var values: [Double] = []
    while values.count < n {
      let value = g.uniform() < 0.2 ? 0 : g.uniform(-3, 5)
      values += [Double](repeating: value, count: min(n - values.count, 1 + Int(g.uniform() * 8)))
    }
    let a = try Self.symmetric(values, &g)
    values.sort()
    let count = min(n, 1 + Int(g.uniform() * 12))
    let method = BlockLanczos(blockSize: 1 + Int(g.uniform() * 4), tolerance: 1e-11)
    for end in [BlockLanczos.End.smallest, .largest] {
      let found = method.eigenpairs(of: a, count: count, at: end, using: &g)
      let expected =
        end == .smallest ? Array(values.prefix(count)) : values.suffix(count).reversed()
      #expect(found.value.values.count == count, "seed \(seed)")
      for (x, y) in zip(found.value.values, expected) {
        #expect(abs(x - y) < 1e-9, "seed \(seed) \(end): \(found.value.values), \(expected)")
      }
      #expect(found.statuses.allSatisfy { $0 == .converged }, "seed \(seed)")
      #expect(found.residuals.allSatisfy { $0 < 1e-9 }, "seed \(seed): \(found.residuals)")
      var gram = Matrix(rows: count, columns: count)
      gram.addGram(found.value.vectors, transposed: true, keeping: 0)
      #expect(relativeError(gram, .identity(count)) < 1e-10, "seed \(seed)")
    }
  }

  /// Of a large sparse matrix, with restarts: the path's Laplacian, 2 − 2 cos(kπ/(n + 1)).
  @Test func largeOperatorsAreRestarted() {
    let n = 400
    let entries = (0..<n).flatMap { i -> [(row: Int, column: Int, value: Double)] in
      [(i, i, 2)] + (i + 1 < n ? [(i, i + 1, -1), (i + 1, i, -1)] : [])
    }
    var g = RandomGenerator(seed: 1)
    let path = KnownOperator(
      SparseMatrix(rows: n, columns: n, entries: entries), .positiveDefinite)
    let found = BlockLanczos(tolerance: 1e-9, basisLimit: 60)
      .eigenpairs(of: path, count: 5, at: .largest, using: &g)
    for (k, value) in found.value.values.enumerated() {
      let angle = Double(n - k) * Double.pi / Double(n + 1)
      #expect(abs(value - (2 - 2 * cos(angle))) < 1e-10, "\(k)")
    }
    #expect(found.residuals.allSatisfy { $0 < 1e-8 } && found.value.values.count == 5)
    let early = BlockLanczos(stepLimit: 3).eigenpairs(of: path, count: 5, at: .smallest, using: &g)
    #expect(early.value.values.count == 5 && early.statuses.allSatisfy { $0 == .stepLimit })
    #expect(early.residuals.contains { $0 > 1e-3 })
    let none = BlockLanczos(halt: Halt { .interrupted })
      .eigenpairs(of: path, count: 5, at: .smallest, using: &g)
    #expect(none.value.values.isEmpty)
  }

  @Test(arguments: UInt64(0)..<40) func tridiagonalsAreDecomposed(seed: UInt64) throws {
    var g = RandomGenerator(case: seed)
    let n = 1 + Int(g.uniform() * 12)
    let (d, e) = ((0..<n).map { _ in g.normal() }, (0..<n - 1).map { _ in g.normal() })
    var t = Matrix.diagonal(d)
    for i in 0..<n - 1 { (t[i, i + 1], t[i + 1, i]) = (e[i], e[i]) }
    let found = try TridiagonalEigendecomposition(diagonal: d, beside: e)
    let expected = try SymmetricEigendecomposition(t)
    for (a, b) in zip(found.values, expected.values) { #expect(abs(a - b) < 1e-13, "seed \(seed)") }
    var scaled = found.vectors
    scaled.scaleColumns(by: found.values)
    #expect(relativeError(scaled, t * found.vectors) < 1e-12, "seed \(seed)")
    #expect(
      try TridiagonalEigendecomposition(diagonal: d, beside: e, vectors: false).vectors.columns == 0
    )
    #expect(throws: FactorizationError.notFinite) {
      try TridiagonalEigendecomposition(diagonal: [.nan], beside: [])
    }
  }
}
