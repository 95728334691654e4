#if canImport(Glibc)
  import Glibc
#else
  import Foundation
#endif
import LinearAlgebra
import NetworkKernels
import NeuralSheaves

/// An update of parameters from gradients.
public struct Optimizer: Sendable {
  /// The rule.
  public enum Rule: String, Sendable, CaseIterable, Codable {
    /// W ← W − η g.
    case gradient
    /// m ← μ m + g, W ← W − η m (Polyak 1964).
    case momentum
    /// Adam with β₁, β₂ and ε (Kingma, Ba 2015).
    case adam
    /// Each affine edge preconditions its own gradient with the second moment M = ⟨ψψᵀ⟩ of its own
    /// source, ψ = (a; 1): D = g (M + δ tr M/m · I)⁻¹, m ← μ m + (1 − μ) D, W ← W − η m. M is a moving
    /// average. No edge sees another's data. It is the input factor of K-FAC (Martens, Grosse 2015).
    case local
    /// The exact least squares of each affine edge on the stalks of the batch: with η = 1
    /// W minimises ½⟨‖z − W ψ‖²⟩ + ½ δ tr M/m ‖W − W_old‖², the edge's own part of the energy with a
    /// proximal term.
    case leastSquares

    /// The rate where none is given.
    public var defaultRate: Double {
      switch self {
      case .adam: 0.001
      case .gradient, .momentum: 0.01
      case .local: 0.1
      case .leastSquares: 1
      }
    }
  }

  /// The constants of the rules.
  public struct Coefficients: Sendable, Equatable, Codable {
    /// μ of `momentum` and `local`.
    public var momentum = 0.9
    /// β₁, β₂ and ε of `adam`.
    public var (beta1, beta2, epsilon) = (0.9, 0.999, 1e-8)
    /// How much of the moving average of M stays from step to step, of `local`.
    public var momentDecay = 0.95
    /// The steps between two factorisations of that average, of `local`.
    public var refresh = 10

    /// The usual ones.
    public init() {}
  }

  /// The rule.
  public let rule: Rule
  /// The constants of the rule.
  public let coefficients: Coefficients
  /// δ of `local` and `leastSquares`, relative to the mean eigenvalue of M.
  public let damping: Double
  /// λ in W ← (1 − η λ) W, before the step, for weights (no biases, scales or shifts); decoupled from
  /// the gradient (Loshchilov, Hutter 2019).
  public let weightDecay: Double
  private(set) var first: ParameterGradients
  private(set) var second: ParameterGradients
  /// The moving averages of the moments of `local`, by edge and block.
  private(set) var moments: [[Matrix]] = []
  private(set) var steps = 0
  private var factors: [[CholeskyFactorization]] = []

  /// An optimiser for the parameters of a network.
  ///
  /// - Throws: `TrainingError.setting` for a damping, decay or coefficient out of range.
  public init(
    _ rule: Rule, damping: Double = 0.01, weightDecay: Double = 0,
    coefficients: Coefficients = Coefficients(), for network: Network
  ) throws(TrainingError) {
    let c = coefficients
    for (name, value) in [
      ("momentum", c.momentum), ("beta1", c.beta1), ("beta2", c.beta2),
      ("momentDecay", c.momentDecay),
    ] where !(value >= 0 && value < 1) {
      throw .setting(name: name, found: "\(value)", expected: "at least 0 and below 1")
    }
    guard c.epsilon > 0 && c.epsilon.isFinite && c.refresh > 0 else {
      throw .setting(
        name: "epsilon and refresh", found: "\(c.epsilon), \(c.refresh)",
        expected: "a positive number and at least one step")
    }
    for (name, value) in [("damping", damping), ("weight-decay", weightDecay)]
    where !(value >= 0 && value.isFinite) || (name == "damping" && value == 0) {
      throw .setting(
        name: name, found: "\(value)",
        expected: name == "damping" ? "a positive finite number" : "0 or a positive finite number")
    }
    (self.rule, self.coefficients) = (rule, coefficients)
    (self.damping, self.weightDecay) = (damping, weightDecay)
    first = ParameterGradients(of: network)
    second = rule == .adam ? first : ParameterGradients(edges: [])
    if rule == .local { moments = Self.blankMoments(network) }
  }

  /// Whether `step` wants moments.
  var needsMoments: Bool { rule == .local || rule == .leastSquares }

  /// Zero moments of each edge's regressors.
  static func blankMoments(_ network: Network) -> [[Matrix]] {
    network.edges.map { edge in
      edge.operation.regressorDimensions.map { Matrix(rows: $0, columns: $0) }
    }
  }

