import LinearAlgebra
import NeuralSheaves

/// Relaxation of clamped samples within a budget of sweeps through the network, with its workspace.
///
/// It lowers E/κ = (κ/2) Σ γ_v ‖ρ̂_v‖² + L(z_{k+1}) over the discrepancies, in the scale ρ̂ = ρ/κ, which
/// stays finite as κ → 0, from the forward pass on (ρ̂ = 0). The momenta σ = γ ρ̂ of its gradient are one
/// reverse sweep, σ* = −δ_Ω⁻ᵀ∇L, so that σ* − σ is the way down; a forward substitution tells how the
/// stalks follow. How far to go is found by an exact line search on the model with fixed patterns; further
/// directions are conjugate to the last (Polak, Ribière 1969). Patterns are read again after every
/// direction, and a sample whose energy has risen (by half, in the first) goes back to an eighth of its step.
///
/// One direction costs a forward pass, a reverse sweep and a forward substitution: one sweep more than
/// backpropagation, whose gradient is σ* itself. For one output, and in the limit κ → 0 for any, it is the
/// equilibrium on the pattern of the forward pass.
struct SweepRelaxation: Sendable {
  /// The stalks, ω + κ δ_Ω⁻¹ρ̂.
  private(set) var state: SheafState
  /// σ = γ ρ/κ: what parameters see, ∂(E/κ)/∂θ = −⟨σ, ∂P/∂θ⟩.
  private(set) var momenta: [Matrix]
  /// The direction in σ, and what it does to the stalks.
  private var direction: [Matrix]
  private var image: [Matrix]
  /// σ* − σ of the direction before, for conjugation; empty while one direction is enough.
  private var last: [Matrix] = []
  private var fresh: [Matrix] = []
  private var patterns: [ActivationPattern]
  private var residual: Matrix
  private var trial, prediction, start: Matrix
  /// One number for each sample.
  private var length, slope, curvature, low, high, moves, energies, trialEnergies: [Double]
  /// Whether an edge has left the pattern of the forward pass.
  private var hasSwitched: [Bool]

  /// A workspace for a number of samples.
  init(_ sheaf: NeuralSheaf, batch: Int) {
    let network = sheaf.network
    state = sheaf.zeroState(Matrix(rows: network.inputDimension, columns: batch))
    momenta = sheaf.zeroCochain(batch: batch)
    (direction, image) = (momenta, momenta)
    patterns = sheaf.blankPatterns(batch: batch)
    residual = Matrix(rows: network.outputDimension, columns: batch)
    (trial, prediction, start) = (residual, residual, residual)
    length = [Double](repeating: 0, count: batch)
    (slope, curvature, low, high, moves) = (length, length, length, length, length)
    (energies, trialEnergies) = (length, length)
    hasSwitched = network.edges.map { _ in false }
  }

  /// The κ up to which stalks stay at the forward pass and one direction is all: ρ/κ, a difference of
  /// stalks, would be rounding.
  static let negligibleCoupling = 1e-9

  /// Whether the workspace is of a network's shapes and a number of samples.
  func fits(_ network: Network, batch: Int) -> Bool {
    state.batch == batch && state.stalks.map(\.rows) == network.vertices.map(\.dimension)
  }

  /// Relaxes samples.
  ///
  /// - Parameters:
  ///   - coupling: κ ≥ 0; 0 is backpropagation.
  ///   - stiffness: γ of each vertex.
  ///   - directions: at least 1.
  mutating func run(
    _ sheaf: NeuralSheaf, input: Matrix, target: Matrix, coupling: Double, stiffness: [Double],
    directions: Int
  ) {
    let network = sheaf.network
    let end = network.lastVertex
    state.stalks[0].set(input)
    sheaf.runForwardPass(&state)
    _ = sheaf.readPatterns(at: state, into: &patterns)
    for j in energies.indices {
      energies[j] = network.outputActivation.crossEntropy(state.stalks[end], target, sample: j)
    }
    for e in hasSwitched.indices { hasSwitched[e] = false }
    for step in 0..<directions {
      setOutputForce(network.outputActivation, target)
      if step == 0 {
        direction[end].set(residual)
        sheaf.substituteBackward(&direction, at: patterns, isFromOutput: true)
        for j in length.indices { (slope[j], curvature[j]) = (0, 0) }
      } else {
        conjugate(sheaf, stiffness, isFirst: step == 1)
        for j in length.indices { (slope[j], curvature[j]) = (0, 0) }
        for v in 1...end {
          momenta[v].addColumnDots(direction[v], scale: 1 / stiffness[v], into: &slope)
          direction[v].addColumnDots(direction[v], scale: 1 / stiffness[v], into: &curvature)
        }
      }
      // δ_Ω⁻¹Γ⁻¹ direction.
      for v in 1...end { image[v].set(direction[v], scale: 1 / stiffness[v]) }
      sheaf.substituteForward(&image, at: patterns)
      if step == 0 {
        // ⟨σ, Γ⁻¹σ⟩ = ⟨r, z⟩ with z the image: no need to sum over the vertices.
        residual.addColumnDots(image[end], into: &curvature)
      }
      setLength(network, target, coupling)
      for v in 1...end {
        if step == 0 {
          momenta[v].set(direction[v])
          momenta[v].scaleColumns(by: length)
        } else {
          momenta[v].addScaledColumns(direction[v], by: length)
        }
      }
      guard coupling > Self.negligibleCoupling else { return }
      for v in 1...end {
        state.stalks[v].addScaledColumns(image[v], by: length, scale: coupling)
      }
      settle(network, target, coupling, stiffness, step: step, isLast: step + 1 == directions)
    }
  }

