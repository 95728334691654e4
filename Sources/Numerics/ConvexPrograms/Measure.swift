/// How far an iterate is from a solution and from a certificate, in the program's own units.
struct Measure: Sendable {
  let objective: Double
  let dualObjective: Double
  /// The relative gap and residuals (`ConicProgram.Solution`).
  let gap: Double
  let primal: Double
  let dual: Double
  /// −(bᵀy + hᵀz), and the largest of |Aᵀy + Gᵀz| in units of it; ∞ where that is not positive.
  let bound: Double
  let infeasibility: Double
  /// −qᵀx, and the largest of |P x|, |A x| and |G x + s| in units of it.
  let fall: Double
  let unboundedness: Double

  /// The largest of the gap and the residuals.
  var worst: Double {
    gap.isNaN || primal.isNaN || dual.isNaN ? .infinity : max(gap, primal, dual)
  }

  init(
    _ program: ConicProgram, _ units: Equilibration, _ point: InteriorPoint.Iterate,
    _ r: InteriorPoint.Residuals
  ) {
    let (tau, c) = (point.tau, units.objective)
    /// The largest magnitude in other units.
    func size(_ v: [Double], per scales: [Double], _ factor: Double) -> Double {
      var most = 0.0
      for i in v.indices { most = max(most, abs(v[i] / scales[i])) }
      return most * factor
    }
    let (d, e, f) = (units.unknowns, units.equalities, units.inequalities)
    objective = (0.5 * r.curvature / tau + r.linear) / (tau * c)
    dualObjective = (-0.5 * r.curvature / tau - r.bound) / (tau * c)
    gap =
      abs(objective - dualObjective) / max(1, min(abs(objective), abs(dualObjective)))
    let primalSize = max(
      1, program.equalityValues.size, program.bounds.size, size(r.ax, per: e, 1 / tau),
      size(r.gx, per: f, 1 / tau), size(point.s, per: f, 1 / tau))
    primal = max(size(r.y, per: e, 1 / tau), size(r.z, per: f, 1 / tau)) / primalSize
    let dualSize = max(
      1, program.linear.size, size(r.px, per: d, 1 / (tau * c)),
      size(r.ay, per: d, 1 / (tau * c)), size(r.gz, per: d, 1 / (tau * c)))
    dual = size(r.x, per: d, 1 / (tau * c)) / dualSize
    bound = -r.bound / c
    infeasibility =
      bound > 0 ? size(sum(r.ay, r.gz), per: d, 1 / (bound * c)) : .infinity
    fall = -r.linear / c
    unboundedness =
      fall > 0
      ? max(
        size(r.px, per: d, 1 / (fall * c)), size(r.ax, per: e, 1 / fall),
        size(sum(r.gx, point.s), per: f, 1 / fall)) : .infinity
  }
}
