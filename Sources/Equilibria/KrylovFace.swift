import LinearAlgebra
import NeuralSheaves
import PiecewiseEnergies

extension FaceStep {
  /// The step by conjugate gradients in the discrepancies (Craig's method): λ solves
  /// S λ = r, each product with S = K Kᵀ + … is a reverse and a forward sweep, and no row of K is made.
  ///
  /// Every sample goes on to its own tolerance, from the λ of its last face; the samples that are left
  /// sweep side by side. Cost: two sweeps per iteration; the iterations grow with the root of
  /// cond(S), 10–100.
  static func iterative(_ set: ActiveSet, _ halt: Halt) throws(Halted) -> FaceStep {
    let problem = FaceProblem(set)
    precondition(set.freed?.open.isEmpty ?? true, "an input without prior")
    // r = gap + K·base.
    let moved = set.sheaf.forwardSubstitution(problem.base, at: set.patterns)
    var systems = problem.rows.enumerated().map { j, list in
      let right = list.map { row in
        row.gap + row.value(in: moved, column: j)
      }
      let start = list.map { set.progress[j].forces[$0.key] ?? 0 }
      return System(
        right: right, start: start, tolerance: set.progress[j].tolerance)
    }
    // The residual at the start.
    var all = Sweeps(set, problem, Array(0..<set.batch))
    let first = all.product(problem, systems.map(\.lambda))
    for j in systems.indices { systems[j].begin(first[j]) }
    var open = systems.indices.filter { !systems[$0].isDone }
    var sweeps = all
    var rounds = 0
    while !open.isEmpty && rounds < 4000 {
      try halt.check()
      if sweeps.samples.count != open.count {
        // Fewer samples, narrower sweeps.
        sweeps = Sweeps(set, problem, open)
      }
      let products = sweeps.product(problem, open.map { systems[$0].direction })
      for (q, j) in open.enumerated() { systems[j].advance(products[q]) }
      open.removeAll { systems[$0].isDone }
      rounds += 1
    }
    var rhoStep = all.pullBack(problem, systems.map(\.lambda))
    for v in rhoStep.indices where rhoStep[v].rows > 0 {
      rhoStep[v].add(problem.base[v], scale: -1)
    }
    var step = set.sheaf.forwardSubstitution(rhoStep, at: set.patterns)
    // What is held or rests does not move; then ρ moves as the stalks do, and the path goes down.
    for (j, list) in problem.rows.enumerated() {
      for row in list where row.compliance == 0 {
        let (first, other) = (row.terms[0], row.terms.dropFirst().first)
        step[first.vertex][first.row, j] = other.map { step[$0.vertex][$0.row, j] } ?? 0
      }
    }
    rhoStep = set.sheaf.coboundary(step, at: set.patterns)
    rhoStep[0].fill(0)
    return FaceStep(
      rows: problem.rows, forces: systems.map(\.lambda), rhoStep: rhoStep, step: step,
      models: problem.models,
      slopeTolerances: set.progress.map { $0.tolerance <= 1e-12 ? 1e-12 : 0 },
      freedom: problem.rows.map { _ in nil })
  }
}

/// Products with S of some samples side by side.
private struct Sweeps {
  let sheaf: NeuralSheaf
  let samples: [Int]
  let patterns: [ActivationPattern]
  let freed: ActiveSet.FreedInput?
  private var workspace: [Matrix]

  init(_ set: ActiveSet, _ problem: FaceProblem, _ samples: [Int]) {
    sheaf = set.sheaf
    self.samples = samples
    patterns =
      samples.count == set.batch ? set.patterns : set.patterns.map { $0.samples(samples) }
    freed = set.freed
    workspace = FaceProblem.cochain(set, columns: samples.count)
  }

  /// Kᵀλ, the input's part times 1/γ.
  mutating func pullBack(
    _ problem: FaceProblem, _ lambda: [[Double]]
  ) -> [Matrix] {
    for v in workspace.indices { workspace[v].fill(0) }
    for (q, j) in samples.enumerated() {
      for (row, x) in zip(problem.rows[j], lambda[q]) {
        row.add(times: x, to: &workspace, column: q)
      }
    }
    var u: [Matrix] = []
    swap(&u, &workspace)
    u = sheaf.reverseSubstitution(consume u, at: patterns)
    workspace = u
    if let freed {
      for i in 0..<u[0].rows {
        let gamma = freed.stiffness[i]
        for q in 0..<u[0].columns { u[0][i, q] *= gamma.isFinite ? 1 / gamma : 0 }
      }
    }
    return u
  }

  /// S λ.
  mutating func product(
    _ problem: FaceProblem, _ lambda: [[Double]]
  ) -> [[Double]] {
    let u = sheaf.forwardSubstitution(pullBack(problem, lambda), at: patterns)
    return samples.enumerated().map { q, j in
      zip(problem.rows[j], lambda[q]).map { row, x in
        row.value(in: u, column: q) + row.compliance * x
      }
    }
  }
}

/// The conjugate gradients of one sample.
private struct System {
  let right: [Double]
  var lambda: [Double]
  private(set) var direction: [Double]
  private var residual: [Double]
  private var square = 0.0
  private let bound: Double
  private var steps = 0

  init(right: [Double], start: [Double], tolerance: Double) {
    (self.right, lambda) = (right, start)
    residual = right
    direction = right
    // Below 1e-17 there is nothing but the rounding of the stalks.
    bound = max(tolerance * tolerance * right.reduce(0) { $0 + $1 * $1 }, 1e-34)
  }

  var isDone: Bool { !(square > bound) || steps > 40 * right.count + 200 }

  mutating func begin(_ product: [Double]) {
    residual = zip(right, product).map { $0 - $1 }
    direction = residual
    square = residual.reduce(0) { $0 + $1 * $1 }
  }

  mutating func advance(_ product: [Double]) {
    let curvature = zip(direction, product).reduce(0) { $0 + $1.0 * $1.1 }
    guard curvature > 0 else {
      square = 0
      return
    }
    let a = square / curvature
    for i in lambda.indices {
      lambda[i] += a * direction[i]
      residual[i] -= a * product[i]
    }
    let next = residual.reduce(0) { $0 + $1 * $1 }
    for i in direction.indices { direction[i] = residual[i] + next / square * direction[i] }
    square = next
    steps += 1
  }
}