  /// Goes back to a part of the step where the energy has risen, as it may where branches change.
  ///
  /// The first direction may raise it by half: at a kink or a tie every step, however short, may raise it
  /// by a part that vanishes with κ, and what parameters see must not depend on that, or κ → 0 would not be
  /// backpropagation. Some sample always is at a kink: to search further for each would cost more than all
  /// the rest.
  private mutating func settle(
    _ network: Network, _ target: Matrix, _ coupling: Double, _ stiffness: [Double], step: Int,
    isLast: Bool
  ) {
    let end = network.lastVertex
    let hasSwitched = readPatterns(network, coupling, stiffness)
    // On one pattern the line search has seen to it.
    if isLast && !hasSwitched { return }
    setTrialEnergies(network, target, coupling, stiffness)
    var isHigher = false
    for j in length.indices {
      // Up to the rounding of a loss.
      let limit = energies[j] * (step == 0 ? 1.5 : 1 + 1e-12) + 1e-13
      let rises = !(trialEnergies[j] <= limit)
      isHigher = isHigher || rises
      slope[j] = rises ? (1 - Self.shortStep) * length[j] : 0
    }
    swap(&energies, &trialEnergies)
    guard isHigher else { return }
    for v in 1...end {
      momenta[v].addScaledColumns(direction[v], by: slope, scale: -1)
      state.stalks[v].addScaledColumns(image[v], by: slope, scale: -coupling)
    }
    _ = readPatterns(network, coupling, stiffness)
    if isLast { return }
    setTrialEnergies(network, target, coupling, stiffness)
    swap(&energies, &trialEnergies)
  }

  /// The part of a step that is left where it went up.
  private static let shortStep = 0.125

  /// E/κ of each sample.
  private mutating func setTrialEnergies(
    _ network: Network, _ target: Matrix, _ coupling: Double, _ stiffness: [Double]
  ) {
    let end = network.lastVertex
    for j in trialEnergies.indices {
      trialEnergies[j] = network.outputActivation.crossEntropy(
        state.stalks[end], target, sample: j)
    }
    for v in 1...end {
      momenta[v].addColumnDots(
        momenta[v], scale: coupling / (2 * stiffness[v]), into: &trialEnergies)
    }
  }

  /// residual ← −∇L = y − φ(z_{k+1}).
  private mutating func setOutputForce(_ activation: OutputActivation, _ target: Matrix) {
    activation.apply(state.stalks[state.stalks.count - 1], into: &residual)
    residual.add(target, keeping: -1)
  }

  /// direction ← (σ* − σ) + β direction with β ≥ 0 by Polak and Ribière, sample by sample.
  private mutating func conjugate(_ sheaf: NeuralSheaf, _ stiffness: [Double], isFirst: Bool) {
    if fresh.isEmpty { (fresh, last) = (direction, direction) }
    // The first direction began at σ = 0.
    if isFirst { swap(&last, &direction) }
    fresh[fresh.count - 1].set(residual)
    sheaf.substituteBackward(&fresh, at: patterns, isFromOutput: true)
    for j in length.indices { (slope[j], curvature[j]) = (0, 0) }
    for v in 1..<fresh.count {
      fresh[v].add(momenta[v], scale: -1)
      let w = 1 / stiffness[v]
      fresh[v].addColumnDots(fresh[v], scale: w, into: &slope)
      fresh[v].addColumnDots(last[v], scale: -w, into: &slope)
      last[v].addColumnDots(last[v], scale: w, into: &curvature)
    }
    for j in length.indices {
      slope[j] = curvature[j] > 0 ? max(0, slope[j] / curvature[j]) : 0
    }
    for v in 1..<fresh.count {
      if isFirst { direction[v].set(last[v]) }
      direction[v].scaleColumns(by: slope)
      direction[v].add(fresh[v])
    }
    swap(&last, &fresh)
  }

