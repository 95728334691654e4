import LinearAlgebra
import SparseFactorizations

extension ConicProgram {
  /// Solves the program, or proves that it has no solution.
  ///
  /// Cost: some 10 to 40 steps, each a sparse Cholesky factorisation of P + Gᵀ W⁻² G, where a second-order cone
  /// joins all unknowns that its rows have: one of k rows with c unknowns takes k c² operations. With equalities
  /// also a dense Schur complement, at one solution for each, or, where they are many, conjugate gradients.
  ///
  /// Where strict feasibility fails on either side, as for a variable fixed by two inequalities, multipliers may be
  /// large and the last digits lost. Where a second-order cone is missed only in the limit, or the only certificates
  /// lie on its boundary, the smallest change of the program would give it a point; the status may then be `.stalled`.
  ///
  /// - Throws: `notFinite` for a number that is not; `outOfMemory`; without SuiteSparse `needsSparseFactorization`.
  public func solve(_ settings: Settings = Settings()) throws(FactorizationError) -> Solution {
    guard isFinite else { throw .notFinite }
    if unknowns == 0 { return withoutUnknowns() }
    let solution = try solveOrDirection(settings)
    guard solution.status == .unbounded else { return solution }
    // Nothing falls for ever where there is nothing.
    let region = try feasibility.solveOrDirection(settings)
    return region.status == .infeasible ? region : solution
  }

  /// The program of the point of least norm.
  var feasibility: ConicProgram {
    ConicProgram(
      quadratic: SparseMatrix(
        rows: unknowns, columns: unknowns, entries: (0..<unknowns).map { ($0, $0, 1) }),
      linear: [Double](repeating: 0, count: unknowns), equalities: equalities,
      equalityValues: equalityValues, inequalities: inequalities, bounds: bounds, cones: cones)
  }

  /// Solves a program with unknowns; one with a direction may have no point.
  private func solveOrDirection(
    _ settings: Settings
  ) throws(FactorizationError) -> Solution {
    guard equalities.rows > 0 else { return try solveIndependent(settings) }
    let rows = try IndependentRows(
      equalities, values: equalityValues, tolerance: settings.certificateTolerance)
    if let y = rows.certificate {
      return certificate(
        y: y, z: [Double](repeating: 0, count: inequalities.rows),
        x: [Double](repeating: 0, count: unknowns), iterations: 0)
    }
    guard rows.kept.count < equalities.rows else { return try solveIndependent(settings) }
    let reduced = ConicProgram(
      quadratic: quadratic, linear: linear, equalities: equalities.part(rows: rows.kept),
      equalityValues: rows.kept.map { equalityValues[$0] }, inequalities: inequalities,
      bounds: bounds, cones: cones)
    var solution = try reduced.solveIndependent(settings)
    var y = [Double](repeating: 0, count: equalities.rows)
    for (k, row) in rows.kept.enumerated() { y[row] = solution.y[k] }
    solution.y = y
    return solution
  }

  /// Solves a program with independent equalities.
  private func solveIndependent(
    _ settings: Settings
  ) throws(FactorizationError) -> Solution {
    let units = Equilibration(self)
    let system = try SaddleSystem(units.program, cones: ConeBlocks(cones))
    if let direction = system.freeDirection {
      let x = zip(direction, units.unknowns).map { $0 * $1 * units.objective }
      return self.direction(
        x, s: [Double](repeating: 0, count: inequalities.rows), iterations: 0)
    }
    var method = try InteriorPoint(system, settings: settings)
    var best: (measure: Measure, point: InteriorPoint.Iterate)?
    var (sinceBest, iterations) = (0, 0)
    while true {
      let residuals = method.residuals()
      let measure = Measure(self, units, method.iterate, residuals)
      if measure.worst <= settings.tolerance {
        return optimum(method.iterate, units, measure, .optimal, iterations)
      }
      if let found = certificate(
        method.iterate, units, measure, tolerance: settings.certificateTolerance, iterations)
      {
        return found
      }
      if measure.worst < (best?.measure.worst ?? .infinity) {
        sinceBest = measure.worst < 0.9 * (best?.measure.worst ?? .infinity) ? 0 : sinceBest + 1
        best = (measure, method.iterate)
      } else {
        sinceBest += 1
      }
      if settings.halt.reason != nil {
        return optimum(
          best?.point ?? method.iterate, units, best?.measure ?? measure, .interrupted, iterations)
      }
      // Close to the goal rounding undoes more than the steps gain; far from it a certificate may be forming.
      let isAcceptable = (best?.measure.worst ?? .infinity) <= settings.acceptableTolerance
      let patience = isAcceptable ? 5 : 60
      guard iterations < settings.stepLimit, sinceBest < patience, try method.step(residuals) > 1e-8
      else {
        if isAcceptable, let best {
          return optimum(best.point, units, best.measure, .optimal, iterations)
        }
        return certificate(
          method.iterate, units, measure, tolerance: settings.acceptableTolerance, iterations)
          ?? optimum(
            best?.point ?? method.iterate, units, best?.measure ?? measure, .stalled, iterations)
      }
      iterations += 1
    }
  }

