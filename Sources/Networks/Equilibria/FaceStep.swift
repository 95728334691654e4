import LinearAlgebra
import NeuralSheaves
import PiecewiseEnergies

/// An early end was asked for.
struct Halted: Error {
  let reason: SolutionStatus
}

extension Halt {
  /// Ends what cannot hand over anything half-done.
  func check() throws(Halted) {
    if let reason { throw Halted(reason: reason) }
  }
}

/// The step from a state to the least energy on its face.
struct FaceStep {
  /// The rows of each sample.
  let rows: [[FaceRow]]
  /// λ of each sample.
  let forces: [[Double]]
  /// The step of ρ.
  let rhoStep: [Matrix]
  /// The step of the stalks; the input's has no rows where it is held.
  let step: [Matrix]
  /// The models of the output potential that it used.
  let models: [OutputModel]?
  /// The freedom left to the input, by sample, where there is any.
  var freedom: [InputFreedom?]
}

extension FaceStep {
  /// The step by the Schur complement S = KΓ⁻¹Kᵀ + diag 1/γ of each sample, made and factored.
  ///
  /// The reverse sweeps of all rows of all samples are one blocked sweep (`FaceResponses`). Cost, per
  /// sample with p rows, at most: p sweeps, p² dim Ω for S, p³/3.
  init(_ set: ActiveSet, _ halt: Halt) throws(Halted) {
    let problem = FaceProblem(set)
    let responses = try FaceResponses(set, problem, halt)
    // In orthonormal coordinates of the edges' stalks: Γ^½ρ.
    var base = problem.base
    set.stiffness.multiply(&base) { $0.squareRoot() }
    var rhoStep = base
    for v in rhoStep.indices { rhoStep[v].scale(by: -1) }
    var (forces, freedom): ([[Double]], [InputFreedom?]) = ([], [])
    for (j, list) in problem.rows.enumerated() {
      try halt.check()
      var s = responses.gram(j)
      var right = list.map(\.gap)
      responses.addProduct(base, sample: j, to: &right)
      for (q, row) in list.enumerated() { s[q, q] += row.compliance }
      if let freed = set.freed {
        let end = SaddleStep(
          s, right, responses.inputPart(j), freed, offset: problem.offset?[0].column(j),
          move: problem.base[0].column(j), model: problem.models?[j], rows: list)
        forces.append(end.forces)
        freedom.append(end.freedom)
        for (i, d) in end.inputStep.enumerated() { rhoStep[0][i, j] = d }
      } else {
        forces.append(Self.solveOrLeastNorm(s, right))
        freedom.append(nil)
      }
      responses.addTransposedProduct(forces[j], sample: j, to: &rhoStep)
    }
    set.stiffness.multiply(&rhoStep) { 1 / $0.squareRoot() }
    let step = set.sheaf.forwardSubstitution(rhoStep, at: set.patterns, input: set.input)
    rhoStep[0].fill(0)
    self.init(
      rows: problem.rows, forces: forces, rhoStep: rhoStep, step: step, models: problem.models,
      freedom: freedom)
  }

  /// S λ = r. Rows of E that depend on each other (ties in a circle) make S singular: then the
  /// solution of least norm.
  static func solveOrLeastNorm(_ s: Matrix, _ right: [Double]) -> [Double] {
    var lambda = Matrix(column: right)
    if let factor = try? CholeskyFactorization(s) {
      factor.solve(&lambda)
      return lambda.elements
    }
    guard let eigen = try? SymmetricEigendecomposition(s), let top = eigen.values.last else {
      return right.map { _ in .nan }
    }
    var coordinates = Matrix(rows: right.count, columns: 1)
    coordinates.setProduct(eigen.vectors, lambda, transposing: .left)
    for i in right.indices {
      coordinates[i, 0] = eigen.values[i] > 1e-12 * top ? coordinates[i, 0] / eigen.values[i] : 0
    }
    return (eigen.vectors * coordinates).elements
  }
}

/// The saddle system of one sample whose input is free.
///
/// With M = KΓ⁻¹Kᵀ + diag 1/γ + Q_P diag(1/γ) Q_Pᵀ over the coordinates P with a prior, and U those without,
///
///     M λ + Q_U d = r,   Q_Uᵀλ = −q̂_U.
///
/// M + Q_UQ_Uᵀ has the same solutions with d + q̂_U for d; it is positive definite where the system has
/// one solution λ. With it L Lᵀ and A = L⁻¹Q_U, d + q̂_U = A⁺(L⁻¹r + Lᵀy), where Q_Uᵀy = q̂_U. Directions
/// outside the rows of A are undetermined; the step does not move them.
private struct SaddleStep {
  var forces: [Double]
  var inputStep: [Double]
  var freedom: InputFreedom?

