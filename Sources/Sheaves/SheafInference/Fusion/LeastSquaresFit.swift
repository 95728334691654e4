import CellComplexes
import Distributions
import LinearAlgebra
import SparseFactorizations

/// The unknowns that fit the residuals of a model best, found by Gauss–Newton steps with Levenberg's and Marquardt's
/// damping; reweighted (IRLS) where the loss is not the square.
///
/// Linear constraints of the section model are solved once, x = x₀ + B z, and the steps taken in z; others, of maps that
/// are not affine, by an augmented Lagrangian (Hestenes 1969; Powell 1969).
struct LeastSquaresFit: Sendable {
  /// x.
  var point: [Double]
  /// Residuals and derivative at x, without weights.
  var system: Linearization
  /// The weight of each block.
  var weights: [Double]
  /// Σ of the losses.
  var cost: Double
  /// The largest |c(x)| of the constraints.
  private(set) var defect = 0.0
  private(set) var iterations = 0
  private(set) var status = SolutionStatus.converged
  /// B at the solution; nil where all unknowns are free.
  private(set) var basis: SparseMatrix?
  /// The equations of the last step, where they are those at the solution.
  private(set) var normal: NormalEquations?

  /// What is minimised.
  struct Problem: Sendable {
    let model: any InferenceModel
    var readingLoss = Loss.leastSquares
    var agreementLoss = Loss.leastSquares
    var tolerance = 1e-10
    var maximumIterations = 200
    var halt = Halt.never
    var constraints: UnknownConstraints?
    /// Whether the equations that are kept are to have covariances.
    var wantsCovariance = false

    /// The same with squares for losses.
    var withLeastSquares: Problem {
      var result = self
      (result.readingLoss, result.agreementLoss) = (.leastSquares, .leastSquares)
      result.wantsCovariance = false
      return result
    }
  }

  /// The multipliers of the constraints at the solution.
  private(set) var multipliers: [Double] = []

  /// The blocks' weights and the total cost of residuals.
  static func weights(
    _ residual: [Double], _ problem: Problem
  ) -> (weights: [Double], cost: Double) {
    var evaluators: [Int: (Double) -> (weight: Double, cost: Double)] = [:]
    var total = 0.0
    let weights = problem.model.layout.blocks.map { block -> Double in
      let loss = block.kind == .reading ? problem.readingLoss : problem.agreementLoss
      var s = 0.0
      for i in block.rows { s += residual[i] * residual[i] }
      if loss == .leastSquares {
        total += s / 2
        return 1
      }
      let key = 2 * block.rows.count + (block.kind == .reading ? 0 : 1)
      let evaluate = evaluators[key] ?? loss.evaluator(block.rows.count)
      evaluators[key] = evaluate
      let found = evaluate(s)
      total += found.cost
      return found.weight
    }
    return (weights, total)
  }

  /// x + B z, or x + z where all unknowns are free.
  static func moved(_ x: [Double], _ z: [Double], along basis: SparseMatrix?) -> [Double] {
    zip(x, basis.map { $0(Matrix(column: z)).column(0) } ?? z).map { $0 + $1 }
  }

  /// What fits best with other weights of the blocks.
  func refitted(
    _ weights: [Double], _ layout: ModelLayout
  ) throws(FactorizationError) -> [Double] {
    var system = Self.weighted(system, weights, layout)
    if let basis { system.transposed = system.transposed.along(basis.transposed) }
    let step = try Self.step(system, 0)
    return Self.moved(point, step, along: basis)
  }

  /// The values of unknowns that minimise the cost, the others held.
  init(_ problem: Problem, from start: [Double], moving free: [Int]) throws {
    point = start
    guard !free.isEmpty else {
      // Derivatives, which may not be finite where values are, are not asked for.
      let residual = try problem.model.residual(at: start)
      system = Linearization(
        transposed: SparseMatrix(rows: start.count, columns: residual.count, entries: []),
        residual: residual)
      (weights, cost) = Self.weights(residual, problem)
      basis = SparseMatrix(rows: start.count, columns: 0, entries: [])
      return
    }
    system = try problem.model.linearized(at: start)
    (weights, cost) = Self.weights(system.residual, problem)
    let columns = SparseMatrix(
      rows: start.count, columns: free.count,
      entries: free.enumerated().map { ($1, $0, 1) })
    basis = columns
    try descend(problem, basis: columns)
  }

