import LinearAlgebra
import NeuralSheaves
import SheafProbability

/// Training by the evidence of the sheaf as a probability model: the mean over the batch of
///
///     (E*_κ + ½ log det(I + CH))/κ,   H = ∇²V,
///
/// which is −log p(y | x)/κ by Laplace's method but for constants, at κ = 1 with V = −log likelihood of a class. E* alone falls when a network grows
/// more sensitive; the determinant is what that costs. Stalks are relaxed by an `EquilibriumRule`, and the determinant's gradient is by sweeps at its end
/// (`SheafPosterior.evidenceGradient()`).
///
/// Beyond `exactOutputs` outputs the determinant is replaced by ½ tr(CH) at the forward pass, one draw of signs for the trace (`NoisePenalty`).
///
/// Cost: that of the equilibrium, and sweeps with n_{k+1} columns a sample, which leave out the first layer; a `RelativeNoise` beyond.
public struct EvidenceRule: GradientRule {
  /// The most outputs for which the determinant is exact.
  public static let exactOutputs = 32

  /// The relaxation, its coupling κ and stiffness γ.
  public private(set) var equilibrium: EquilibriumRule
  private var determinant = DeterminantGradient()
  private var probe: NoisePenalty?

  /// The rule.
  ///
  /// - Throws: `TrainingError.setting` for a coupling that comes to 0, and for discords that are clipped: they are no energy's gradient.
  public init(_ equilibrium: EquilibriumRule) throws(TrainingError) {
    let least = [0, 1].map { equilibrium.coupling.value(at: $0) }.min()!
    guard least > 0 else {
      throw .setting(
        name: "coupling", found: "\(least)", expected: "a positive number throughout")
    }
    guard equilibrium.discordClip == nil else {
      throw .setting(
        name: "discord-clip", found: "\(equilibrium.discordClip!)", expected: "none for evidence")
    }
    self.equilibrium = equilibrium
  }

  /// Those of the equilibrium, and two sweeps and gradients for each output.
  public func sweeps(_ network: Network) -> Int {
    equilibrium.sweeps(network)
      + (needsSigns(network) ? 5 : 3 * network.outputDimension)
  }

  /// Those of the equilibrium.
  public func energyScales(_ network: Network, at progress: Double) -> [Double] {
    equilibrium.energyScales(network, at: progress)
  }

  /// κ.
  public func coupling(at progress: Double) -> Double? { equilibrium.coupling(at: progress) }

  /// Beyond `exactOutputs` outputs.
  public func needsSigns(_ network: Network) -> Bool {
    network.outputDimension > Self.exactOutputs
  }

  /// The gradient of (E* + ½ log det(I + CH))/κ.
  public mutating func visitEdges(
    _ sheaf: NeuralSheaf, _ batch: inout RuleBatch, _ body: (EdgeGradient) -> Void
  ) throws -> RelaxationReport {
    let network = sheaf.network
    let gamma = equilibrium.stiffness.values(network, at: batch.progress)
    if needsSigns(network) {
      let report = try equilibrium.visitEdges(sheaf, &batch, body)
      let variances = NoisePenalty.Variance.absolute(gamma.map { 1 / $0 })
      if probe?.variance != variances { probe = NoisePenalty(variances) }
      _ = probe!.runForward(sheaf, batch.input)
      _ = probe!.pullBack(sheaf, signs: batch.signs)
      probe!.visit(sheaf, signs: batch.signs, target: nil, sums: [], size: batch.size, body)
      return report
    }
    let kappa = equilibrium.effectiveCoupling(at: batch.progress)
    let end = try equilibrium.relax(sheaf, &batch)
    end.visitEdges(network, body)
    let model = GaussianSheaf(
      network, noise: try EdgeNoise(network.edges.map { gamma[$0.target] }, of: network))
    _ = try determinant.visit(
      model, at: end.state, momenta: end.momenta, momentumScale: end.scale * kappa,
      coupling: kappa, scale: network.lossGradientScale / kappa, body)
    return end.report
  }
}
