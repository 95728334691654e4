import ConvexPrograms
import LinearAlgebra
import Testing

@Suite struct ConicProgramTests {
  /// Primal and dual feasibility and complementarity, hence optimality, of programs of all kinds.
  @Test func optimalityConditionsHold() throws {
    let tally = try Tally.over((0..<600).map { UInt64($0) }) { seed, tally in
      var g = RandomGenerator(case: seed)
      let n = g.integer(1...15)
      let program = g.program(
        ProgramKind(rawValue: Int(seed % 3))!, unknowns: n, equalities: g.integer(0...n - 1),
        rows: g.integer(0...10))
      let solution = try program.solve()
      let violation = program.violation(solution)
      tally.expect(
        solution.status == .optimal && violation < 1e-8 && solution.gap < 1e-8,
        "seed \(seed): \(solution.status), \(violation), \(solution.gap)")
    }
    tally.check(atLeast: 600)
  }

  /// Larger ones, with 60 to 120 unknowns.
  @Test func largerProgramsAreSolved() throws {
    let tally = try Tally.over((0..<9).map { UInt64($0) }) { seed, tally in
      var g = RandomGenerator(case: seed)
      let n = g.integer(60...120)
      let program = g.program(
        ProgramKind(rawValue: Int(seed % 3))!, unknowns: n, equalities: g.integer(0...n / 2),
        rows: g.integer(0...n))
      let solution = try program.solve()
      let violation = program.violation(solution)
      tally.expect(
        solution.status == .optimal && violation < 1e-8,
        "seed \(seed): \(solution.status), \(violation)")
    }
    tally.check(atLeast: 9)
  }

  /// The least objective over all sets of tight inequalities whose point of stationarity is feasible.
  @Test func quadraticProgramsAgreeWithEnumeration() throws {
    let tally = try Tally.over((0..<100).map { UInt64($0) }) { seed, tally in
      var g = RandomGenerator(case: seed)
      let n = g.integer(2...4)
      let program = g.program(
        .strictlyConvex, unknowns: n, equalities: g.integer(0...1), rows: g.integer(1...6))
      let best = Self.enumerated(program)
      let solution = try program.solve()
      tally.expect(
        abs(solution.objective - best) < 1e-7 * max(1, abs(best)),
        "seed \(seed): \(solution.status) \(solution.objective), not \(best)")
    }
    tally.check(atLeast: 100)
  }

  private static func enumerated(_ program: ConicProgram) -> Double {
    let (n, p, m) = (program.unknowns, program.equalities.rows, program.inequalities.rows)
    let (a, g) = (program.equalities.dense, program.inequalities.dense)
    var best = Double.infinity
    for set in 0..<1 << m {
      let tight = (0..<m).filter { set >> $0 & 1 == 1 }
      guard p + tight.count <= n else { continue }
      let order = n + p + tight.count
      var k = Matrix(rows: order, columns: order)
      var right = [Double](repeating: 0, count: order)
      for j in 0..<n {
        program.quadratic.forEachEntry(ofColumn: j) { (k[$0, j], k[j, $0]) = ($1, $1) }
        right[j] = -program.linear[j]
        for i in 0..<p { (k[n + i, j], k[j, n + i]) = (a[i, j], a[i, j]) }
        for (i, row) in tight.enumerated() {
          (k[n + p + i, j], k[j, n + p + i]) = (g[row, j], g[row, j])
        }
      }
      for i in 0..<p { right[n + i] = program.equalityValues[i] }
      for (i, row) in tight.enumerated() { right[n + p + i] = program.bounds[row] }
      guard let x = eliminated(k, right)?.prefix(n) else { continue }
      let image = ConicProgram.product(program.inequalities, Array(x))
      if zip(image, program.bounds).allSatisfy({ $0 <= $1 + 1e-9 }) {
        best = min(best, program.objective(Array(x)))
      }
    }
    return best
  }

  /// Gaussian elimination with row exchanges.
  private static func eliminated(_ matrix: Matrix, _ right: [Double]) -> [Double]? {
    var (a, b) = (matrix, right)
    let n = b.count
    for j in 0..<n {
      let pivot = (j..<n).max { abs(a[$0, j]) < abs(a[$1, j]) }!
      guard abs(a[pivot, j]) > 1e-10 else { return nil }
      for k in 0..<n { (a[j, k], a[pivot, k]) = (a[pivot, k], a[j, k]) }
      b.swapAt(j, pivot)
      for i in j + 1..<n {
        let factor = a[i, j] / a[j, j]
        for k in j..<n { a[i, k] -= factor * a[j, k] }
        b[i] -= factor * b[j]
      }
    }
    for i in (0..<n).reversed() {
      for k in i + 1..<n { b[i] -= a[i, k] * b[k] }
      b[i] /= a[i, i]
    }
    return b
  }