  init(
    _ kk: Matrix, _ right: [Double], _ q: Matrix, _ freed: ActiveSet.FreedInput,
    offset: [Double]?, move: [Double], model: OutputModel?, rows: [FaceRow]
  ) {
    let (n, p) = (q.rows, q.columns)
    // Rows of Q scaled by 1/√γ, those without a prior as they are, those that are held by 0.
    var scaled = q
    for c in 0..<p {
      for i in 0..<n {
        let gamma = freed.stiffness[i]
        scaled[i, c] *= gamma == 0 ? 1 : gamma == .infinity ? 0 : 1 / gamma.squareRoot()
      }
    }
    var m = kk
    m.addGram(ofColumns: 0..<p, of: scaled)
    var r = Matrix(column: right)
    for c in 0..<p {
      // `move` is x − t̄ − q̂/γ where there is a prior and 0 elsewhere.
      for i in 0..<n { r[c, 0] += q[i, c] * move[i] }
    }
    inputStep = [Double](repeating: 0, count: n)
    let open = freed.open
    if !open.isEmpty {
      // M = V diag(h) Vᵀ; L⁻¹ = diag(h^{−1/2}) Vᵀ, rank-revealing.
      guard p > 0, let eigen = try? SymmetricEigendecomposition(m) else {
        forces = right.map { _ in p == 0 ? 0 : .nan }
        freedom = InputFreedom(
          dimension: open.count, coordinates: open,
          determined: Matrix(rows: open.count, columns: 0))
        return
      }
      let top = max(eigen.values.last!, .leastNormalMagnitude)
      var root = eigen.vectors.transposed
      for i in 0..<p {
        let h = eigen.values[i]
        for c in 0..<p { root[i, c] *= h > 1e-13 * top ? 1 / h.squareRoot() : 0 }
      }
      let qOpen = q[rows: open, columns: Array(0..<p)].transposed  // (p, |U|)
      let a = root * qOpen
      var w = root * r
      if offset != nil, let model {
        // y on the model's rows: F ŷ = −g, and Lᵀy = diag(h^{1/2}) Vᵀ y.
        var y = Matrix(rows: p, columns: 1)
        let minus = Matrix(column: model.gradient.map { -$0 })
        if let solved = try? model.factor.solve(minus) {
          for (c, row) in rows.enumerated() {
            if row.factorColumn >= 0 { y[c, 0] = solved[row.factorColumn, 0] }
          }
        }
        var back = eigen.vectors.transposed * y
        for i in 0..<p { back[i, 0] *= max(eigen.values[i], 0).squareRoot() }
        w.add(back)
      }
      // A⁺ by the eigen-decomposition of A Aᵀ, of order p.
      var gram = Matrix(rows: p, columns: p)
      gram.addGram(ofColumns: 0..<p, of: a.transposed)
      guard let inner = try? SymmetricEigendecomposition(gram) else {
        forces = right.map { _ in .nan }
        return
      }
      let largest = inner.values.last ?? 0
      let good = (0..<p).filter { inner.values[$0] > 1e-13 * max(largest, 1e-300) }
      var basis = Matrix(rows: open.count, columns: good.count)
      var d = Matrix(rows: open.count, columns: 1)
      for (b, i) in good.enumerated() {
        let left = inner.vectors.columns(i..<i + 1)
        var direction = a.transposed * left
        direction.scale(by: 1 / inner.values[i].squareRoot())
        basis.setColumns(from: b, to: direction)
        d.add(direction, scale: dot(left, w) / inner.values[i].squareRoot())
      }
      // λ = M⁻¹(r − Q_U d′); then d = d′ − q̂_U.
      r.add(qOpen * d, scale: -1)
      for (k, i) in open.enumerated() { inputStep[i] = d[k, 0] - (offset?[i] ?? 0) }
      if good.count < open.count {
        let moved = open.indices.filter { k in
          let part = (0..<basis.columns).reduce(0) { $0 + basis[k, $1] * basis[k, $1] }
          return part < 1 - 1e-8
        }
        freedom = InputFreedom(
          dimension: open.count - good.count, coordinates: moved.map { open[$0] },
          determined: basis)
      }
    }
    forces = FaceStep.solveOrLeastNorm(m, r.elements)
    for i in 0..<n where freed.stiffness[i] > 0 && freed.stiffness[i] < .infinity {
      let pull = (0..<p).reduce(0) { $0 + q[i, $1] * forces[$1] }
      inputStep[i] = pull / freed.stiffness[i] - move[i]
    }
  }
}
