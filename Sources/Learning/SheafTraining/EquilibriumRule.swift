import Equilibria
import LinearAlgebra
import NeuralSheaves
import PiecewiseEnergies

/// Training by local discrepancy: the stalks are relaxed with the output clamped through κ, then
/// ∂E*/∂W = −γ ρ_z aᵀ, ∂E*/∂b = −γ ρ_z with the equilibrium ρ and a (envelope theorem). Each edge
/// uses its own discrepancy and its own source, nothing else.
///
/// The gradient is that of E*/κ, scaled so that κ → 0 gives the gradient of the loss
/// (Docs/Training.md). The relaxation itself uses δ_Ω⁻ᵀ, which has the structure of a backward sweep,
/// unless it is by `coordinate` or `flow`.
public struct EquilibriumRule: GradientRule {
  /// How stalks are relaxed.
  public enum Relaxation: Sendable, Equatable {
    /// Within a budget: a forward pass, then two sweeps for each of a number of directions.
    case sweeps(directions: Int)
    /// By a solver of pinned equilibria, up to its tolerance or a number of its steps.
    case solver(
      EquilibriumMethod, tolerance: Double = SolverSettings.defaultTolerance, stepLimit: Int? = nil)
  }

  /// The weight κ of the clamp.
  public var coupling: Schedule
  /// The stiffness γ of the other edges.
  public var stiffness: EdgeStiffness
  /// How stalks are relaxed.
  public let relaxation: Relaxation
  /// The longest γ_e‖ρ_e‖/κ of a sample on an edge that counts wholly; longer ones are shortened to it,
  /// so that single samples do not tear at the parameters.
  public let discordClip: Double?
  private var sweep: SweepRelaxation?

  /// κ = 0.003: small enough that on hard data accuracy is near that of backpropagation (Docs/Training.md).
  public static let defaultCoupling = 0.003

  /// The rule.
  ///
  /// - Throws: `TrainingError.setting` for settings out of their range.
  public init(
    coupling: Schedule = .constant(defaultCoupling), stiffness: EdgeStiffness = .uniform,
    relaxation: Relaxation = .sweeps(directions: 1), discordClip: Double? = nil
  ) throws(TrainingError) {
    switch relaxation {
    case .sweeps(let n) where n < 1:
      throw .setting(name: "directions", found: "\(n)", expected: "at least 1")
    case .solver(_, let tolerance, _) where !(tolerance > 0 && tolerance.isFinite):
      throw .setting(
        name: "tolerance", found: "\(tolerance)", expected: "a positive finite number")
    case .solver(_, _, let limit?) where limit < 1:
      throw .setting(name: "steps of a relaxation", found: "\(limit)", expected: "at least 1")
    default: break
    }
    if let discordClip, !(discordClip > 0) {
      throw .setting(
        name: "discord-clip", found: "\(discordClip)", expected: "a positive number")
    }
    // Solvers see ratios of stiffnesses, and κ in units of one.
    for t in [0.0, 1] {
      let common = stiffness.schedule.value(at: t)
      let gammas = [common] + stiffness.factors.values.map { common * $0 }
      let ratio = gammas.max()! / gammas.min()!
      let found = gammas.first { !($0 > 0 && $0.isFinite) } ?? ratio
      guard gammas.allSatisfy({ $0 > 0 && $0.isFinite }) && ratio < 1e150 else {
        throw .setting(
          name: "stiffness of all edges and factors of some together", found: "\(found)",
          expected: "positive numbers whose ratios are below 1e150")
      }
    }
    (self.coupling, self.stiffness) = (coupling, stiffness)
    (self.relaxation, self.discordClip) = (relaxation, discordClip)
  }

  /// The budget and the gradients, or a guess at what a solver takes.
  public func sweeps(_ network: Network) -> Int {
    switch relaxation {
    case .sweeps(let n): 2 + 2 * n
    case .solver: 40 * (network.outputDimension + 2)
    }
  }

  /// κ/(γ · the loss's scale) of each edge.
  public func energyScales(_ network: Network, at progress: Double) -> [Double] {
    let scale = effectiveCoupling(at: progress) / network.lossGradientScale
    let gamma = stiffness.values(network, at: progress)
    return network.edges.map { scale / gamma[$0.target] }
  }

  /// κ.
  public func coupling(at progress: Double) -> Double? { coupling.value(at: progress) }

  /// Relaxes the samples against their targets and hands over what each edge makes of its own
  /// discrepancy.
  ///
  /// - Throws: `EquilibriumError` where the method does not take the network.
  public mutating func visitEdges(
    _ sheaf: NeuralSheaf, _ batch: inout RuleBatch, _ body: (EdgeGradient) -> Void
  ) throws -> RelaxationReport {
    let end = try relax(sheaf, &batch)
    end.visitEdges(sheaf.network, discordClip: discordClip, body)
    return end.report
  }

  /// Where a batch was relaxed to.
  struct Relaxed {
    let state: SheafState
    /// scale · momenta = γρ/κ.
    let momenta: [Matrix]
    let scale: Double
    let report: RelaxationReport

    /// The gradient of E*/κ, edge by edge.
    func visitEdges(
      _ network: Network, discordClip: Double? = nil, _ body: (EdgeGradient) -> Void
    ) {
      let factor = -scale * network.lossGradientScale
      for (e, edge) in network.edges.enumerated() where !edge.operation.parameterNames.isEmpty {
        var v = momenta[edge.target]
        if let discordClip { v.shortenColumns(to: discordClip / scale) }
        body(EdgeGradient(edge: e, cotangent: v, source: state.stalks[edge.source], scale: factor))
      }
    }
  }

  /// Relaxes the samples.
  mutating func relax(_ sheaf: NeuralSheaf, _ batch: inout RuleBatch) throws -> Relaxed {
    let kappa = effectiveCoupling(at: batch.progress)
    let gamma = stiffness.values(sheaf.network, at: batch.progress)
    switch relaxation {
    case .sweeps(let directions):
      if sweep?.fits(sheaf.network, batch: batch.input.columns) != true {
        sweep = SweepRelaxation(sheaf, batch: batch.input.columns)
      }
      sweep!.run(
        sheaf, input: batch.input, target: batch.target, coupling: kappa, stiffness: gamma,
        directions: directions)
      let isReported = batch.isMeasured && kappa > 0
      return Relaxed(
        state: sweep!.state, momenta: sweep!.momenta, scale: 1,
        report: isReported
          ? try report(sheaf, batch, sweep!.state, kappa, gamma) : RelaxationReport())
    case .solver(let method, let tolerance, let stepLimit):
      let end = try Self.relax(sheaf, batch, kappa, gamma, method, tolerance, stepLimit)
      if batch.stalks != nil { batch.stalks = SheafState(stalks: end.state.stalks) }
      return Relaxed(
        state: end.state, momenta: end.momenta, scale: 1 / kappa, report: end.report)
    }
  }

  /// κ, for solvers not below the least at which ρ/κ still has digits.
  func effectiveCoupling(at progress: Double) -> Double {
    let kappa = coupling.value(at: progress)
    if case .sweeps = relaxation { return kappa }
    return max(kappa, SweepRelaxation.negligibleCoupling)
  }
}

extension Matrix {
  /// Shortens columns that are longer than `length` to it.
  fileprivate mutating func shortenColumns(to length: Double) {
    for j in 0..<columns {
      let norm = sumOfSquares(column: j).squareRoot()
      guard norm > length else { continue }
      for i in 0..<rows { self[i, j] *= length / norm }
    }
  }
}