  /// SciPy 1.17.1: `linprog` (HiGHS) with P = 0, and `minimize` by trust-constr (agreeing with SLSQP) with P.
  @Test func valuesAgreeWithSciPy() throws {
    let quadratic = SparseMatrix(
      Matrix([[4, 1, 0, 0], [1, 2, 0, 1], [0, 0, 0, 0], [0, 1, 0, 3]]))
    func program(_ p: SparseMatrix?) -> ConicProgram {
      ConicProgram(
        quadratic: p, linear: [-1, -2, -1.5, 0.5],
        equalities: SparseMatrix(Matrix([[1, 2, -1, 1], [0, 1, 1, -1]])), equalityValues: [3, 1],
        inequalities: SparseMatrix(
          Matrix([
            [1, 1, 1, 1], [-1, 0, 0, 0], [0, -1, 0, 0], [0, 0, -1, 0], [0, 0, 0, -1],
            [2, -1, 1, 0],
          ])), bounds: [6, 0, 0, 0, 0, 2])
    }
    let linear = try program(nil).solve()
    #expect(abs(linear.objective + 4.846153846153847) < 1e-8)
    let vertex = [0.53846154, 1.15384615, 2.07692308, 2.23076923]
    #expect(zip(linear.x, vertex).allSatisfy { abs($0 - $1) < 1e-7 })
    let curved = try program(quadratic).solve()
    #expect(abs(curved.objective + 0.2195945945945) < 1e-8)
    let point = [0.22972973, 1.25675676, 0, 0.256756757]
    #expect(zip(curved.x, point).allSatisfy { abs($0 - $1) < 1e-6 })
  }

