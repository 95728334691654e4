import LinearAlgebra
import NeuralSheaves

/// What small noise on the edges adds to the loss, to first order in its variances, by one draw of signs:
///
///     R = ½ Σ_e σ_e² ‖J_eᵀc‖²,   J_e = ∂z_{k+1}/∂ρ_e,   c = Bε,   BBᵀ = ∇²L,   ε = ±1,
///
/// in the mean over ε ½ tr(∇²L · C), C = Σ_e σ_e² J_eJ_eᵀ the covariance of z_{k+1} (Docs/Probability.md). On the pattern of the forward pass.
///
/// J_eᵀc are the parts of u = δ_Ω⁻ᵀE₀ᵀc, a reverse sweep. With v = δ_Ω⁻¹(σ²u), a forward substitution,
///
///     dR = Σ_e ⟨u_e, dR_π v⟩ + ⟨v_{k+1}, dc⟩ + ½ Σ_e dσ_e² ‖u_e‖²,
///
/// and what the last two terms ask of stalks goes back with one more reverse sweep, on which the loss's own gradient may ride.
struct NoisePenalty: Sendable {
  /// The variances σ_e² of the edges' noise.
  enum Variance: Sendable, Equatable {
    /// τ² times the mean square of the value that the edge determines, over its coordinates and the batch.
    case relative(Double)
    /// One for each vertex.
    case absolute([Double])
  }

  let variance: Variance
  private var state = SheafState(stalks: [Matrix(rows: 0, columns: 0)])
  private var patterns: [ActivationPattern] = []
  private var prediction = Matrix(rows: 0, columns: 0)
  /// u, v and what goes back at last.
  private var pulled: [Matrix] = []
  private var pushed: [Matrix] = []
  private var cotangent: [Matrix] = []

  init(_ variance: Variance) { self.variance = variance }

  /// The forward pass; for each edge the sum of squares of what it determines.
  mutating func runForward(_ sheaf: NeuralSheaf, _ input: Matrix) -> [Double] {
    let network = sheaf.network
    if state.batch != input.columns
      || state.stalks.map(\.rows) != network.vertices.map(\.dimension)
    {
      state = sheaf.zeroState(input)
      pulled = sheaf.zeroCochain(batch: input.columns)
      (pushed, cotangent) = (pulled, pulled)
      patterns = sheaf.blankPatterns(batch: input.columns)
      prediction = Matrix(rows: network.outputDimension, columns: input.columns)
    }
    state.stalks[0].set(input)
    sheaf.runForwardPass(&state)
    _ = sheaf.readPatterns(at: state, into: &patterns)
    return network.edgeSquares(state.stalks)
  }

  /// u; for each edge ‖u_e‖², summed over the samples.
  mutating func pullBack(_ sheaf: NeuralSheaf, signs: Matrix) -> [Double] {
    let network = sheaf.network
    let last = network.lastVertex
    network.outputActivation.apply(state.stalks[last], into: &prediction)
    network.outputActivation.setCurvatureRoot(at: prediction, of: signs, into: &pulled[last])
    sheaf.substituteBackward(&pulled, at: patterns, isFromOutput: true)
    return network.edgeSquares(pulled)
  }

  /// Hands over the gradient.
  ///
  /// - Parameters:
  ///   - signs: those of `pullBack`.
  ///   - target: y, where the loss's gradient is to be part of it.
  ///   - sums: for relative variances, what `runForward` and `pullBack` gave, over the whole batch.
  ///   - size: the samples of the whole batch.
  mutating func visit(
    _ sheaf: NeuralSheaf, signs: Matrix, target: Matrix?, sums: [[Double]], size: Int,
    _ body: (EdgeGradient) -> Void
  ) {
    let network = sheaf.network
    let last = network.lastVertex
    for v in 1...last {
      pushed[v].set(pulled[v])
      if case .absolute(let variances) = variance { pushed[v].scale(by: variances[v]) }
    }
    var isFromOutput = true
    if case .relative(let tau) = variance {
      isFromOutput = false
      for v in 1...last { cotangent[v].set(state.stalks[v]) }
      for (e, edge) in network.edges.enumerated() {
        let rows = edge.operation.targetRows
        let share = tau / Double(max(rows.count, 1) * size)
        pushed[edge.target].scaleRows(rows, by: share * sums[0][e])
        cotangent[edge.target].scaleRows(rows, by: share * sums[1][e])
      }
    } else {
      cotangent[last].fill(0)
    }
    sheaf.substituteForward(&pushed, at: patterns)
    network.outputActivation.addCurvatureRootGradient(
      at: prediction, of: signs, along: pushed[last], into: &cotangent[last])
    if let target {
      cotangent[last].add(prediction)
      cotangent[last].add(target, scale: -1)
    }
    let scale = network.lossGradientScale
    sheaf.substituteBackward(&cotangent, at: patterns, isFromOutput: isFromOutput) { e, g in
      let edge = network.edges[e]
      guard !edge.operation.parameterNames.isEmpty else { return }
      body(
        EdgeGradient(edge: e, cotangent: g, source: state.stalks[edge.source], scale: scale))
      // The input has no noise.
      guard edge.source != 0 else { return }
      body(
        EdgeGradient(
          edge: e, cotangent: pulled[edge.target], source: pushed[edge.source], scale: scale,
          pattern: patterns[e]))
    }
  }
}

extension Network {
  /// For each edge the sum of squares of a cochain on its stalk.
  fileprivate func edgeSquares(_ cochain: [Matrix]) -> [Double] {
    edges.map { cochain[$0.target].sumOfSquares(rows: $0.operation.targetRows) }
  }
}
