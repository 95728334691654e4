import Equilibria
import LinearAlgebra
import NeuralSheaves

/// A way to get a direction for the parameters from a batch: backpropagation or equilibrium.
public protocol GradientRule: Sendable {
  /// gradients ← weight · Σ over the samples of this rule's gradient.
  func setGradients(
    _ sheaf: NeuralSheaf, input: Matrix, target: Matrix, weight: Double,
    into gradients: inout ParameterGradients
  ) -> RelaxationReport
  /// How many sweeps a gradient costs, roughly; to decide about threads.
  func sweeps(_ network: Network) -> Int
}

/// What the relaxations of one or more batches came to.
public struct RelaxationReport: Sendable {
  /// How many samples were relaxed.
  public var samples = 0
  /// How many of them did not settle.
  public var unsettled = 0
  /// Their stationarity residuals.
  public var residuals: [Double] = []

  /// Nothing relaxed, as in backpropagation.
  public init() {}

  /// Appends another report.
  public mutating func add(_ other: RelaxationReport) {
    samples += other.samples
    unsettled += other.unsettled
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
/// relaxation itself uses δ_Ω⁻ᵀ, which has the structure of a backward sweep.
public struct EquilibriumRule: GradientRule {
  /// The weight κ of the clamp.
  public var coupling: Double
  /// The solver.
  public var solver: SchurSolver

  /// The rule for a coupling κ > 0.
  public init(coupling: Double = 0.1, solver: SchurSolver = SchurSolver()) {
    self.coupling = coupling
    self.solver = solver
  }

  public func sweeps(_ network: Network) -> Int { solver.solves * (network.outputDimension + 2) }

  public func setGradients(
    _ sheaf: NeuralSheaf, input: Matrix, target: Matrix, weight: Double,
    into gradients: inout ParameterGradients
  ) -> RelaxationReport {
    let network = sheaf.network
    let end = solver.relax(
      sheaf, input: input,
      clamp: OutputClamp(
        target: target, coupling: coupling, crossEntropy: network.outputActivation))
    for (e, edge) in network.edges.enumerated() {
      edge.operation.addParameterGradients(
        end.discrepancy[edge.target], source: end.state.stalks[edge.source],
        scale: -weight * network.lossGradientScale / coupling, keeping: 0,
        into: &gradients.edges[e])
    }
    var report = RelaxationReport()
    report.samples = input.columns
    report.unsettled = end.isSettled.lazy.filter { !$0 }.count
    report.residuals = end.residuals
    return report
  }
}
