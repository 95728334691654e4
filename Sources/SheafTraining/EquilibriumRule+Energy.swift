import Equilibria
import LinearAlgebra
import NeuralSheaves
import PiecewiseEnergies

/// The energy of a clamped batch, its relaxation by a solver, and what is reported of either.
extension EquilibriumRule {
  /// A network with its output clamped to a target: through κ, with the cross-entropy for a sigmoid or
  /// a softmax.
  public static func energy(
    _ sheaf: NeuralSheaf, input: Matrix, target: Matrix, coupling: Double
  ) throws(PinError) -> PinnedEnergy {
    let network = sheaf.network
    let pin = Pin(
      vertex: network.vertices.count, coordinates: Array(0..<network.outputDimension),
      values: target)
    return PinnedEnergy(
      sheaf, pins: try Pins([pin], network: network, input: input),
      output: OutputEdge(
        activation: network.outputActivation, energy: .crossEntropy, coupling: coupling))
  }

  /// The weighted energy as that of an unweighted sheaf (see `Network.rescaled`): its stalks are √γ
  /// times the sheaf's. All is relative to the γ of z_{k+1}, which only changes the unit of energy.
  private static func rescaled(
    _ sheaf: NeuralSheaf, _ batch: RuleBatch, _ kappa: Double, _ gamma: [Double]
  ) throws(PinError) -> (energy: PinnedEnergy, gamma: [Double]) {
    var relative = gamma.map { $0 / gamma.last! }
    relative[0] = 1
    return (
      try energy(
        relative.allSatisfy { $0 == 1 }
          ? sheaf : NeuralSheaf(sheaf.network.rescaled(stiffness: relative)),
        input: batch.input, target: batch.target, coupling: kappa / gamma.last!),
      relative
    )
  }

  /// Relaxes a batch by a solver; momenta are γ ρ.
  static func relax(
    _ sheaf: NeuralSheaf, _ batch: RuleBatch, _ kappa: Double, _ gamma: [Double],
    _ method: EquilibriumMethod, _ tolerance: Double, _ stepLimit: Int?
  ) throws -> (momenta: [Matrix], state: SheafState, report: RelaxationReport) {
    let (energy, relative) = try rescaled(sheaf, batch, kappa, gamma)
    let solver = method.solver(
      for: energy, tolerance: tolerance, stepLimit: stepLimit, threads: 1)
    let end = try solver.solve(
      energy, input: batch.input, from: batch.stalks.map { $0.scaled(by: relative, power: 0.5) })
    let state = end.state.scaled(by: relative, power: -0.5)
    var momenta = end.discrepancy
    for v in momenta.indices where relative[v] != 1 || gamma[v] != 1 {
      // ρ̃ = √γ′ρ with γ′ = γ/γ_last; γ ρ = γ_last √γ′ ρ̃.
      momenta[v].scale(by: gamma.last! * relative[v].squareRoot())
    }
    var report = RelaxationReport()
    report.unsettled = end.statuses.count { $0 != .converged }
    report.kinkNeurons = end.kinkNeurons.reduce(0, +)
    report.residuals = end.residuals
    report.addDiscords(sheaf, state, batch.target, kappa)
    return (momenta, state, report)
  }

  /// The report on a state that no solver has looked at: on its first samples, since it costs more than
  /// the relaxation.
  func report(
    _ sheaf: NeuralSheaf, _ batch: RuleBatch, _ state: SheafState, _ kappa: Double,
    _ gamma: [Double]
  ) throws -> RelaxationReport {
    let some = 0..<min(state.batch, Self.measuredSamples)
    let state = state.samples(some)
    var batch = batch
    (batch.input, batch.target) = (batch.input.columns(some), batch.target.columns(some))
    let (energy, relative) = try Self.rescaled(sheaf, batch, kappa, gamma)
    var at = state.scaled(by: relative, power: 0.5)
    at.output = batch.target
    let smallest = ClarkeGradient(energy, FlatNetwork(energy.sheaf.network), at)
    var report = RelaxationReport()
    report.residuals = zip(smallest.residuals, energy.residualScales(batch.input)).map { $0 / $1 }
    report.unsettled = report.residuals.count { !($0 <= Self.settledResidual) }
    report.addDiscords(sheaf, state, batch.target, kappa)
    return report
  }

  /// The most samples of a thread's share that a report looks at.
  private static let measuredSamples = 16

  /// The residual up to which a sample counts as settled where no solver has a tolerance.
  static let settledResidual = 1e-8
}

extension RelaxationReport {
  /// Counts the samples of a state and adds their discords.
  fileprivate mutating func addDiscords(
    _ sheaf: NeuralSheaf, _ state: SheafState, _ target: Matrix, _ kappa: Double
  ) {
    samples += state.batch
    var state = state
    state.output = target
    let output = OutputEdge(
      activation: sheaf.network.outputActivation, energy: .crossEntropy, coupling: kappa)
    for edge in sheaf.discords(state, output: output, isClamped: true).edges {
      discordSums[edge.kind, default: 0] += edge.discord * Double(state.batch)
    }
  }
}

extension SheafState {
  /// Each stalk times a power of its vertex's γ.
  fileprivate func scaled(by gamma: [Double], power: Double) -> SheafState {
    var state = self
    for v in state.stalks.indices where gamma[v] != 1 {
      state.stalks[v].scale(by: power > 0 ? gamma[v].squareRoot() : 1 / gamma[v].squareRoot())
    }
    return state
  }
}
