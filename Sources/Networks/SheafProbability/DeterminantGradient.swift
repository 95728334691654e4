import LinearAlgebra
import NeuralSheaves

/// The gradient of ½ log det(I + CH), H = ∇²V, summed over a batch of equilibria ω* off kinks, by sweeps.
///
/// With M = (I + HC)⁻¹H, u = δ_Ω⁻ᵀE₀ᵀ and x = δ_Ω⁻¹Γ⁻¹u, so that C = E₀x, the parameters of edge e change it on a fixed pattern and H by
/// ⟨u_e M, dR_π x⟩. H follows z*: let h be the derivative in it, ũ = δ_Ω⁻ᵀE₀ᵀ(I − MC)h and w = δ_Ω⁻¹Γ⁻¹ũ, which is the inverse of the energy's Hessian on
/// E₀ᵀh; then ω* changes it by ⟨ũ_e, dP(s)⟩ + ⟨p_e, dR_π w⟩, p = Γρ. Each part needs what is at its edge.
///
/// Cost: two sweeps with n_{k+1} columns a sample and two with one.
package struct DeterminantGradient: Sendable {
  /// The value, and its derivatives in κ and in γ of each edge.
  package struct Derivatives: Sendable {
    package var value = 0.0
    package var coupling = 0.0
    package var stiffness: [Double]
  }

  private var pulled: [Matrix] = []
  private var pushed: [Matrix] = []
  private var mixed: [Matrix] = []
  /// The most columns of a block of samples.
  private static let blockColumns = 512

  package init() {}

  /// Hands over the gradient in the parameters.
  ///
  /// - Parameters:
  ///   - state: ω*.
  ///   - momenta: p = Γρ at ω*, or a multiple of it.
  ///   - momentumScale: what makes them p.
  ///   - scale: a factor of all parts.
  ///   - hasStiffness: whether the derivatives in γ are asked for.
  /// - Throws: `ProbabilityError.indefinite` where I + CH has no factors.
  package mutating func visit(
    _ model: GaussianSheaf, at state: SheafState, momenta: [Matrix], momentumScale: Double = 1,
    coupling: Double, scale: Double = 1, hasStiffness: Bool = false,
    _ body: (EdgeGradient) -> Void
  ) throws(ProbabilityError) -> Derivatives {
    let (network, n) = (model.network, model.network.outputDimension)
    let patterns = model.sheaf.patterns(at: state)
    var derivatives = Derivatives(stiffness: network.edges.map { _ in 0 })
    var forces = Matrix(rows: n, columns: state.batch)
    let length = max(1, Self.blockColumns / max(n, 1))
    for start in stride(from: 0, to: state.batch, by: length) {
      let samples = start..<min(start + length, state.batch)
      let repeated = samples.flatMap { [Int](repeating: $0, count: n) }
      let blockPatterns = patterns.map { $0.samples(repeated) }
      sweep(model, blockPatterns, columns: repeated.count)
      var curvatures: [Matrix] = []
      for (q, j) in samples.enumerated() {
        let sample = try Sample(
          pushed[network.lastVertex].columns(q * n..<(q + 1) * n), network.outputActivation,
          coupling, state.stalks[network.lastVertex], j)
        derivatives.value += sample.value
        derivatives.coupling += sample.trace / (2 * coupling)
        forces.setColumns(from: j, to: sample.force)
        curvatures.append(sample.curvature)
      }
      for (e, edge) in network.edges.enumerated()
      where hasStiffness || edge.source != 0 && !edge.operation.parameterNames.isEmpty {
        for (q, m) in curvatures.enumerated() {
          mixed[edge.target].setProduct(
            inColumns: q * n..<(q + 1) * n, of: pulled[edge.target], m)
        }
        if hasStiffness {
          derivatives.stiffness[e] -=
            edge.dot(mixed[edge.target], pulled[edge.target])
            / (2 * model.noise.stiffness[e] * model.noise.stiffness[e])
        }
        // The input has no noise.
        guard edge.source != 0 && !edge.operation.parameterNames.isEmpty else { continue }
        body(
          EdgeGradient(
            edge: e, cotangent: mixed[edge.target], source: pushed[edge.source], scale: scale,
            pattern: blockPatterns[e]))
      }
    }
    guard network.outputActivation != .identity else { return derivatives }
    var response = model.sheaf.zeroCochain(batch: state.batch)
    response[network.lastVertex] = forces
    model.sheaf.substituteBackward(&response, at: patterns)
    var shift = response
    model.stiffness.multiply(&shift) { 1 / $0 }
    model.sheaf.substituteForward(&shift, at: patterns)
    for (e, edge) in network.edges.enumerated() {
      if hasStiffness {
        let gamma = model.noise.stiffness[e]
        derivatives.stiffness[e] -=
          edge.dot(momenta[edge.target], response[edge.target]) * momentumScale / (gamma * gamma)
      }
      guard !edge.operation.parameterNames.isEmpty else { continue }
      body(
        EdgeGradient(
          edge: e, cotangent: response[edge.target], source: state.stalks[edge.source],
          scale: scale))
      guard edge.source != 0 else { continue }
      body(
        EdgeGradient(
          edge: e, cotangent: momenta[edge.target], source: shift[edge.source],
          scale: scale * momentumScale, pattern: patterns[e]))
    }
    // ∇V = −p at the output: its vertex has no reader.
    derivatives.coupling +=
      dot(shift[network.lastVertex], momenta[network.lastVertex]) * momentumScale / coupling
    return derivatives
  }

  /// u and x of a block of samples.
  private mutating func sweep(
    _ model: GaussianSheaf, _ patterns: [ActivationPattern], columns: Int
  ) {
    let (network, n) = (model.network, model.network.outputDimension)
    if pulled.last?.columns != columns
      || pulled.map(\.rows)
        != network.vertices.indices.map({
          $0 == 0 ? 0 : network.vertices[$0].dimension
        })
    {
      pulled = model.sheaf.zeroCochain(batch: columns)
      (pushed, mixed) = (pulled, pulled)
    }
    pulled[network.lastVertex].fill(0)
    for k in 0..<columns { pulled[network.lastVertex][k % n, k] = 1 }
    model.sheaf.substituteBackward(&pulled, at: patterns, isFromOutput: true)
    for v in network.vertices.indices.dropFirst() { pushed[v].set(pulled[v]) }
    model.stiffness.multiply(&pushed) { 1 / $0 }
    model.sheaf.substituteForward(&pushed, at: patterns)
  }
}

