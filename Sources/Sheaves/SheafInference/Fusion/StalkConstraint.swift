import ConvexPrograms
import LinearAlgebra
import SparseFactorizations

/// A linear constraint on the values of cells: Σ ⟨a_σ, x_σ⟩ equal to, at most or at least a number.
public struct StalkConstraint: Sendable, Equatable {
  /// How the sum stands to the number.
  public enum Relation: String, Sendable, CaseIterable {
    case equal = "="
    case atMost = "<="
    case atLeast = ">="
  }

  /// For messages.
  public var name: String
  /// a_σ by cell.
  public var terms: [Int: [Double]]
  public var relation: Relation
  public var value: Double

  /// A constraint on several cells.
  public init(_ name: String, _ terms: [Int: [Double]], _ relation: Relation, _ value: Double) {
    (self.name, self.terms, self.relation, self.value) = (name, terms, relation, value)
  }

  /// Bounds of one coordinate of a cell.
  public static func bound(
    _ name: String, cell: Int, coordinate: Int, of dimension: Int, _ relation: Relation,
    _ value: Double
  ) -> StalkConstraint {
    var a = [Double](repeating: 0, count: dimension)
    a[coordinate] = 1
    return StalkConstraint(name, [cell: a], relation, value)
  }
}

/// Constraints on the unknowns of a model: rows cᵀx = v or cᵀx ≤ v.
struct UnknownConstraints: Sendable {
  /// One column for each.
  let transposed: SparseMatrix
  let values: [Double]
  let isEquality: [Bool]
  let names: [String]

  /// - Throws: `unknownCell`, `length`, `notFinite`; `quantity` for a cell that is no variable of a model that is not affine.
  init(_ list: [StalkConstraint], _ model: any InferenceModel) throws(InferenceError) {
    let zero = [Double](repeating: 0, count: model.layout.dimension)
    var builder = SparseMatrix.ColumnBuilder(rows: model.layout.dimension)
    var values: [Double] = []
    for constraint in list {
      var sums: [Int: Double] = [:]
      let sign = constraint.relation == .atLeast ? -1.0 : 1
      var offset = 0.0
      guard constraint.value.isFinite else {
        throw .quantity(
          name: "the constraint \"\(constraint.name)\"", found: "\(constraint.value)",
          expected: "a finite number")
      }
      for (cell, a) in constraint.terms.sorted(by: { $0.key < $1.key }) {
        guard (0..<model.cellCount).contains(cell) else { throw .unknownCell("\(cell)") }
        guard let value = model.value(of: cell, at: zero),
          model.isAffine || model.layout.range(of: cell) != nil
        else {
          throw .quantity(
            name: "the constraint \"\(constraint.name)\"",
            found:
              "the cell \"\(model.name(cell))\", whose value is no affine function of the unknowns",
            expected: "minimal cells")
        }
        guard a.count == value.value.count else {
          throw .quantity(
            name: "the constraint \"\(constraint.name)\"",
            found: "\(a.count) factors of \"\(model.name(cell))\"",
            expected: "\(value.value.count), the dimension of its stalk")
        }
        for (j, factor) in a.enumerated() {
          guard factor.isFinite else { throw .notFinite(cell: model.name(cell), found: factor) }
          value.transposed.forEachEntry(ofColumn: j) { sums[$0, default: 0] += factor * $1 }
          offset += factor * value.value[j]
        }
      }
      for (row, value) in sums.sorted(by: { $0.key < $1.key }) {
        builder.append(row: row, sign * value)
      }
      builder.endColumn()
      values.append(sign * (constraint.value - offset))
    }
    (transposed, self.values) = (builder.matrix, values)
    isEquality = list.map { $0.relation == .equal }
    names = list.map(\.name)
  }

  var isEmpty: Bool { values.isEmpty }

  /// ‖c‖ of each constraint.
  var sizes: [Double] { transposed.columnSquares.map { $0.squareRoot() } }

  /// v − cᵀx.
  func slack(at x: [Double]) -> [Double] {
    zip(values, transposed.adjoint(Matrix(column: x)).column(0)).map { $0 - $1 }
  }

  /// d that minimises ½dᵀPd + qᵀd under the constraints at x + B d, with the multipliers.
  ///
  /// - Throws: `infeasible` with the names of an irreducible set of constraints.
  func step(
    _ p: SparseMatrix, _ q: [Double], from x: [Double], along basis: SparseMatrix?
  ) throws -> (d: [Double], multipliers: [Double]) {
    // Unknowns are scaled to a unit diagonal of P, so that units are no matter.
    var scales = [Double](repeating: 1, count: q.count)
    for j in 0..<p.columns {
      p.forEachEntry(ofColumn: j) { if $0 == j && $1 > 0 { scales[j] = 1 / $1.squareRoot() } }
    }
    let columns = (basis.map { $0.transposed.times(transposed) } ?? transposed)
      .scalingRows(by: scales)
    // So are constraints to unit norm, and the step to the distance that they or the slope ask for.
    let sizes = columns.columnSquares.map { $0 > 0 ? $0.squareRoot() : 1 }
    let distances = zip(slack(at: x), sizes).map { $0 / $1 }
    let slope = zip(scales, q).map { $0 * $1 }
    let reach = max(
      distances.reduce(1) { max($0, abs($1)) }, slope.reduce(0) { max($0, abs($1)) })
    let rows = columns.scalingColumns(by: sizes.map { 1 / $0 })
    let (equal, less) = (
      isEquality.indices.filter { isEquality[$0] }, isEquality.indices.filter { !isEquality[$0] }
    )
    let (a, g) = (rows.part(columns: equal).transposed, rows.part(columns: less).transposed)
    let (b, h) = (
      equal.map { distances[$0] / reach }, less.map { distances[$0] / reach }
    )
    let program = ConicProgram(
      quadratic: p.scalingRows(by: scales).scalingColumns(by: scales),
      linear: slope.map { $0 / reach }, equalities: a, equalityValues: b,
      inequalities: g,
      bounds: h)
    let found = try program.solve()
    switch found.status {
    case .optimal: break
    case .infeasible:
      let conflict = try program.conflictingConstraints()
      throw InferenceError.infeasible(
        ((conflict?.equalities ?? Array(equal.indices)).map { names[equal[$0]] }
          + (conflict?.inequalities ?? Array(less.indices)).map { names[less[$0]] }))
    default:
      throw InferenceError.quantity(
        name: "the quadratic program of the constraints", found: "\(found.status.rawValue)",
        expected: "a solution")
    }
    var multipliers = [Double](repeating: 0, count: values.count)
    for (i, k) in equal.enumerated() { multipliers[k] = found.y[i] * reach / sizes[k] }
    for (i, k) in less.enumerated() { multipliers[k] = found.z[i] * reach / sizes[k] }
    return (zip(scales, found.x).map { $0 * $1 * reach }, multipliers)
  }
}
