import ConvexPrograms
import LinearAlgebra
import Testing

@Suite struct InfeasibleProgramTests {
  /// A contradiction planted as one row that a combination of the others refutes is found and proved.
  @Test func certificatesRefute() throws {
    let tally = try Tally.over((0..<200).map { UInt64($0) }) { seed, tally in
      var g = RandomGenerator(case: seed)
      let n = g.integer(2...12)
      let (p, k, c) = (g.integer(0...n / 2), g.integer(1...8), g.integer(1...5))
      let m = k + c + 1
      var rows = g.normalMatrix(rows: m, columns: n)
      let a = g.normalMatrix(rows: p, columns: n)
      let y = g.normalMatrix(rows: p, columns: 1).elements
      var z = (0..<m).map { _ in abs(g.normal()) }
      z[k] = 0.3 + (k + 1..<k + c).reduce(0) { $0 + z[$1] * z[$1] }.squareRoot()
      let b = g.normalMatrix(rows: p, columns: 1).elements
      var h = g.normalMatrix(rows: m, columns: 1).elements
      for j in 0..<n {
        let others = (0..<m - 1).reduce(0) { $0 + rows[$1, j] * z[$1] }
        rows[m - 1, j] = -(0..<p).reduce(others) { $0 + a[$1, j] * y[$1] } / z[m - 1]
      }
      let value = (0..<p).reduce((0..<m - 1).reduce(0) { $0 + h[$1] * z[$1] }) {
        $0 + b[$1] * y[$1]
      }
      h[m - 1] = -(value + g.uniform(0.001, 1)) / z[m - 1]
      let isQuadratic = seed % 2 == 0
      let program = ConicProgram(
        quadratic: isQuadratic ? SparseMatrix(Matrix.identity(n)) : nil,
        linear: g.normalMatrix(rows: n, columns: 1).elements, equalities: SparseMatrix(a),
        equalityValues: b, inequalities: SparseMatrix(rows), bounds: h,
        cones: [.orthant(k), .secondOrder(c), .orthant(1)])
      let solution = try program.solve()
      let (residual, bound) = program.refutation(solution.y, solution.z)
      tally.expect(
        solution.status == .infeasible && residual < 1e-7 && abs(bound + 1) < 1e-9,
        "seed \(seed): \(solution.status), \(residual), \(bound)")
    }
    tally.check(atLeast: 200)
  }

  /// Directions along which the objective falls, where there is a point; and a refutation where there is none.
  @Test func directionsFall() throws {
    let tally = try Tally.over((0..<100).map { UInt64($0) }) { seed, tally in
      var g = RandomGenerator(case: seed)
      let n = g.integer(2...10)
      let (p, m) = (g.integer(0...n - 2), g.integer(1...8))
      var d = g.normalMatrix(rows: n, columns: 1).elements
      d[0] = 1
      var (a, rows) = (
        g.normalMatrix(rows: p, columns: n), g.normalMatrix(rows: m, columns: n)
      )
      for i in 0..<p { a[i, 0] = -(1..<n).reduce(0) { $0 + a[i, $1] * d[$1] } }
      for i in 0..<m {
        let down = seed % 2 == 0 ? abs(g.normal()) : 0
        rows[i, 0] = -down - (1..<n).reduce(0) { $0 + rows[i, $1] * d[$1] }
      }
      var q = g.normalMatrix(rows: n, columns: 1).elements
      q[0] -= (0..<n).reduce(0) { $0 + q[$1] * d[$1] } + g.uniform(0.05, 1)
      let x = g.normalMatrix(rows: n, columns: 1)
      let program = ConicProgram(
        linear: q, equalities: SparseMatrix(a), equalityValues: p > 0 ? (a * x).elements : [],
        inequalities: SparseMatrix(rows), bounds: (rows * x).elements.map { $0 + abs(g.normal()) })
      let solution = try program.solve()
      let fall = zip(q, solution.x).reduce(0) { $0 + $1.0 * $1.1 }
      let (ax, gx) = (
        ConicProgram.product(program.equalities, solution.x),
        ConicProgram.product(program.inequalities, solution.x)
      )
      tally.expect(
        solution.status == .unbounded && abs(fall + 1) < 1e-8
          && ax.allSatisfy { abs($0) < 1e-7 } && gx.allSatisfy { $0 < 1e-7 },
        "seed \(seed): \(solution.status), \(fall)")
    }
    tally.check(atLeast: 100)
  }

