import Equilibria
import LinearAlgebra
import NeuralSheaves
import PiecewiseEnergies

/// The energy of a clamped batch, its relaxation by a solver, and what is reported of either.
extension EquilibriumRule {
  /// A network with its output clamped to a target: through κ, with the cross-entropy for a sigmoid or
  /// a softmax.
  public static func energy(
    _ sheaf: NeuralSheaf, input: Matrix, target: Matrix, coupling: Double,
    stiffness: Stiffness = .uniform
  ) throws(PinError) -> PinnedEnergy {
    let network = sheaf.network
    return PinnedEnergy(
      sheaf, pins: try Pins([.clamp(target, of: network)], network: network, input: input),
      output: OutputEdge(
        activation: network.outputActivation, energy: .crossEntropy, coupling: coupling),
      stiffness: stiffness)
  }

  /// The energy of a batch relative to the γ of z_{k+1}: in that unit a common factor of all γ is a smaller κ.
  private static func energy(
    _ sheaf: NeuralSheaf, _ batch: RuleBatch, _ kappa: Double, _ gamma: [Double]
  ) throws(PinError) -> PinnedEnergy {
    try energy(
      sheaf, input: batch.input, target: batch.target, coupling: kappa / gamma.last!,
      stiffness: Stiffness(
        sheaf.network.edges.map { gamma[$0.target] / gamma.last! }, of: sheaf.network))
  }

  /// Relaxes a batch by a solver; momenta are γ ρ.
  static func relax(
    _ sheaf: NeuralSheaf, _ batch: RuleBatch, _ kappa: Double, _ gamma: [Double],
    _ method: EquilibriumMethod, _ tolerance: Double, _ stepLimit: Int?
  ) throws -> (momenta: [Matrix], state: SheafState, report: RelaxationReport) {
    let energy = try energy(sheaf, batch, kappa, gamma)
    let solver = method.solver(tolerance: tolerance, stepLimit: stepLimit, threads: 1)
    let end = try solver.solve(energy, input: batch.input, from: batch.stalks)
    var momenta = end.discrepancy
    for v in momenta.indices where gamma[v] != 1 { momenta[v].scale(by: gamma[v]) }
    var report = RelaxationReport()
    report.unsettled = end.statuses.count { $0 != .converged }
    report.kinkNeurons = end.kinkNeurons.reduce(0, +)
    report.residuals = end.residuals
    report.addDiscords(sheaf, end.state, batch.target, kappa)
    return (momenta, end.state, report)
  }

  /// The report on a state that no solver has looked at: on its first samples, since it costs more than
  /// the relaxation.
  func report(
    _ sheaf: NeuralSheaf, _ batch: RuleBatch, _ state: SheafState, _ kappa: Double,
    _ gamma: [Double]
  ) throws -> RelaxationReport {
    let some = 0..<min(state.batch, Self.measuredSamples)
    var state = state.samples(some)
    state.output = batch.target.columns(some)
    var batch = batch
    (batch.input, batch.target) = (batch.input.columns(some), batch.target.columns(some))
    let energy = try Self.energy(sheaf, batch, kappa, gamma)
    let smallest = ClarkeGradient(energy, FlatNetwork(sheaf.network), state)
    var report = RelaxationReport()
    report.residuals = zip(smallest.residuals, energy.residualScales(batch.input)).map { $0 / $1 }
    report.unsettled = report.residuals.count { !($0 <= Self.settledResidual) }
    report.addDiscords(sheaf, state, batch.target, kappa)
    return report
  }

  /// The most samples of a thread's share that a report looks at.
  private static let measuredSamples = 16

  /// The residual up to which a sample counts as settled where no solver has a tolerance.
  static let settledResidual = SolverSettings.defaultTolerance
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
