import Equilibria
import LinearAlgebra
import NeuralSheaves
import PiecewiseEnergies

/// A way to get a direction for the parameters from a batch: backpropagation or equilibrium.
public protocol GradientRule: Sendable {
  /// gradients ← weight · Σ over the samples of this rule's gradient.
  func setGradients(
    _ sheaf: NeuralSheaf, input: Matrix, target: Matrix, weight: Double,
    into gradients: inout ParameterGradients
  ) throws -> RelaxationReport
  /// How many sweeps a gradient costs, roughly; to decide about threads.
  func sweeps(_ network: Network) -> Int
}

/// What the relaxations of one or more batches came to.
public struct RelaxationReport: Sendable {
  /// How many samples were relaxed.
  public var samples = 0
  /// How many of them did not settle.
  public var unsettled = 0
  /// How many coordinates rested on a kink.
  public var kinkNeurons = 0
  /// Their stationarity residuals.
  public var residuals: [Double] = []

  /// Nothing relaxed, as in backpropagation.
  public init() {}

  /// Appends another report.
  public mutating func add(_ other: RelaxationReport) {
    samples += other.samples
    unsettled += other.unsettled
    kinkNeurons += other.kinkNeurons
    residuals += other.residuals
  }

  /// The share of samples that did not settle; nil if none was relaxed.
  public var unsettledFraction: Double? {
    samples == 0 ? nil : Double(unsettled) / Double(samples)
  }

  /// The median stationarity residual; nil if none was relaxed.
  public var medianResidual: Double? {
    residuals.isEmpty ? nil : residuals.sorted()[residuals.count / 2]
  }
}

/// Reverse-mode differentiation of the loss of `Evaluation`: the baseline.
public struct Backpropagation: GradientRule {
  /// The rule.
  public init() {}

  public func sweeps(_ network: Network) -> Int { 3 }

  public func setGradients(
    _ sheaf: NeuralSheaf, input: Matrix, target: Matrix, weight: Double,
    into gradients: inout ParameterGradients
  ) -> RelaxationReport {
    let network = sheaf.network
    let state = sheaf.forwardPass(input)
    let patterns = sheaf.patterns(at: state)
    let last = network.lastVertex
    var cotangent = sheaf.zeroCochain(batch: input.columns)
    // The derivative of the loss in z_{k+1} is a multiple of φ(z) − y for every φ.
    network.outputActivation.apply(state.stalks[last], into: &cotangent[last])
    cotangent[last].add(target, scale: -1)
    cotangent[last].scale(by: network.lossGradientScale)
    for (e, edge) in network.edges.enumerated().reversed() {
      let v = cotangent[edge.target]
      edge.operation.addParameterGradients(
        v, source: state.stalks[edge.source], scale: weight, keeping: 0, into: &gradients.edges[e])
      if edge.source != 0 {
        edge.operation.addTranspose(
          v, at: patterns[e], keeping: 1, into: &cotangent[edge.source])
      }
    }
    return RelaxationReport()
  }
}

extension Network {
  /// c in ∂(loss of one sample)/∂z_{k+1} = c (φ(z_{k+1}) − y): 2/n for the mean squared error, 1/n
  /// for sigmoid, 1 for softmax.
  var lossGradientScale: Double {
    switch outputActivation {
    case .identity: 2 / Double(outputDimension)
    case .sigmoid: 1 / Double(outputDimension)
    case .softmax: 1
    }
  }
}

/// Training by local discrepancy: the stalks are relaxed with the output clamped through κ, then
/// ∂E*/∂W = −ρ_z aᵀ, ∂E*/∂b = −ρ_z with the equilibrium ρ and a (envelope theorem). Each edge
/// uses its own discrepancy and its own source, nothing else.
///
/// The gradient is that of E*/κ, scaled so that κ → 0 gives the gradient of the loss. The
/// relaxation itself uses δ_Ω⁻ᵀ, which has the structure of a backward sweep, unless the method is
/// `coordinate` or `flow`.
public struct EquilibriumRule: GradientRule {
  /// The weight κ of the clamp.
  public var coupling: Double
  /// How equilibria are found.
  public var method: EquilibriumMethod
  /// The residual that counts as settled.
  public var tolerance: Double
  /// The most steps of a relaxation; nil for the method's own limit.
  public var stepLimit: Int?

  /// The rule for a coupling κ > 0.
  public init(
    coupling: Double = 0.1, method: EquilibriumMethod = .auto, tolerance: Double = 1e-8,
    stepLimit: Int? = nil
  ) {
    precondition(coupling > 0 && tolerance > 0)
    (self.coupling, self.method) = (coupling, method)
    (self.tolerance, self.stepLimit) = (tolerance, stepLimit)
  }

  public func sweeps(_ network: Network) -> Int { 3 * (network.outputDimension + 2) }

  /// Relaxes the samples against their targets and adds up what each edge makes of its own
  /// discrepancy.
  ///
  /// - Throws: `EquilibriumError` where the method does not take the network.
  public func setGradients(
    _ sheaf: NeuralSheaf, input: Matrix, target: Matrix, weight: Double,
    into gradients: inout ParameterGradients
  ) throws -> RelaxationReport {
    let network = sheaf.network
    let energy = try Self.energy(sheaf, input: input, target: target, coupling: coupling)
    let solver = method.solver(
      for: energy, tolerance: tolerance, stepLimit: stepLimit, threads: 1)
    let end = try solver.solve(energy, input: input)
    for (e, edge) in network.edges.enumerated() {
      edge.operation.addParameterGradients(
        end.discrepancy[edge.target], source: end.state.stalks[edge.source],
        scale: -weight * network.lossGradientScale / coupling, keeping: 0,
        into: &gradients.edges[e])
    }
    var report = RelaxationReport()
    report.samples = input.columns
    report.unsettled = end.statuses.count { $0 != .converged }
    report.kinkNeurons = end.kinkNeurons.reduce(0, +)
    report.residuals = end.residuals
    return report
  }

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
}
