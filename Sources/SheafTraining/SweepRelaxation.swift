#if canImport(Glibc)
  import Glibc
#else
  import Foundation
#endif
import LinearAlgebra
import NeuralSheaves

/// Relaxation of clamped samples within a budget of sweeps through the network, with its workspace.
///
/// It lowers E/κ = (κ/2) Σ γ_v ‖ρ̂_v‖² + L(z_{k+1}) over the discrepancies, in the scale ρ̂ = ρ/κ, which
/// stays finite as κ → 0, from the forward pass on (ρ̂ = 0). The momenta σ = γ ρ̂ of its gradient are one
/// reverse sweep, σ* = −δ_Ω⁻ᵀ∇L, so that σ* − σ is the way down; a forward substitution tells how the
/// stalks follow. How far to go is found by an exact line search on the model with fixed patterns; further
/// directions are conjugate to the last (Polak, Ribière 1969). Patterns are read again after every
/// direction, and a sample whose energy has risen goes back to an eighth of its step.
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
  private let reverse: ReverseSweep
  private var residual: Matrix
  private var trial: Matrix
  /// One number for each sample.
  private var length, slope, curvature, energies, trialEnergies: [Double]
  /// Whether an edge has left the pattern of the forward pass.
  private var hasSwitched: [Bool]

  /// A workspace for a number of samples.
  init(_ sheaf: NeuralSheaf, batch: Int) {
    let network = sheaf.network
    state = sheaf.zeroState(Matrix(rows: network.inputDimension, columns: batch))
    momenta = sheaf.zeroCochain(batch: batch)
    (direction, image) = (momenta, momenta)
    patterns = network.edges.map { $0.operation.blankPattern(batch: batch) }
    reverse = ReverseSweep(network)
    residual = Matrix(rows: network.outputDimension, columns: batch)
    trial = residual
    length = [Double](repeating: 0, count: batch)
    (slope, curvature, energies, trialEnergies) = (length, length, length, length)
    hasSwitched = network.edges.map { _ in false }
  }

  /// The number of samples.
  var batch: Int { state.batch }

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
    runForwardPass(network, input)
    for j in energies.indices {
      energies[j] = network.outputActivation.crossEntropy(state.stalks[end], target, sample: j)
    }
    for e in hasSwitched.indices { hasSwitched[e] = false }
    for step in 0..<directions {
      setOutputForce(network.outputActivation, target)
      if step == 0 {
        reverse.run(network, patterns, residual, into: &direction)
        for j in length.indices { (slope[j], curvature[j]) = (0, 0) }
      } else {
        conjugate(network, stiffness, isFirst: step == 1)
        for j in length.indices { (slope[j], curvature[j]) = (0, 0) }
        for v in 1...end {
          momenta[v].addColumnDots(direction[v], scale: 1 / stiffness[v], into: &slope)
          direction[v].addColumnDots(direction[v], scale: 1 / stiffness[v], into: &curvature)
        }
      }
      setImage(network, stiffness)
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
      guard coupling > 0 else { return }
      for v in 1...end {
        state.stalks[v].addScaledColumns(image[v], by: length, scale: coupling)
      }
      settle(network, target, coupling, stiffness, isLast: step + 1 == directions)
    }
  }

  /// Goes back to a part of the step where the energy has risen, as it may where branches change.
  ///
  /// Some sample always is at a kink: to search further for each would cost more than all the rest.
  private mutating func settle(
    _ network: Network, _ target: Matrix, _ coupling: Double, _ stiffness: [Double], isLast: Bool
  ) {
    let end = network.lastVertex
    let hasSwitched = readPatterns(network, coupling, stiffness)
    // On one pattern the line search has seen to it.
    if isLast && !hasSwitched { return }
    setTrialEnergies(network, target, coupling, stiffness)
    var isHigher = false
    for j in length.indices {
      // Up to the rounding of a loss.
      let rises = !(trialEnergies[j] <= energies[j] * (1 + 1e-12) + 1e-13)
      isHigher = isHigher || rises
      slope[j] = rises ? (1 - Self.shortStep) * length[j] : 0
    }
    swap(&energies, &trialEnergies)
    guard isHigher else { return }
    for v in 1...end {
      momenta[v].addScaledColumns(direction[v], by: slope, scale: -1)
      state.stalks[v].addScaledColumns(image[v], by: slope, scale: -coupling)
    }
    if isLast { return }
    _ = readPatterns(network, coupling, stiffness)
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

  private mutating func runForwardPass(_ network: Network, _ input: Matrix) {
    state.stalks[0].set(input)
    for (e, edge) in network.edges.enumerated() {
      let source = state.stalks[edge.source]
      edge.operation.apply(source, into: &state.stalks[edge.target])
      if edge.operation.isStateDependent {
        _ = edge.operation.readPattern(at: source, into: &patterns[e])
      }
    }
  }

  /// residual ← −∇L = y − φ(z_{k+1}).
  private mutating func setOutputForce(_ activation: OutputActivation, _ target: Matrix) {
    activation.apply(state.stalks[state.stalks.count - 1], into: &residual)
    residual.add(target, keeping: -1)
  }

  /// image ← δ_Ω⁻¹Γ⁻¹ direction.
  private mutating func setImage(_ network: Network, _ stiffness: [Double]) {
    for v in 1..<image.count { image[v].set(direction[v], scale: 1 / stiffness[v]) }
    for (e, edge) in network.edges.enumerated() where edge.source != 0 {
      let source = image[edge.source]
      edge.operation.addLinearPart(
        source, at: patterns[e], scale: 1, keeping: 1, into: &image[edge.target])
    }
  }

  /// direction ← (σ* − σ) + β direction with β ≥ 0 by Polak and Ribière, sample by sample.
  private mutating func conjugate(_ network: Network, _ stiffness: [Double], isFirst: Bool) {
    if fresh.isEmpty { (fresh, last) = (direction, direction) }
    // The first direction began at σ = 0.
    if isFirst { swap(&last, &direction) }
    reverse.run(network, patterns, residual, into: &fresh)
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

  /// How far each sample goes: the zero of
  /// slope + t · curvature + ⟨φ(z + κ t image) − y, image⟩ with slope ⟨σ, Γ⁻¹direction⟩ and curvature
  /// ⟨direction, Γ⁻¹direction⟩, the derivative of E/κ over κ and an increasing function of t, by
  /// Newton's method between bounds.
  private mutating func setLength(_ network: Network, _ target: Matrix, _ kappa: Double) {
    let activation = network.outputActivation
    let end = network.lastVertex
    let (rows, z, q) = (target.rows, state.stalks[end], image[end])
    for j in length.indices {
      var (t, low, high) = (0.0, 0.0, Double.infinity)
      // The derivative at t = 0; residual = y − φ(z).
      var value = slope[j]
      for i in 0..<rows { value -= residual[i, j] * q[i, j] }
      var squares = 0.0
      for i in 0..<rows { squares += q[i, j] * q[i, j] }
      var stiffness = curvature[j]
      if kappa == 0 {
        // One direction, straight to σ*: ⟨r, q⟩ / ⟨r, q⟩.
        length[j] = 1
        continue
      }
      if activation == .identity {
        length[j] = stiffness + kappa * squares > 0 ? -value / (stiffness + kappa * squares) : 0
        continue
      }
      guard value < 0 else {
        length[j] = 0
        continue
      }
      var lastChange = Double.infinity
      for round in 0..<30 {
        if round > 0 {
          for i in 0..<rows { trial[i, j] = z[i, j] + kappa * t * q[i, j] }
          activation.apply(&trial, column: j)
          value = slope[j] + t * curvature[j]
          for i in 0..<rows { value += (trial[i, j] - target[i, j]) * q[i, j] }
          if value < 0 { low = t } else { high = t }
        } else {
          for i in 0..<rows { trial[i, j] = target[i, j] - residual[i, j] }
        }
        var (mean, spread) = (0.0, 0.0)
        for i in 0..<rows {
          let p = trial[i, j]
          switch activation {
          case .sigmoid: spread += p * (1 - p) * q[i, j] * q[i, j]
          default:
            mean += p * q[i, j]
            spread += p * q[i, j] * q[i, j]
          }
        }
        stiffness = curvature[j] + kappa * max(0, spread - mean * mean)
        var next = stiffness > 0 ? t - value / stiffness : t
        // Before the bounds, which rounding may put to either side of the zero.
        let isClose = abs(next - t) <= 1e-9 * t
        // Newton's steps from one side of a steep piece to the other barely move the bounds: halve them
        // unless the steps shrink.
        let isSlow = high.isFinite && 2 * abs(next - t) > lastChange
        if !isClose && (isSlow || !(next > low && next < high)) {
          next = high.isFinite ? (low + high) / 2 : 2 * max(t, 1)
        }
        lastChange = abs(next - t)
        t = next
        if isClose { break }
      }
      length[j] = t
    }
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

extension OutputActivation {
  /// Column j of z ← φ of it.
  fileprivate func apply(_ z: inout Matrix, column j: Int) {
    switch self {
    case .identity: break
    case .sigmoid:
      for i in 0..<z.rows { z[i, j] = 1 / (1 + exp(-z[i, j])) }
    case .softmax:
      var (top, sum) = (-Double.infinity, 0.0)
      for i in 0..<z.rows { top = max(top, z[i, j]) }
      for i in 0..<z.rows {
        z[i, j] = exp(z[i, j] - top)
        sum += z[i, j]
      }
      for i in 0..<z.rows { z[i, j] /= sum }
    }
  }
}