  /// The points c ± r eₖ, and others within them, lie in the ball about c with the radius r.
  @Test func smallestEnclosingBall() throws {
    for seed in UInt64(0)..<10 {
      var g = RandomGenerator(case: seed)
      let (d, r) = (g.integer(1...6), g.uniform(0.5, 3))
      let centre = (0..<d).map { _ in g.normal() }
      var points = (0..<d).flatMap { k in
        [-r, r].map { step in
          var point = centre
          point[k] += step
          return point
        }
      }
      points += (0..<5).map { _ in centre.map { $0 + g.uniform(-r, r) / Double(d) } }
      // (ρ, c − point) in a cone for every point.
      var (entries, bounds): ([(row: Int, column: Int, value: Double)], [Double]) = ([], [])
      for point in points {
        for k in 0...d {
          entries.append((bounds.count, k, -1))
          bounds.append(k == 0 ? 0 : -point[k - 1])
        }
      }
      let solution = try ConicProgram(
        linear: [1] + [Double](repeating: 0, count: d),
        inequalities: SparseMatrix(rows: bounds.count, columns: d + 1, entries: entries),
        bounds: bounds, cones: points.map { _ in .secondOrder(d + 1) }
      ).solve()
      #expect(
        solution.status == .optimal
          && zip(solution.x, [r] + centre).allSatisfy { abs($0 - $1) < 1e-6 }
          && abs(solution.objective - r) < 1e-8, "seed \(seed)")
    }
  }

  /// max over k of ‖Aₖ x − bₖ‖ is what the objective says, and no less nearby, hence nowhere, for it is convex.
  @Test func largestResidualIsLeast() throws {
    for seed in UInt64(0)..<10 {
      var g = RandomGenerator(case: seed)
      let n = g.integer(1...4)
      let parts = (0..<6).map { _ in
        (g.normalMatrix(rows: 3, columns: n), g.normalMatrix(rows: 3, columns: 1))
      }
      func largest(_ x: [Double]) -> Double {
        parts.reduce(0) { most, part in
          var r = part.0 * Matrix(column: x)
          r.add(part.1, scale: -1)
          return max(most, r.sumOfSquares.squareRoot())
        }
      }
      var rows: [[Double]] = []
      var bounds: [Double] = []
      for (a, b) in parts {
        rows.append([-1] + [Double](repeating: 0, count: n))
        bounds.append(0)
        for i in 0..<3 {
          rows.append([0] + (0..<n).map { -a[i, $0] })
          bounds.append(-b[i, 0])
        }
      }
      let solution = try ConicProgram(
        linear: [1] + [Double](repeating: 0, count: n), inequalities: SparseMatrix(Matrix(rows)),
        bounds: bounds, cones: parts.map { _ in .secondOrder(4) }
      ).solve()
      let x = Array(solution.x.dropFirst())
      #expect(abs(largest(x) - solution.objective) < 1e-7, "seed \(seed)")
      for _ in 0..<200 {
        let step = pow10(g.integer(1...4))
        let near = x.map { $0 + g.normal() / step }
        #expect(largest(near) > solution.objective - 1e-8, "seed \(seed)")
      }
    }
  }

  private func pow10(_ k: Int) -> Double { (0..<k).reduce(1) { product, _ in 10 * product } }

  /// Many equalities go by another elimination; they may also be dependent.
  @Test func manyEqualities() throws {
    for isLinear in [false, true] {
      var g = RandomGenerator(case: 7)
      let n = 4500
      var entries: [(row: Int, column: Int, value: Double)] = []
      for i in 0..<n { entries += [(i, i + 1, 1), (i, i, -1), (i, n + 1 + i, -1)] }
      let unknowns = 2 * n + 1
      let unit = SparseMatrix(
        rows: unknowns, columns: unknowns, entries: (0..<unknowns).map { ($0, $0, 1) })
      // Positions that change by controls: xₖ₊₁ = xₖ + uₖ, and this once more.
      entries.append((n, 1, 2))
      entries.append((n, 0, -2))
      entries.append((n, n + 1, -2))
      let program = ConicProgram(
        quadratic: isLinear ? nil : unit,
        linear: (0..<unknowns).map { _ in isLinear ? -abs(g.normal()) : g.normal() },
        equalities: SparseMatrix(rows: n + 1, columns: unknowns, entries: entries),
        equalityValues: [Double](repeating: 0, count: n + 1), inequalities: unit,
        bounds: (0..<unknowns).map { _ in g.uniform(0.3, 1) })
      let solution = try program.solve()
      #expect(solution.status == .optimal && program.violation(solution) < 1e-7)
    }
  }

  /// Constraints and terms may be absent, and a variable fixed by two inequalities.
  @Test func degeneratePrograms() throws {
    let none = try ConicProgram(linear: []).solve()
    #expect(none.status == .optimal && none.x.isEmpty)
    let contradiction = SparseMatrix(rows: 1, columns: 0, entries: [])
    let refuted = try ConicProgram(linear: [], inequalities: contradiction, bounds: [-2]).solve()
    #expect(refuted.status == .infeasible && refuted.z == [0.5])
    let unit = SparseMatrix(Matrix.identity(3))
    let free = try ConicProgram(quadratic: unit, linear: [1, 2, 3]).solve()
    #expect(zip(free.x, [-1, -2, -3]).allSatisfy { abs($0 - $1) < 1e-9 })
    let indifferent = try ConicProgram(linear: [0, 0]).solve()
    #expect(indifferent.status == .optimal && indifferent.objective == 0)
    // ½‖x‖² on x₀ + x₁ + x₂ = 3, said twice.
    let redundant = try ConicProgram(
      quadratic: unit, linear: [0, 0, 0],
      equalities: SparseMatrix(Matrix([[1, 1, 1], [2, 2, 2], [0, 0, 0]])),
      equalityValues: [3, 6, 0]
    ).solve()
    #expect(redundant.status == .optimal && redundant.x.allSatisfy { abs($0 - 1) < 1e-9 })
    let fixed = try ConicProgram(
      quadratic: unit, linear: [0, -1, -1],
      inequalities: SparseMatrix(Matrix([[1, 0, 0], [-1, 0, 0], [1, 1, 0]])), bounds: [2, -2, 2.5]
    ).solve()
    #expect(fixed.status == .optimal)
    #expect(zip(fixed.x, [2, 0.5, 1]).allSatisfy { abs($0 - $1) < 1e-6 })
  }

  /// What is asked between steps ends them.
  @Test func haltInterrupts() throws {
    var g = RandomGenerator(case: 1)
    let program = g.program(.secondOrder, unknowns: 10, equalities: 2, rows: 5)
    let solution = try program.solve(.init(halt: Halt { .interrupted }))
    #expect(solution.status == .interrupted && solution.iterations == 0)
    #expect(try program.solve(.init(stepLimit: 1)).status == .stalled)
  }
}