  /// A program that is both without a point and without a bound has no point.
  @Test func infeasibleGoesFirst() throws {
    let solution = try ConicProgram(
      linear: [0, 1], inequalities: SparseMatrix(Matrix([[1, 0], [-1, 0]])), bounds: [0, -1]
    ).solve()
    #expect(solution.status == .infeasible)
  }

  /// Two rows that contradict each other in a direction which no other row has are named, and they alone.
  @Test func plantedPairsAreFound() throws {
    let tally = try Tally.over((0..<100).map { UInt64($0) }) { seed, tally in
      var g = RandomGenerator(case: seed)
      let (n, m) = (g.integer(2...12), g.integer(2...20))
      let p = g.integer(1...max(1, n / 2))
      let x = g.normalMatrix(rows: n, columns: 1)
      var (a, rows) = (g.normalMatrix(rows: p, columns: n), g.normalMatrix(rows: m, columns: n))
      // Unknown 0 is for the pair.
      for i in 0..<p { a[i, 0] = 0 }
      for i in 0..<m { rows[i, 0] = 0 }
      let (e, i) = (g.integer(0...p - 1), g.integer(0...m - 1))
      let k = (i + g.integer(1...m - 1)) % m
      rows[i, 0] = g.uniform(0.5, 2)
      let first: (equalities: [Int], inequalities: [Int])
      var b = (a * x).elements
      var h = (rows * x).elements.map { $0 + abs(g.normal()) }
      if seed % 2 == 0 {
        let c = g.uniform(0.5, 2)
        for j in 0..<n { rows[k, j] = -c * rows[i, j] }
        h[k] = -c * h[i] - g.uniform(0.01, 1)
        first = ([], [i, k].sorted())
      } else {
        let c = g.uniform(0.5, 2)
        for j in 0..<n { a[e, j] = c * rows[i, j] }
        b[e] = c * h[i] + g.uniform(0.01, 1)
        first = ([e], [i])
      }
      let program = ConicProgram(
        linear: [Double](repeating: 0, count: n), equalities: SparseMatrix(a), equalityValues: b,
        inequalities: SparseMatrix(rows), bounds: h)
      let conflict = try program.conflictingConstraints()
      tally.expect(
        conflict?.equalities == first.equalities && conflict?.inequalities == first.inequalities,
        "seed \(seed): \(String(describing: conflict)), not \(first)")
    }
    tally.check(atLeast: 100)
  }

  /// The constraints named contradict one another by arithmetic, and without any one of them there is a point.
  @Test func conflictsAreIrreducible() throws {
    let tally = try Tally.over((0..<40).map { UInt64($0) }) { seed, tally in
      var g = RandomGenerator(case: seed)
      let (n, m) = (g.integer(2...5), g.integer(15...30))
      let rows = g.normalMatrix(rows: m, columns: n)
      let h = (0..<m).map { _ in g.normal() - 0.5 }
      func program(_ kept: [Int]) -> ConicProgram {
        ConicProgram(
          linear: [Double](repeating: 0, count: n),
          inequalities: SparseMatrix(rows).part(rows: kept), bounds: kept.map { h[$0] })
      }
      guard let conflict = try program(Array(0..<m)).conflictingConstraints() else { return }
      let part = program(conflict.inequalities)
      let (residual, value) = part.refutation([], conflict.inequalityMultipliers)
      tally.expect(residual < 1e-7 && abs(value + 1) < 1e-9, "seed \(seed): \(residual)")
      // By Helly's theorem no more than n + 1.
      tally.expect(conflict.inequalities.count <= n + 1, "seed \(seed): \(conflict)")
      for left in conflict.inequalities {
        let others = program(conflict.inequalities.filter { $0 != left })
        tally.expect(try others.solve().status == .optimal, "seed \(seed): without \(left)")
      }
    }
    tally.check(atLeast: 60)
  }

  /// Feasible constraints have no conflict, a second-order cone stands in one with all its rows.
  @Test func conesConflictAsOne() throws {
    let rows = SparseMatrix(
      Matrix([[0, 0], [-1, 0], [0, -1], [-1, 0], [0, 1]]))
    func program(_ bound: Double) -> ConicProgram {
      // ‖x‖ ≤ 1, x₀ ≥ bound, x₁ ≤ 5.
      ConicProgram(
        linear: [0, 0], inequalities: rows, bounds: [1, 0, 0, -bound, 5],
        cones: [.secondOrder(3), .orthant(2)])
    }
    #expect(try program(0.9).conflictingConstraints() == nil)
    #expect(try program(1.1).conflictingConstraints()?.inequalities == [0, 1, 2, 3])
  }
}
