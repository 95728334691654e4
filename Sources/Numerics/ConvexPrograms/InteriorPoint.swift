import LinearAlgebra
import SparseFactorizations

/// The primal–dual method on the homogeneous embedding
///
///     P x + Aᵀy + Gᵀz + q τ = 0,   A x = b τ,   G x + s = h τ,   κ + xᵀPx/τ + qᵀx + bᵀy + hᵀz = 0,
///     s, z ∈ K, sᵀz = 0,   τ, κ ≥ 0, τκ = 0
///
/// (Andersen & Ye, Math. Prog. 84, 1999, for monotone complementarity). Of a solution with τ > 0, x/τ is optimal;
/// one with κ > 0 has a certificate that there is none: y, z or x.
///
/// Each step takes Newton's direction for these equations with W⁻¹s ∘ Wz = σμ e, in the scaling of Nesterov and
/// Todd, predicted for σ = 0 and corrected by its second-order term (Mehrotra). The step of τ separates: with
/// K₁ the solution of the saddle-point system for the residuals, K₂ that for (−q, b, h), ξ = x/τ,
///
///     Δτ = (d_τ − d_κ/τ + (2Pξ + q)ᵀx₁ + bᵀy₁ + hᵀz₁) / (κ/τ + ‖ξ − x₂‖²_P + ‖W z₂‖²),   Δ = K₁ + Δτ K₂,
///
/// W z₂ being the last part of K₂, and the denominator −(2Pξ + q)ᵀx₂ − bᵀy₂ − hᵀz₂ + ξᵀPξ + κ/τ by the equations of K₂.
struct InteriorPoint {
  let system: SaddleSystem
  let settings: ConicProgram.Settings
  private(set) var iterate: Iterate

  private var program: ConicProgram { system.program }
  private var cones: ConeBlocks { system.cones }

  /// A point of the embedding.
  struct Iterate: Sendable {
    var x: [Double]
    var y: [Double]
    var z: [Double]
    var s: [Double]
    var tau = 1.0
    var kappa = 1.0
  }

  /// What the equations of the embedding leave, and the terms that they are made of.
  struct Residuals: Sendable {
    var px: [Double]
    var ay: [Double]
    var gz: [Double]
    var ax: [Double]
    var gx: [Double]
    /// P x + Aᵀy + Gᵀz + q τ, A x − b τ, G x + s − h τ and the fourth.
    var x: [Double]
    var y: [Double]
    var z: [Double]
    var tau: Double
    var curvature: Double
    var linear: Double
    /// bᵀy + hᵀz.
    var bound: Double
  }

  /// Starts from the solution of the program with ½‖s‖² for its cones, s and z moved inside.
  init(
    _ system: SaddleSystem, settings: ConicProgram.Settings
  ) throws(FactorizationError) {
    (self.system, self.settings) = (system, settings)
    let unit = NesterovToddScaling(identity: system.cones)
    let program = system.program
    let start = try SaddleFactors(system, unit).solve(
      SaddleVector(
        x: program.linear.scaled(by: -1), y: program.equalityValues, z: program.bounds))
    iterate = Iterate(
      x: start.x, y: start.y, z: start.z, s: start.z.scaled(by: -1))
    Self.moveInside(&iterate.s, system.cones)
    Self.moveInside(&iterate.z, system.cones)
    // Where the systems are singular, or nearly, numbers far off say nothing.
    if !(start.size <= 1e8) {
      iterate = Iterate(
        x: start.x.map { _ in 0 }, y: start.y.map { _ in 0 }, z: unit.lambda, s: unit.lambda)
    }
  }

  private static func moveInside(_ v: inout [Double], _ cones: ConeBlocks) {
    let depth = cones.depth(v)
    if depth < 1e-2 { cones.addUnit(1 - depth, to: &v) }
  }

  /// The residuals of the iterate.
  func residuals() -> Residuals {
    let i = iterate
    let px = system.quadratic.transposedTimes(i.x)
    let ay = program.equalities.transposedTimes(i.y)
    let gz = program.inequalities.transposedTimes(i.z)
    let ax = system.transposedEqualities.transposedTimes(i.x)
    let gx = system.transposedInequalities.transposedTimes(i.x)
    let curvature = dot(i.x, px)
    let linear = dot(program.linear, i.x)
    let bound = dot(program.equalityValues, i.y) + dot(program.bounds, i.z)
    return Residuals(
      px: px, ay: ay, gz: gz, ax: ax, gx: gx,
      x: sum(sum(sum(px, ay), gz), program.linear, scale: i.tau),
      y: sum(ax, program.equalityValues, scale: -i.tau),
      z: sum(sum(gx, i.s), program.bounds, scale: -i.tau),
      tau: i.kappa + curvature / i.tau + linear + bound, curvature: curvature,
      linear: linear, bound: bound)
  }