  /// Changes the parameters in place.
  ///
  /// - Parameters:
  ///   - moments: ⟨ψψᵀ⟩ over the batch, by edge and block; empty where not needed.
  ///   - rate: η > 0.
  ///   - energyScales: gradients of an edge times this are those of its ½⟨‖ρ‖²⟩ (`leastSquares`); empty
  ///     for 1.
  public mutating func step(
    _ network: inout Network, _ gradients: ParameterGradients, moments batch: [[Matrix]] = [],
    rate: Double, energyScales: [Double] = []
  ) {
    steps += 1
    let decay = 1 - rate * weightDecay
    if weightDecay > 0 {
      for e in gradients.edges.indices {
        let names = network.edges[e].operation.parameterNames
        network.updateParameters(of: e) { i, w in
          if names[i] == "weight" { w.scale(by: decay) }
        }
      }
    }
    var gradients = gradients
    if needsMoments { precondition(&gradients, network, batch) }
    let t = Double(steps)
    let (rule, c) = (rule, coefficients)
    // m̂/(√v̂ + ε) = m·c/(√v + ε√(1−β₂ᵗ)) with c = √(1−β₂ᵗ)/(1−β₁ᵗ).
    let root = (1 - pow(c.beta2, t)).squareRoot()
    for e in gradients.edges.indices {
      network.updateParameters(of: e) { i, w in
        let g = gradients.edges[e][i]
        switch rule {
        case .gradient: w.add(g, scale: -rate)
        case .momentum:
          first.edges[e][i].add(g, keeping: c.momentum)
          w.add(first.edges[e][i], scale: -rate)
        case .adam:
          w.adamStep(
            gradient: g, first: &first.edges[e][i], second: &second.edges[e][i],
            rate: rate * root / (1 - pow(c.beta1, t)), beta1: c.beta1, beta2: c.beta2,
            epsilon: c.epsilon * root)
        case .local:
          first.edges[e][i].add(g, scale: 1 - c.momentum, keeping: c.momentum)
          w.add(first.edges[e][i], scale: -rate / (1 - pow(c.momentum, t)))
        case .leastSquares: w.add(g, scale: -rate * (energyScales.isEmpty ? 1 : energyScales[e]))
        }
      }
    }
  }

  /// gradients ← gradients · M⁻¹ on the edges that have regressors.
  private mutating func precondition(
    _ gradients: inout ParameterGradients, _ network: Network, _ batch: [[Matrix]]
  ) {
    let (decay, refresh) = (coefficients.momentDecay, coefficients.refresh)
    if rule == .local {
      for e in moments.indices {
        for b in moments[e].indices {
          moments[e][b].add(
            batch[e][b], scale: 1 - decay, keeping: decay)
        }
      }
      if factors.isEmpty || steps <= refresh || steps % refresh == 0 {
        // The average began at 0.
        let scale = 1 / (1 - pow(decay, Double(steps)))
        factors = moments.map { $0.map { factor($0, scale) } }
      }
    } else {
      factors = batch.map { $0.map { factor($0, 1) } }
    }
    for (e, edge) in network.edges.enumerated() where !factors[e].isEmpty {
      edge.operation.solveMoments(factors[e], &gradients.edges[e])
    }
  }

  /// The factorisation of scale · M + δ tr/m · I.
  private func factor(_ moment: Matrix, _ scale: Double) -> CholeskyFactorization {
    let n = moment.rows
    var damped = moment
    damped.scale(by: scale)
    let mean = (0..<n).reduce(0) { $0 + damped[$1, $1] } / Double(n)
    var ridge = damping * mean + .leastNormalMagnitude
    while true {
      var regular = damped
      for i in 0..<n { regular[i, i] += ridge }
      if let factor = try? CholeskyFactorization(regular) { return factor }
      // Not finite, or a moment so ill-conditioned that rounding shows: the gradient decides.
      guard mean.isFinite && ridge.isFinite && damped.firstNonFinite == nil else {
        return CholeskyFactorization(lowerTriangle: .identity(n))
      }
      ridge = max(2 * ridge, 1e-12 * mean)
    }
  }
}

/// What a checkpoint holds.
extension Optimizer {
  func save(into state: inout TrainingState) {
    state.numbers["optimizer.steps"] = [UInt64(steps)]
    state.save(first.edges, named: "optimizer.first")
    state.save(second.edges, named: "optimizer.second")
    state.save(moments, named: "optimizer.moments")
    // The factors of a moving average are not made anew in every step.
    guard rule == .local else { return }
    state.save(factors.map { $0.map(\.lowerTriangle) }, named: "optimizer.factors")
  }

  mutating func restore(from state: TrainingState) throws(TrainingError) {
    steps = try state.integer("optimizer.steps")
    try state.restore(&first.edges, named: "optimizer.first")
    try state.restore(&second.edges, named: "optimizer.second")
    try state.restore(&moments, named: "optimizer.moments")
    guard rule == .local && steps > 0 else { return }
    var triangles = moments
    try state.restore(&triangles, named: "optimizer.factors")
    factors = triangles.map { $0.map { CholeskyFactorization(lowerTriangle: $0) } }
  }
}
