import LinearAlgebra
import SparseFactorizations

/// Linear equations and bounds on the unknowns.
extension LeastSquaresFit {
  /// Moves to the nearest point that the constraints allow, in units of the data.
  mutating func enter(
    _ constraints: UnknownConstraints, _ basis: SparseMatrix?, _ model: any InferenceModel
  ) throws {
    let slack = constraints.slack(at: point)
    let isAllowed = zip(slack, constraints.isEquality).allSatisfy { $1 ? $0 == 0 : $0 >= 0 }
    guard !isAllowed else { return }
    let n = basis?.columns ?? point.count
    let one = SparseMatrix(rows: n, columns: n, entries: (0..<n).map { ($0, $0, 1) })
    let step = try constraints.step(
      one, [Double](repeating: 0, count: n), from: point, along: basis
    ).d
    point = Self.moved(point, step, along: basis)
    system = try model.linearized(at: point)
  }

  /// The constraints that hold the point where it is: all equations, and bounds that are met to 10⁻⁵ and whose multiplier, in
  /// units of the largest force, is larger than the distance from them, in units of the largest value.
  private func active(_ constraints: UnknownConstraints) -> [Int] {
    let slack = constraints.slack(at: point)
    let sizes = constraints.sizes
    let top = max(zip(multipliers, sizes).reduce(0) { max($0, abs($1.0) * $1.1) }, 1e-300)
    let reach = point.reduce(1) { max($0, abs($1)) }
    return slack.indices.filter { k in
      if constraints.isEquality[k] { return true }
      guard sizes[k] > 0, multipliers[k] > 0 else { return false }
      let distance = abs(slack[k]) / (sizes[k] * reach)
      return distance <= 1e-5 && multipliers[k] * sizes[k] / top > distance
    }
  }

  /// The moves along which the active constraints keep their values, and one that makes them hold exactly.
  private func alongActive(
    _ active: [Int], _ constraints: UnknownConstraints
  ) throws(FactorizationError) -> SectionBasis {
    let slack = constraints.slack(at: point)
    let columns = constraints.transposed.part(columns: active)
    let rows = basis.map { columns.along($0.transposed) } ?? columns
    return try SectionBasis(
      Linearization(transposed: rows, residual: active.map { -slack[$0] }), unknowns: rows.rows)
  }

  /// One more step with the active constraints as equations, which ends closer than the quadratic program; taken where it
  /// costs no more and all constraints hold.
  mutating func polish(_ problem: Problem) throws {
    guard let constraints = problem.constraints, !constraints.isEmpty, status == .converged else {
      return
    }
    let held = try alongActive(active(constraints), constraints)
    let start = Self.moved(point, held.particular, along: basis)
    let there = try problem.model.linearized(at: start)
    var system = Self.weighted(there, weights, problem.model.layout)
    if let basis { system.transposed = system.transposed.along(basis.transposed) }
    system.transposed = system.transposed.along(held.basis.transposed)
    let step = try Self.step(system, 0)
    let next = Self.moved(start, held.basis(Matrix(column: step)).column(0), along: basis)
    let found = try problem.model.linearized(at: next)
    let (newWeights, newCost) = Self.weights(found.residual, problem)
    let reach = next.reduce(1) { max($0, abs($1)) }
    let sizes = constraints.sizes
    let holds = constraints.slack(at: next).enumerated().allSatisfy { k, slack in
      let least = -1e-9 * reach * sizes[k]
      return slack >= least && (!constraints.isEquality[k] || slack <= -least)
    }
    guard holds, newCost <= cost + 1e-6 * max(cost, 1) else { return }
    (point, self.system, weights, cost) = (next, found, newWeights, newCost)
  }

  /// The basis of the moves that keep sections sections and the active constraints active.
  func activeBasis(_ constraints: UnknownConstraints?) throws -> (
    basis: SparseMatrix?, active: [Int]
  ) {
    guard let constraints, !constraints.isEmpty else { return (basis, []) }
    let active = active(constraints)
    guard !active.isEmpty else { return (basis, []) }
    let kernel = try alongActive(active, constraints).basis
    return (basis.map { $0.times(kernel) } ?? kernel, active)
  }
}