  /// A Newton step, as long as it stays inside.
  ///
  /// - Returns: its length; 0 where rounding lets there be none.
  mutating func step(_ r: Residuals) throws(FactorizationError) -> Double {
    guard let scaling = NesterovToddScaling(cones, s: iterate.s, z: iterate.z) else { return 0 }
    let factors: SaddleFactors
    do {
      factors = try SaddleFactors(system, scaling)
    } catch {
      if case .outOfMemory = error { throw error }
      if case .needsSparseFactorization = error { throw error }
      return 0
    }
    let (tau, kappa) = (iterate.tau, iterate.kappa)
    let newton = Newton(
      system: system, scaling: scaling, factors: factors, iterate: iterate, residuals: r,
      constant: try factors.solve(
        SaddleVector(
          x: program.linear.scaled(by: -1), y: program.equalityValues,
          z: scaling.applyInverse(program.bounds))))
    let lambda = scaling.lambda
    let squares = cones.product(lambda, lambda)
    let (predicted, ds, dz) = try newton.direction(
      keep: 1, complementarity: squares, kappa: kappa * tau)
    let reach = min(1, length(along: predicted))
    guard reach.isFinite, reach >= 0 else { return 0 }
    let centring = (1 - reach) * (1 - reach) * (1 - reach)
    let mu = (dot(iterate.s, iterate.z) + kappa * tau) / Double(cones.degree + 1)
    var target = sum(squares, cones.product(ds, dz))
    cones.addUnit(-centring * mu, to: &target)
    let direction = try newton.direction(
      keep: 1 - centring, complementarity: target,
      kappa: kappa * tau + predicted.kappa * predicted.tau - centring * mu
    ).step
    let length = min(1, 0.99 * length(along: direction))
    guard length.isFinite, length > 0 else { return 0 }
    iterate.x = sum(iterate.x, direction.x, scale: length)
    iterate.y = sum(iterate.y, direction.y, scale: length)
    iterate.z = sum(iterate.z, direction.z, scale: length)
    iterate.s = sum(iterate.s, direction.s, scale: length)
    iterate.tau += length * direction.tau
    iterate.kappa += length * direction.kappa
    normalize()
    return length
  }

  /// The embedding is homogeneous: the larger of τ and κ is kept at 1, that powers do not overflow.
  private mutating func normalize() {
    let scale = 1 / max(iterate.tau, iterate.kappa)
    guard scale > 1e3 || scale < 1e-3 else { return }
    iterate = Iterate(
      x: iterate.x.scaled(by: scale), y: iterate.y.scaled(by: scale),
      z: iterate.z.scaled(by: scale), s: iterate.s.scaled(by: scale), tau: iterate.tau * scale,
      kappa: iterate.kappa * scale)
  }

  /// How far the iterate can go before it leaves the cones.
  private func length(along d: Iterate) -> Double {
    var length = min(
      cones.largestStep(iterate.s, along: d.s), cones.largestStep(iterate.z, along: d.z))
    if d.tau < 0 { length = min(length, -iterate.tau / d.tau) }
    if d.kappa < 0 { length = min(length, -iterate.kappa / d.kappa) }
    return d.x.size.isFinite && d.y.size.isFinite && !d.tau.isNaN ? length : .nan
  }
}

/// The directions of one step, by one factorisation.
private struct Newton {
  let system: SaddleSystem
  let scaling: NesterovToddScaling
  let factors: SaddleFactors
  let iterate: InteriorPoint.Iterate
  let residuals: InteriorPoint.Residuals
  /// K₂.
  let constant: SaddleVector

  /// The direction for `keep` times the residuals, λ ∘ (W⁻¹Δs + WΔz) = −complementarity and τΔκ + κΔτ = −kappa;
  /// and W⁻¹Δs and WΔz.
  func direction(
    keep: Double, complementarity: [Double], kappa: Double
  ) throws(FactorizationError) -> (step: InteriorPoint.Iterate, ds: [Double], dz: [Double]) {
    let (program, r) = (system.program, residuals)
    let pull = system.cones.quotient(complementarity, by: scaling.lambda)
    let first = try factors.solve(
      SaddleVector(
        x: r.x.scaled(by: -keep), y: r.y.scaled(by: -keep),
        z: sum(pull, scaling.applyInverse(r.z), scale: -keep)))
    let tau = iterate.tau
    let slope = sum(program.linear, r.px, scale: 2 / tau)
    let top =
      keep * r.tau - kappa / tau + dot(slope, first.x) + dot(program.equalityValues, first.y)
      + dot(program.bounds, scaling.applyInverse(first.z))
    let offset = sum(iterate.x.scaled(by: 1 / tau), constant.x, scale: -1)
    let bottom =
      iterate.kappa / tau + max(dot(offset, system.quadratic.transposedTimes(offset)), 0)
      + dot(constant.z, constant.z)
    let deltaTau = top / bottom
    let delta = first.adding(constant, scale: deltaTau)
    // By the linear equation and not by −W (pull + WΔz), of which rounding would be left in the residual.
    let image = system.transposedInequalities.transposedTimes(delta.x)
    let deltaS = sum(
      sum(r.z.scaled(by: -keep), image, scale: -1), program.bounds, scale: deltaTau)
    let step = InteriorPoint.Iterate(
      x: delta.x, y: delta.y, z: scaling.applyInverse(delta.z), s: deltaS, tau: deltaTau,
      kappa: -(kappa + iterate.kappa * deltaTau) / tau)
    return (step, sum(pull, delta.z).scaled(by: -1), delta.z)
  }
}