  /// How far each sample goes: the zero of slope + t · curvature + ⟨φ(z + κ t image) − y, image⟩ with slope
  /// ⟨σ, Γ⁻¹direction⟩ and curvature ⟨direction, Γ⁻¹direction⟩, the derivative of E/κ over κ and an
  /// increasing function of t, by Newton's method between bounds, all samples together.
  private mutating func setLength(_ network: Network, _ target: Matrix, _ kappa: Double) {
    let activation = network.outputActivation
    let end = network.lastVertex
    // The derivative at t = 0; residual = y − φ(z). From there on `slope` is that.
    residual.addColumnDots(image[end], scale: -1, into: &slope)
    if kappa == 0 || activation == .identity {
      // κ = 0: one direction, straight to σ*.
      if kappa > 0 { image[end].addColumnDots(image[end], scale: kappa, into: &curvature) }
      for j in length.indices { length[j] = curvature[j] > 0 ? -slope[j] / curvature[j] : 0 }
      return
    }
    for j in length.indices {
      (length[j], low[j], moves[j]) = (0, 0, .infinity)
      // What does not go down stays.
      high[j] = slope[j] < 0 ? .infinity : 0
    }
    start.set(target)
    start.add(residual, scale: -1)
    prediction.set(start)
    for round in 0..<40 {
      if round > 0 {
        trial.set(state.stalks[end])
        trial.addScaledColumns(image[end], by: length, scale: kappa)
        activation.apply(trial, into: &prediction)
      }
      if !newton(activation, kappa, image[end]) { break }
    }
  }

  /// One step of Newton's method for the samples that have not settled, the prediction at their t being
  /// given; whether there was one.
  private mutating func newton(_ activation: OutputActivation, _ kappa: Double, _ q: Matrix) -> Bool
  {
    let (rows, isSigmoid) = (q.rows, activation == .sigmoid)
    var isOpen = false
    for j in length.indices where high[j] > low[j] {
      // The derivative at t differs from that at 0 by t · curvature and the move of the prediction.
      var (value, size) = (slope[j] + length[j] * curvature[j], 0.0)
      var (mean, spread) = (0.0, 0.0)
      for i in 0..<rows {
        let (p, x) = (prediction[i, j], q[i, j])
        value += (p - start[i, j]) * x
        size += abs(x)
        mean += p * x
        spread += isSigmoid ? p * (1 - p) * x * x : p * x * x
      }
      // Small beside that at 0, or no more than rounding.
      if abs(value) <= 1e-10 * abs(slope[j]) + 4e-16 * size {
        high[j] = low[j]
        continue
      }
      if value < 0 { low[j] = length[j] } else { high[j] = length[j] }
      let stiffness = curvature[j] + kappa * max(0, isSigmoid ? spread : spread - mean * mean)
      var next = length[j] - value / stiffness
      // Newton's steps from one side of a steep piece to the other barely move the bounds: halve them unless
      // the steps shrink.
      let isSlow = high[j].isFinite && 2 * abs(next - length[j]) > moves[j]
      if isSlow || !(next > low[j] && next < high[j]) {
        next = high[j].isFinite ? (low[j] + high[j]) / 2 : 2 * max(length[j], 1)
      }
      moves[j] = abs(next - length[j])
      length[j] = next
      isOpen = true
    }
    return isOpen
  }

  /// Reads the patterns of the stalks and, once a branch has changed, the momenta of the operations that
  /// depend on it; whether one has.
  private mutating func readPatterns(
    _ network: Network, _ coupling: Double, _ stiffness: [Double]
  ) -> Bool {
    for (e, edge) in network.edges.enumerated() where edge.operation.isStateDependent {
      let source = state.stalks[edge.source]
      let count = edge.operation.readPattern(at: source, into: &patterns[e])
      hasSwitched[e] = hasSwitched[e] || count > 0
      guard hasSwitched[e] else { continue }
      edge.operation.discrepancy(source, state.stalks[edge.target], into: &momenta[edge.target])
      momenta[edge.target].scale(by: stiffness[edge.target] / coupling)
    }
    return hasSwitched.contains(true)
  }
}
