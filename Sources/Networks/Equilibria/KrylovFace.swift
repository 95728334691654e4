import LinearAlgebra
import NeuralSheaves
import PiecewiseEnergies

extension FaceStep {
  /// The step by conjugate gradients in the discrepancies (Craig's method): λ solves
  /// S λ = r, each product with S = KΓ⁻¹Kᵀ + … is a reverse and a forward sweep, and no row of K is made.
  ///
  /// Every sample goes on to its own tolerance, from the λ of its last face; the samples that are left
  /// sweep side by side. Cost: two sweeps per iteration; the iterations grow with the root of
  /// cond(S), 10–100.
  static func iterative(_ set: ActiveSet, _ halt: Halt) throws(Halted) -> FaceStep {
    let problem = FaceProblem(set)
    precondition(set.freed?.open.isEmpty ?? true, "an input without prior")
    // r = gap + K·base, in as many rows as the sample with the most has.
    let moved = set.sheaf.forwardSubstitution(
      problem.base, at: set.patterns, input: set.input)
    let count = problem.rows.map(\.count).max() ?? 0
    var right = Matrix(rows: count, columns: set.batch)
    var start = right
    for (j, list) in problem.rows.enumerated() {
      for (q, row) in list.enumerated() {
        right[q, j] = row.gap + row.value(in: moved, column: j)
        start[q, j] = set.progress[j].forces[row.key] ?? 0
      }
    }
    let schur = SchurOperator(set, problem, count: count)
    // Below 1e-17 there is nothing but the rounding of the stalks.
    let end = ConjugateGradients(
      absoluteTolerance: 1e-17, stepLimit: min(4000, 40 * count + 200), halt: halt
    ).solve(schur, right, from: start, tolerances: set.progress.map(\.tolerance))
    if let reason = end.statuses.first(where: { $0 == .timeLimit || $0 == .interrupted }) {
      throw Halted(reason: reason)
    }
    let forces = problem.rows.enumerated().map { j, list in
      Array(end.value.column(j).prefix(list.count))
    }
    var rhoStep = schur.pullBack(end.value)
    for v in rhoStep.indices where rhoStep[v].rows > 0 {
      rhoStep[v].add(problem.base[v], scale: -1)
    }
    var step = set.sheaf.forwardSubstitution(rhoStep, at: set.patterns, input: set.input)
    // What is held or rests does not move; then ρ moves as the stalks do, and the path goes down.
    for (j, list) in problem.rows.enumerated() {
      for row in list where row.compliance == 0 {
        let (first, other) = (row.terms[0], row.terms.dropFirst().first)
        step[first.vertex][first.row, j] = other.map { step[$0.vertex][$0.row, j] } ?? 0
      }
    }
    rhoStep = set.sheaf.coboundary(step, at: set.patterns, input: set.input)
    rhoStep[0].fill(0)
    return FaceStep(
      rows: problem.rows, forces: forces, rhoStep: rhoStep, step: step,
      models: problem.models,
      slopeTolerances: set.progress.map { $0.tolerance <= 1e-12 ? 1e-12 : 0 },
      freedom: problem.rows.map { _ in nil })
  }
}

/// S = KΓ⁻¹Kᵀ + diag 1/γ of each sample, its rows beyond the sample's own being 0; a freed input adds
/// Q diag(1/γ) Qᵀ.
private struct SchurOperator: LinearOperator {
  private let sheaf: NeuralSheaf
  private let faceRows: [[FaceRow]]
  private let patterns: [ActivationPattern]
  private let freed: ActiveSet.FreedInput?
  private let stiffness: Stiffness
  private var input: InputRole { freed == nil ? .held : .free }
  let rows: Int

  init(_ set: ActiveSet, _ problem: FaceProblem, count: Int) {
    (sheaf, faceRows, patterns) = (set.sheaf, problem.rows, set.patterns)
    (freed, stiffness, rows) = (set.freed, set.stiffness, count)
  }

  private init(_ other: SchurOperator, _ indices: [Int]) {
    (sheaf, freed, stiffness) = (other.sheaf, other.freed, other.stiffness)
    (faceRows, rows) = (indices.map { other.faceRows[$0] }, other.rows)
    patterns = other.patterns.map { $0.samples(indices) }
  }

  var columns: Int { rows }
  var traits: OperatorTraits { .positiveSemidefinite }
  var systems: Int? { faceRows.count }
  func systems(_ indices: [Int]) -> SchurOperator { SchurOperator(self, indices) }

  /// Γ⁻¹Kᵀλ, the input's part times 1/γ of its prior.
  func pullBack(_ lambda: Matrix) -> [Matrix] {
    var u = sheaf.zeroCochain(batch: faceRows.count, input: input)
    for (j, list) in faceRows.enumerated() {
      for (q, row) in list.enumerated() { row.add(times: lambda[q, j], to: &u, column: j) }
    }
    sheaf.substituteBackward(&u, at: patterns, input: input)
    stiffness.multiply(&u) { 1 / $0 }
    if let freed {
      for i in 0..<u[0].rows {
        let gamma = freed.stiffness[i]
        for j in 0..<u[0].columns { u[0][i, j] *= gamma.isFinite ? 1 / gamma : 0 }
      }
    }
    return u
  }

  func apply(_ x: Matrix, into y: inout Matrix) {
    let u = sheaf.forwardSubstitution(pullBack(x), at: patterns, input: input)
    y.fill(0)
    for (j, list) in faceRows.enumerated() {
      for (q, row) in list.enumerated() {
        y[q, j] = row.value(in: u, column: j) + row.compliance * x[q, j]
      }
    }
  }

  func applyAdjoint(_ y: Matrix, into x: inout Matrix) { apply(y, into: &x) }
}
