import LinearAlgebra
import NeuralSheaves

/// Another rule with a penalty on the network's sensitivity: the mean over the batch of
///
///     ½ τ² Σ_e s_e ‖J_eᵀc‖²,   s_e the mean square of what edge e determines over the batch,
///
/// which is, to first order in τ², what the loss gains when every edge has Gaussian noise of τ² times the power of its signal; one draw
/// of signs stands for the trace (`NoisePenalty`). s_e is differentiated with the rest: a network whose layers are rescaled without
/// changing its function has the same penalty, so that it cannot be lowered for free. It is a relative of dropout's
/// explicit regulariser (C. Wei, S. Kakade, T. Ma, *The implicit and explicit regularization effects of dropout*, ICML 2020).
///
/// Cost: with backpropagation a forward pass, two reverse sweeps, a forward substitution and the gradients twice, of which all but one
/// reverse sweep and one gradient leave out the first layer; with another rule its own besides.
public struct RelativeNoise: GradientRule {
  /// τ², the power of the noise relative to the signal's.
  public let variance: Double
  /// The rule; nil for backpropagation, whose sweep the penalty shares.
  private var base: (any GradientRule)?
  private var penalty: NoisePenalty

  /// A default worth trying: τ² = 0.1 (Docs/Training.md has what it does).
  public static let defaultVariance = 0.1

  /// A rule with the penalty.
  ///
  /// - Parameters:
  ///   - variance: τ².
  ///   - base: a rule that asks for no sums of its own.
  /// - Throws: `TrainingError.setting` unless τ² is positive and finite.
  public init(
    _ variance: Double = defaultVariance, on base: any GradientRule = Backpropagation()
  ) throws(TrainingError) {
    guard variance > 0 && variance.isFinite else {
      throw .setting(
        name: "relative-noise", found: "\(variance)", expected: "a positive finite number")
    }
    precondition(base.sumCount == 0, "a rule with sums of its own cannot be the base")
    self.variance = variance
    self.base = base is Backpropagation ? nil : base
    penalty = NoisePenalty(.relative(variance))
  }

  /// Those of the other rule and four, the gradients among them.
  public func sweeps(_ network: Network) -> Int { 4 + (base?.sweeps(network) ?? 2) }

  /// Those of the other rule.
  public func energyScales(_ network: Network, at progress: Double) -> [Double] {
    (base ?? Backpropagation()).energyScales(network, at: progress)
  }

  /// κ of the other rule.
  public func coupling(at progress: Double) -> Double? { base?.coupling(at: progress) }

  /// Yes: one for each output.
  public func needsSigns(_ network: Network) -> Bool { true }

  /// Of the squares of what edges determine, and of the J_eᵀc.
  public var sumCount: Int { 2 }

  /// A share's sums of squares, edge by edge.
  public mutating func sums(_ k: Int, _ sheaf: NeuralSheaf, _ batch: RuleBatch) -> [Double] {
    k == 0
      ? penalty.runForward(sheaf, batch.input) : penalty.pullBack(sheaf, signs: batch.signs)
  }

  /// The other rule's gradient and the penalty's.
  public mutating func visitEdges(
    _ sheaf: NeuralSheaf, _ batch: inout RuleBatch, _ body: (EdgeGradient) -> Void
  ) throws -> RelaxationReport {
    let report = try base?.visitEdges(sheaf, &batch, body) ?? RelaxationReport()
    penalty.visit(
      sheaf, signs: batch.signs, target: base == nil ? batch.target : nil, sums: batch.sums,
      size: batch.size, body)
    return report
  }
}