  /// The residuals of blocks times the roots of weights.
  static func weighted(
    _ system: Linearization, _ weights: [Double], _ layout: ModelLayout
  ) -> Linearization {
    guard weights.contains(where: { $0 != 1 }) else { return system }
    var factors = [Double](repeating: 1, count: system.residual.count)
    for (block, weight) in zip(layout.blocks, weights) {
      for i in block.rows { factors[i] = weight.squareRoot() }
    }
    return Linearization(
      transposed: system.transposed.scalingColumns(by: factors),
      residual: zip(system.residual, factors).map { $0 * $1 })
  }

  /// - Throws: `InferenceError` for maps that are not finite at the start and constraints without solution; what
  ///   factorisations throw.
  init(_ problem: Problem, from start: [Double]) throws {
    let model = problem.model
    point = start
    system = try model.linearized(at: start)
    (weights, cost) = Self.weights(system.residual, problem)
    let constraints = try model.constraints(at: start)
    if constraints.residual.isEmpty {
      try descend(problem, basis: nil)
      try polish(problem)
    } else if model.isAffine {
      // c(x) = C x + c from its value at the start.
      let image = constraints.transposed.adjoint(Matrix(column: start)).column(0)
      let sections = try SectionBasis(
        Linearization(
          transposed: constraints.transposed,
          residual: zip(constraints.residual, image).map { $0 - $1 }), unknowns: start.count)
      let size = constraints.residual.reduce(1) { max($0, abs($1)) }
      guard sections.defect <= 1e-8 * size else {
        throw InferenceError.quantity(
          name: "the restriction maps",
          found: "affine ones that no values satisfy, to \(sections.defect)",
          expected: "some global section")
      }
      // The section nearest to the start: x₀ is orthogonal to the columns of B, which are orthonormal.
      let along = sections.basis(sections.basis.transposed(Matrix(column: start))).column(0)
      point = zip(sections.particular, along).map { $0 + $1 }
      system = try model.linearized(at: point)
      (weights, cost) = Self.weights(system.residual, problem)
      basis = sections.basis
      try descend(problem, basis: sections.basis)
      try polish(problem)
      defect = sections.defect
    } else {
      try descendWithMultipliers(problem)
    }
  }

  /// Gauss–Newton steps in z.
  private mutating func descend(
    _ problem: Problem, basis: SparseMatrix?,
    penalty: ((_ x: [Double]) throws(InferenceError) -> Linearization)? = nil
  ) throws {
    let model = problem.model
    let isQuadratic =
      model.isAffine && problem.readingLoss == .leastSquares
      && problem.agreementLoss == .leastSquares && penalty == nil
    var damping = 0.0
    let isConstrained = problem.constraints.map { !$0.isEmpty } ?? false
    if let constraints = problem.constraints, isConstrained {
      if isQuadratic {
        // From where they would be without constraints: programs that ask for large steps are solved to few digits.
        point = try refitted(weights, model.layout)
        system = try model.linearized(at: point)
      }
      try enter(constraints, basis, model)
      (weights, cost) = Self.weights(system.residual, problem)
    }
    var penalties = try penalty?(point)
    func total(_ cost: Double, _ penalties: Linearization?) -> Double {
      cost + (penalties?.residual.reduce(0) { $0 + $1 * $1 / 2 } ?? 0)
    }
    let byRows = basis?.transposed
    for _ in 0..<problem.maximumIterations {
      if let stop = problem.halt.reason {
        status = stop
        return
      }
      iterations += 1
      var full = Self.weighted(system, weights, model.layout)
      if let penalties {
        full = Linearization(
          transposed: full.transposed.beside(penalties.transposed),
          residual: full.residual + penalties.residual)
      }
      if let byRows { full.transposed = full.transposed.along(byRows) }
      let before = total(cost, penalties)
      var isAccepted = false
      while !isAccepted {
        let step: [Double]
        if let constraints = problem.constraints, !constraints.isEmpty {
          // Free directions need some: what it costs the others the last step makes good.
          let gram = Self.damped(full, max(damping, 1e-9))
          (step, multipliers) = try constraints.step(
            gram.transposed.outerGram,
            full.transposed(Matrix(column: full.residual)).column(0), from: point, along: basis)
        } else if isQuadratic && damping == 0 {
          // The matrix stays what it is: it is factored once.
          let blocks = basis == nil ? model.layout.ranges : []
          let equations = try NormalEquations(
            full, covarianceOf: problem.wantsCovariance ? blocks : nil)
          step = try equations.solution(for: full.residual)
          normal = equations
        } else {
          step = try Self.step(full, damping)
        }
        let next = Self.moved(point, step, along: basis)
        let size = zip(next, point).reduce(0) { max($0, abs($1.0 - $1.1)) }
        let scale = point.reduce(1e-300) { max($0, abs($1)) }
        // What the model of first order promises: ½‖r‖² − ½‖r + J d‖².
        let after = zip(full.transposed.adjoint(Matrix(column: step)).column(0), full.residual)
        let promised =
          (full.residual.reduce(0) { $0 + $1 * $1 }
            - after.reduce(0) { $0 + ($1.0 + $1.1) * ($1.0 + $1.1) })
          / 2
        // Values that are not finite are a step too far.
        let tried: (Linearization, [Double], Double, Linearization?)?
        do throws(InferenceError) {
          let there = try model.linearized(at: next)
          let found = Self.weights(there.residual, problem)
          tried = (there, found.weights, found.cost, try penalty?(next))
        } catch {
          tried = nil
        }
        let newCost = tried.map { total($0.2, $0.3) } ?? .infinity
        let isSmall = size <= problem.tolerance * max(scale, 1e-8)
        if newCost <= before * (1 + 1e-13) || (isSmall && newCost.isFinite) {
          isAccepted = true
          let gain = promised > 0 ? (before - newCost) / promised : 1
          damping =
            gain > 0.75
            ? (damping < 1e-9 ? 0 : damping / 5) : gain > 0.25 ? damping : max(2 * damping, 1e-6)
          point = next
          (system, weights, cost, penalties) = tried!
          // The next program starts where this one ended, and asks for less.
          if isQuadratic && !isConstrained || isSmall || promised <= 1e-15 * max(before, 1e-290) {
            return
          }
        } else {
          if isSmall || damping > 1e12 { return }
          damping = max(10 * damping, 1e-4)
        }
      }
    }
    status = .stepLimit
  }

