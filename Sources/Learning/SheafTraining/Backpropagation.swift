import LinearAlgebra
import NeuralSheaves

/// Reverse-mode differentiation of the loss of `Evaluation`: the baseline. A forward pass, a reverse
/// sweep, nothing else.
public struct Backpropagation: GradientRule {
  private var state = SheafState(stalks: [Matrix(rows: 0, columns: 0)])
  private var cotangent: [Matrix] = []
  private var patterns: [ActivationPattern] = []

  /// The rule.
  public init() {}

  /// A forward pass, a reverse sweep and the gradients.
  public func sweeps(_ network: Network) -> Int { 3 }

  /// 1 for each edge.
  public func energyScales(_ network: Network, at progress: Double) -> [Double] {
    network.edges.map { _ in 1 }
  }

  /// The gradient of the loss.
  public mutating func visitEdges(
    _ sheaf: NeuralSheaf, _ batch: inout RuleBatch, _ body: (EdgeGradient) -> Void
  ) -> RelaxationReport {
    let network = sheaf.network
    let last = network.lastVertex
    if state.batch != batch.input.columns
      || state.stalks.map(\.rows) != network.vertices.map(\.dimension)
    {
      state = sheaf.zeroState(batch.input)
      cotangent = sheaf.zeroCochain(batch: batch.input.columns)
      patterns = sheaf.blankPatterns(batch: batch.input.columns)
    }
    state.stalks[0].set(batch.input)
    sheaf.runForwardPass(&state)
    _ = sheaf.readPatterns(at: state, into: &patterns)
    // The derivative of the loss in z_{k+1} is a multiple of φ(z) − y for every φ.
    network.outputActivation.apply(state.stalks[last], into: &cotangent[last])
    cotangent[last].add(batch.target, scale: -1)
    let scale = network.lossGradientScale
    sheaf.substituteBackward(&cotangent, at: patterns, isFromOutput: true) { e, v in
      let edge = network.edges[e]
      guard !edge.operation.parameterNames.isEmpty else { return }
      body(EdgeGradient(edge: e, cotangent: v, source: state.stalks[edge.source], scale: scale))
    }
    return RelaxationReport()
  }
}
