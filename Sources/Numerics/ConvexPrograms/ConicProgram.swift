import LinearAlgebra

/// A convex quadratic program over a product of cones,
///
///     minimise ½ xᵀ P x + qᵀ x   subject to   A x = b,   h − G x ∈ K,
///
/// with P positive semidefinite and K a product of orthants and second-order cones. Linear and second-order cone
/// programs are those with P = 0.
///
/// ```swift
/// // The point of the triangle x, y ≥ 0, x + y ≤ 1 nearest to (1, 1): (½, ½).
/// let program = ConicProgram(
///   quadratic: SparseMatrix(rows: 2, columns: 2, entries: [(0, 0, 1), (1, 1, 1)]), linear: [-1, -1],
///   inequalities: SparseMatrix(
///     rows: [[(0, -1)], [(1, -1)], [(0, 1), (1, 1)]], columns: 2), bounds: [0, 0, 1])
/// let solution = try program.solve()
/// ```
public struct ConicProgram: Sendable {
  /// A factor of K.
  public enum Cone: Sendable, Equatable {
    /// So many rows that are not negative each.
    case orthant(Int)
    /// So many rows (t, u), at least one, with ‖u‖₂ ≤ t.
    case secondOrder(Int)

    /// The number of rows.
    public var rows: Int {
      switch self {
      case .orthant(let n), .secondOrder(let n): n
      }
    }
  }

  /// P, (n, n): its lower triangle.
  public let quadratic: SparseMatrix
  /// q, n numbers.
  public let linear: [Double]
  /// A, (p, n).
  public let equalities: SparseMatrix
  /// b, p numbers.
  public let equalityValues: [Double]
  /// G, (m, n).
  public let inequalities: SparseMatrix
  /// h, m numbers.
  public let bounds: [Double]
  /// The factors of K in the order of their rows of G and h.
  public let cones: [Cone]

  /// A program from its matrices and vectors; what is left out is absent.
  ///
  /// - Parameters:
  ///   - quadratic: P, (n, n), positive semidefinite, of which the lower triangle is read; 0 if nil.
  ///   - linear: q, one number for each unknown.
  ///   - equalities: A, (p, n), of any rank.
  ///   - equalityValues: b.
  ///   - inequalities: G, (m, n).
  ///   - bounds: h.
  ///   - cones: with m rows in all; one orthant if nil.
  public init(
    quadratic: SparseMatrix? = nil, linear: [Double], equalities: SparseMatrix? = nil,
    equalityValues: [Double] = [], inequalities: SparseMatrix? = nil, bounds: [Double] = [],
    cones: [Cone]? = nil
  ) {
    let n = linear.count
    let absent = SparseMatrix(rows: 0, columns: n, entries: [])
    let p = quadratic ?? SparseMatrix(rows: n, columns: n, entries: [])
    let (a, g) = (equalities ?? absent, inequalities ?? absent)
    precondition(
      p.rows == n && p.columns == n && a.columns == n && g.columns == n,
      "matrices (\(p.rows), \(p.columns)), (\(a.rows), \(a.columns)) and (\(g.rows), \(g.columns)) for \(n) unknowns"
    )
    precondition(
      a.rows == equalityValues.count, "\(equalityValues.count) values of \(a.rows) equalities")
    precondition(g.rows == bounds.count, "\(bounds.count) bounds of \(g.rows) rows")
    let factors = cones ?? [.orthant(g.rows)]
    precondition(
      factors.reduce(0) { $0 + $1.rows } == g.rows, "cones whose rows are not \(g.rows) in all")
    precondition(
      factors.allSatisfy {
        if case .secondOrder(let k) = $0 { k > 0 } else { $0.rows >= 0 }
      }, "a cone without rows")
    self.quadratic = p.lowerTriangle
    (self.linear, self.equalities, self.equalityValues) = (linear, a, equalityValues)
    (self.inequalities, self.bounds, self.cones) = (g, bounds, factors)
  }

  /// Whether all numbers are.
  var isFinite: Bool {
    [
      quadratic.values, linear, equalities.values, equalityValues, inequalities.values, bounds,
    ].allSatisfy { $0.allSatisfy(\.isFinite) }
  }

  /// n.
  public var unknowns: Int { linear.count }

  /// ½ xᵀ P x + qᵀ x.
  public func objective(_ x: [Double]) -> Double {
    var sum = 0.0
    for j in 0..<unknowns {
      sum += linear[j] * x[j]
      quadratic.forEachEntry(ofColumn: j) { i, value in
        sum += (i == j ? 0.5 : 1) * value * x[i] * x[j]
      }
    }
    return sum
  }
}

extension SparseMatrix {
  /// The entries on and below the diagonal.
  var lowerTriangle: SparseMatrix {
    var builder = ColumnBuilder(rows: rows)
    builder.reserve(columns: columns, entries: values.count)
    for j in 0..<columns {
      forEachEntry(ofColumn: j) { if $0 >= j { builder.append(row: $0, $1) } }
      builder.endColumn()
    }
    return builder.matrix
  }

  /// A x.
  func times(_ x: [Double]) -> [Double] {
    var y = Matrix(rows: rows, columns: 1)
    addProduct(Matrix(column: x), keeping: 0, into: &y)
    return y.elements
  }

  /// Aᵀ y.
  func transposedTimes(_ y: [Double]) -> [Double] {
    var x = Matrix(rows: columns, columns: 1)
    addTransposedProduct(Matrix(column: y), keeping: 0, into: &x)
    return x.elements
  }

  /// The matrix with other entries at the same places.
  func with(_ values: [Double]) -> SparseMatrix {
    precondition(values.count == self.values.count)
    var k = -1
    return mapValues { _ in
      k += 1
      return values[k]
    }
  }
}