  /// d with (JᵀJ + μ diag JᵀJ) d = −Jᵀ r.
  static func step(
    _ system: Linearization, _ damping: Double
  ) throws(FactorizationError) -> [Double] {
    let system = damping > 0 ? damped(system, damping) : system
    return try NormalEquations(system, covarianceOf: nil).solution(for: system.residual)
  }

  /// J over √μ diag(JᵀJ)^½, and r over 0.
  static func damped(_ system: Linearization, _ damping: Double) -> Linearization {
    let squares = system.transposed.rowSquares
    var builder = SparseMatrix.ColumnBuilder(rows: squares.count)
    for (i, s) in squares.enumerated() {
      builder.append(row: i, (damping * (s > 0 ? s : 1)).squareRoot())
      builder.endColumn()
    }
    return Linearization(
      transposed: system.transposed.beside(builder.matrix),
      residual: system.residual + [Double](repeating: 0, count: squares.count))
  }

  /// Minimises the cost + ρ/2 ‖c(x) + y/ρ‖² with growing ρ and y ← y + ρ c(x).
  private mutating func descendWithMultipliers(_ problem: Problem) throws {
    let model = problem.model
    var multipliers = [Double](
      repeating: 0, count: try model.constraints(at: point).residual.count)
    var penalty = max(1, cost)
    var previous = Double.infinity
    for _ in 0..<30 {
      let (rho, y) = (penalty, multipliers)
      // That an earlier round ended at its limit is no matter.
      status = .converged
      try descend(problem, basis: nil) { x throws(InferenceError) in
        let c = try model.constraints(at: x)
        return Linearization(
          transposed: c.transposed.mapValues { rho.squareRoot() * $0 },
          residual: zip(c.residual, y).map { rho.squareRoot() * ($0 + $1 / rho) })
      }
      if status == .interrupted || status == .timeLimit { return }
      let c = try model.constraints(at: point)
      for i in multipliers.indices { multipliers[i] += rho * c.residual[i] }
      defect = c.residual.reduce(0) { max($0, abs($1)) }
      let size = point.reduce(1) { max($0, abs($1)) }
      if defect <= 1e-10 * size { break }
      if defect > previous / 4 { penalty *= 10 }
      previous = defect
    }
    let c = try model.constraints(at: point)
    let zero = Linearization(
      transposed: c.transposed, residual: [Double](repeating: 0, count: c.residual.count))
    basis = try SectionBasis(zero, unknowns: point.count).basis
    let size = point.reduce(1) { max($0, abs($1)) }
    if defect > 1e-6 * size { status = .stalled }
  }
}