  /// The point of an iterate in the program's own units.
  private func optimum(
    _ point: InteriorPoint.Iterate, _ units: Equilibration, _ measure: Measure, _ status: Status,
    _ iterations: Int
  ) -> Solution {
    let scale = 1 / point.tau
    return Solution(
      status: status, x: zip(point.x, units.unknowns).map { $0 * $1 * scale },
      y: zip(point.y, units.equalities).map { $0 * $1 * scale / units.objective },
      z: zip(point.z, units.inequalities).map { $0 * $1 * scale / units.objective },
      s: zip(point.s, units.inequalities).map { $0 / $1 * scale },
      objective: measure.objective, dualObjective: measure.dualObjective, gap: measure.gap,
      primalResidual: measure.primal, dualResidual: measure.dual, iterations: iterations)
  }

  /// A proof that there is no solution, if the iterate has one.
  private func certificate(
    _ point: InteriorPoint.Iterate, _ units: Equilibration, _ measure: Measure, tolerance: Double,
    _ iterations: Int
  ) -> Solution? {
    if measure.infeasibility <= tolerance {
      let scale = 1 / (measure.bound * units.objective)
      return certificate(
        y: zip(point.y, units.equalities).map { $0 * $1 * scale },
        z: zip(point.z, units.inequalities).map { $0 * $1 * scale },
        x: zip(point.x, units.unknowns).map { $0 * $1 / point.tau }, iterations: iterations)
    }
    if measure.unboundedness <= tolerance {
      return direction(
        zip(point.x, units.unknowns).map { $0 * $1 / measure.fall },
        s: zip(point.s, units.inequalities).map { $0 / $1 / measure.fall }, iterations: iterations)
    }
    return nil
  }

  private func certificate(
    y: [Double], z: [Double], x: [Double], iterations: Int
  ) -> Solution {
    let residual = sum(equalities.transposedTimes(y), inequalities.transposedTimes(z)).size
    return Solution(
      status: .infeasible, x: x, y: y, z: z, s: sum(bounds, inequalities.times(x), scale: -1),
      objective: .infinity, dualObjective: .infinity, gap: 0, primalResidual: .infinity,
      dualResidual: residual, iterations: iterations)
  }

  private func direction(_ x: [Double], s: [Double], iterations: Int) -> Solution {
    Solution(
      status: .unbounded, x: x, y: [Double](repeating: 0, count: equalities.rows),
      z: [Double](repeating: 0, count: inequalities.rows), s: s, objective: -.infinity,
      dualObjective: -.infinity, gap: 0,
      primalResidual: max(equalities.times(x).size, sum(inequalities.times(x), s).size),
      dualResidual: quadratic.symmetrized.times(x).size, iterations: iterations)
  }

  /// Whether 0 = b and h ∈ K.
  private func withoutUnknowns() -> Solution {
    let blocks = ConeBlocks(cones)
    let z = blocks.projection(bounds.scaled(by: -1))
    let fall = dot(bounds, z) - dot(equalityValues, equalityValues)
    if fall < 0 {
      return certificate(
        y: equalityValues.map { $0 / fall }, z: z.map { -$0 / fall }, x: [], iterations: 0)
    }
    return Solution(
      status: .optimal, x: [], y: equalityValues.map { _ in 0 }, z: bounds.map { _ in 0 },
      s: bounds, objective: 0, dualObjective: 0, gap: 0, primalResidual: 0, dualResidual: 0,
      iterations: 0)
  }
}
