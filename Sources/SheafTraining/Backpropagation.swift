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

  public func sweeps(_ network: Network) -> Int { 3 }

  public func energyScale(_ network: Network, at progress: Double) -> Double { 1 }

  public mutating func visitEdges(
    _ sheaf: NeuralSheaf, _ batch: inout RuleBatch, _ body: (Int, Matrix, Matrix, Double) -> Void
  ) -> RelaxationReport {
    let network = sheaf.network
    let last = network.lastVertex
    if state.batch != batch.input.columns || cotangent.count != network.vertices.count {
      state = sheaf.zeroState(batch.input)
      cotangent = sheaf.zeroCochain(batch: batch.input.columns)
      patterns = network.edges.map { $0.operation.blankPattern(batch: batch.input.columns) }
    }
    state.stalks[0].set(batch.input)
    for (e, edge) in network.edges.enumerated() {
      let source = state.stalks[edge.source]
      edge.operation.apply(source, into: &state.stalks[edge.target])
      if edge.operation.isStateDependent {
        _ = edge.operation.readPattern(at: source, into: &patterns[e])
      }
    }
    for v in 1..<last { cotangent[v].fill(0) }
    // The derivative of the loss in z_{k+1} is a multiple of φ(z) − y for every φ.
    network.outputActivation.apply(state.stalks[last], into: &cotangent[last])
    cotangent[last].add(batch.target, scale: -1)
    let scale = network.lossGradientScale
    for (e, edge) in network.edges.enumerated().reversed() {
      let v = cotangent[edge.target]
      if !edge.operation.parameterNames.isEmpty { body(e, v, state.stalks[edge.source], scale) }
      if edge.source != 0 {
        edge.operation.addTranspose(v, at: patterns[e], keeping: 1, into: &cotangent[edge.source])
      }
    }
    return RelaxationReport()
  }
}
