import ConvexPrograms
import LinearAlgebra

extension SparseMatrix {
  /// The entries of a dense matrix that are not 0.
  init(_ a: Matrix) {
    var builder = ColumnBuilder(rows: a.rows)
    for j in 0..<a.columns {
      for i in 0..<a.rows { builder.append(row: i, a[i, j]) }
      builder.endColumn()
    }
    self = builder.matrix
  }
}

/// Dense arithmetic on what a solver returns, apart from the solver's own.
extension ConicProgram {
  /// a x, or aᵀ x.
  static func product(_ a: SparseMatrix, _ x: [Double], transposed: Bool = false) -> [Double] {
    var y = [Double](repeating: 0, count: transposed ? a.columns : a.rows)
    for j in 0..<a.columns {
      a.forEachEntry(ofColumn: j) { i, value in
        if transposed { y[j] += value * x[i] } else { y[i] += value * x[j] }
      }
    }
    return y
  }

  /// P x of the lower triangle.
  func curvature(_ x: [Double]) -> [Double] {
    var y = [Double](repeating: 0, count: unknowns)
    for j in 0..<unknowns {
      quadratic.forEachEntry(ofColumn: j) { i, value in
        y[i] += value * x[j]
        if i != j { y[j] += value * x[i] }
      }
    }
    return y
  }

  /// How far a vector is outside the cones.
  func distance(_ v: [Double]) -> Double {
    var (row, worst) = (0, 0.0)
    for cone in cones {
      switch cone {
      case .orthant(let n): for i in row..<row + n { worst = max(worst, -v[i]) }
      case .secondOrder(let n):
        let tail = (row + 1..<row + n).reduce(0) { $0 + v[$1] * v[$1] }.squareRoot()
        worst = max(worst, tail - v[row])
      }
      row += cone.rows
    }
    return worst
  }

  /// The largest violation of Karush, Kuhn and Tucker's conditions, over the largest number in them.
  func violation(_ solution: Solution) -> Double {
    let (x, y, z, s) = (solution.x, solution.y, solution.z, solution.s)
    let (px, ay) = (curvature(x), Self.product(equalities, y, transposed: true))
    let gz = Self.product(inequalities, z, transposed: true)
    let (ax, gx) = (Self.product(equalities, x), Self.product(inequalities, x))
    var worst = max(distance(z), distance(s))
    for j in 0..<unknowns { worst = max(worst, abs(px[j] + ay[j] + gz[j] + linear[j])) }
    for i in ax.indices { worst = max(worst, abs(ax[i] - equalityValues[i])) }
    for i in gx.indices { worst = max(worst, abs(gx[i] + s[i] - bounds[i])) }
    worst = max(worst, abs(zip(s, z).reduce(0) { $0 + $1.0 * $1.1 }))
    let all = [px, ay, gz, linear, ax, gx, s, equalityValues, bounds, [objective(x), 1]].joined()
    return worst / all.reduce(0) { max($0, abs($1)) }
  }

  /// The largest |Aᵀy + Gᵀz| and distance of z, and bᵀy + hᵀz.
  func refutation(_ y: [Double], _ z: [Double]) -> (residual: Double, value: Double) {
    let ay = Self.product(equalities, y, transposed: true)
    let gz = Self.product(inequalities, z, transposed: true)
    return (
      zip(ay, gz).reduce(distance(z)) { max($0, abs($1.0 + $1.1)) },
      zip(equalityValues, y).reduce(0) { $0 + $1.0 * $1.1 }
        + zip(bounds, z).reduce(0) { $0 + $1.0 * $1.1 }
    )
  }
}

/// What a random program is to be.
enum ProgramKind: Int {
  case strictlyConvex, linear, secondOrder
}

extension RandomGenerator {
  /// A program with a feasible point that is bounded, some of its inequalities tight there.
  mutating func program(
    _ kind: ProgramKind, unknowns n: Int, equalities p: Int, rows: Int
  ) -> ConicProgram {
    var cones: [ConicProgram.Cone] = [.orthant(rows)]
    if kind == .secondOrder { cones += (0..<3).map { _ in .secondOrder(integer(1...6)) } }
    cones.append(.orthant(kind == .strictlyConvex ? 0 : 2 * n))
    let m = cones.reduce(0) { $0 + $1.rows }
    var g = normalMatrix(rows: m, columns: n)
    let x = normalMatrix(rows: n, columns: 1)
    var slack = cones.dropLast().flatMap { cone -> [Double] in
      guard case .secondOrder(let k) = cone else {
        return (0..<cone.rows).map { _ in max(0, normal()) }
      }
      let tail = (1..<k).map { _ in normal() }
      return [tail.reduce(uniform() < 0.5 ? 0 : 1) { $0 + $1 * $1 }.squareRoot()] + tail
    }
    if kind != .strictlyConvex {
      for i in 0..<2 * n {
        for j in 0..<n { g[m - 2 * n + i, j] = i / 2 == j ? (i % 2 == 0 ? 1 : -1) : 0 }
        slack.append(1)
      }
    }
    let factor = normalMatrix(rows: integer(0...n), columns: n)
    var quadratic = Matrix(rows: n, columns: n)
    if kind != .linear && factor.rows > 0 { quadratic = factor.transposed * factor }
    if kind == .strictlyConvex { for i in 0..<n { quadratic[i, i] += 0.05 } }
    let a = normalMatrix(rows: p, columns: n)
    return ConicProgram(
      quadratic: SparseMatrix(quadratic), linear: normalMatrix(rows: n, columns: 1).elements,
      equalities: SparseMatrix(a), equalityValues: p > 0 ? (a * x).elements : [],
      inequalities: SparseMatrix(g),
      bounds: m > 0 ? zip((g * x).elements, slack).map { $0 + $1 } : [], cones: cones)
  }
}