/// What a sample's output asks for.
private struct Sample {
  /// ½ log det(I + CH).
  let value: Double
  /// tr(MC).
  let trace: Double
  /// M = (I + HC)⁻¹H.
  let curvature: Matrix
  /// (I − MC)h, h the derivative of the value in z.
  let force: Matrix

  init(
    _ c: Matrix, _ activation: OutputActivation, _ kappa: Double, _ z: Matrix, _ j: Int
  ) throws(ProbabilityError) {
    let n = c.rows
    let b = OutputCurvature(activation: activation, coupling: kappa).factor(at: z, sample: j)
    var inner = Matrix.identity(n)
    inner.addProduct(b, c * b, transposing: .left)
    let factor: CholeskyFactorization
    do {
      factor = try CholeskyFactorization(inner)
    } catch { throw .indefinite(sample: j) }
    var solved = b.transposed
    factor.solve(&solved)
    curvature = b * solved
    value = factor.logDeterminant / 2
    let mc = curvature * c
    trace = (0..<n).reduce(0) { $0 + mc[$1, $1] }
    // With N = C(I − MC), symmetric: dH = κ(diag dφ − dφ φᵀ − φ dφᵀ) for a softmax.
    let p = activation(z.columns(j..<j + 1))
    var h = Matrix(rows: n, columns: 1)
    switch activation {
    case .identity: break
    case .sigmoid, .softmax:
      for i in 0..<n {
        var diagonal = c[i, i]
        for k in 0..<n { diagonal -= c[i, k] * mc[k, i] }
        h[i, 0] = kappa / 2 * diagonal
        if activation == .sigmoid { h[i, 0] *= 1 - 2 * p[i, 0] }
      }
      if activation == .softmax {
        var rest = p
        rest.addProduct(mc, p, scale: -1)
        h.addProduct(c, rest, scale: -kappa)
      }
      activation.applyJacobian(at: p, to: &h)
      h.add(mc * h, scale: -1)
    }
    force = h
  }
}

extension Network.Edge {
  /// The inner product of two cochains on the edge's stalk.
  fileprivate func dot(_ a: Matrix, _ b: Matrix) -> Double {
    let rows = operation.targetRows
    return rows.count == a.rows
      ? LinearAlgebra.dot(a, b) : LinearAlgebra.dot(a.rows(rows), b.rows(rows))
  }
}
