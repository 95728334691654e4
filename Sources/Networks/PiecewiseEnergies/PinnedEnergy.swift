import LinearAlgebra
import NeuralSheaves

/// The energy that pins and an output edge give to the states of a neural sheaf, sample by sample:
///
///     E(ω) = ½⟨ρ, ρ⟩_Γ + Σ (γ/2)(c − t)² + (output edge),   ρ = δω − b,
///
/// a function of the free coordinates: all but those that hard pins hold, the input among them
/// unless a soft pin frees it. For an identity or no output edge it is continuous and piecewise
/// quadratic, with kinks where a state-dependent operation changes branch (Docs/Equilibria.md).
public struct PinnedEnergy: Sendable {
  /// The sheaf.
  public let sheaf: NeuralSheaf
  /// The pins, of the whole batch.
  public let pins: Pins
  /// The edge from z_{k+1} to a_{k+1}, if there is one; states then have `output`.
  public let output: OutputEdge?
  /// Γ, the inner products of the edges' stalks.
  public let stiffness: Stiffness

  /// An energy from its parts.
  public init(
    _ sheaf: NeuralSheaf, pins: Pins, output: OutputEdge? = nil, stiffness: Stiffness = .uniform
  ) {
    self.sheaf = sheaf
    self.pins = pins
    self.output = output
    self.stiffness = stiffness
  }

  /// Whether a_{k+1} is wholly held: a clamp.
  public var isClamped: Bool {
    output != nil && pins.holdsAll(of: sheaf.network.vertices.count)
  }

  /// The same energy for some of the samples.
  public func samples(_ range: Range<Int>) -> PinnedEnergy {
    PinnedEnergy(sheaf, pins: pins.samples(range), output: output, stiffness: stiffness)
  }

  /// The same energy for the samples with the given indices.
  public func samples(_ indices: [Int]) -> PinnedEnergy {
    PinnedEnergy(sheaf, pins: pins.samples(indices), output: output, stiffness: stiffness)
  }

  /// The energy without what its state-dependent edges give: a quadratic.
  package var affinePart: PinnedEnergy {
    let edges = sheaf.network.edges
    let dependent = edges.indices.filter { edges[$0].operation.isStateDependent }
    return PinnedEnergy(
      sheaf, pins: pins, output: output, stiffness: stiffness.omitting(dependent, of: sheaf.network)
    )
  }

  /// E of each sample.
  public func values(at state: SheafState) -> [Double] {
    values(at: state, discrepancy: sheaf.discrepancy(state))
  }

  /// The same where ρ is at hand.
  package func values(at state: SheafState, discrepancy rho: [Matrix]) -> [Double] {
    let last = sheaf.network.lastVertex
    return (0..<state.batch).map { j in
      var sum = stiffness.energy(rho, sample: j) + pins.energy(state, sample: j)
      if let output, let a = state.output {
        sum += output.energy(state.stalks[last], a, isClamped: isClamped, sample: j)
      }
      return sum
    }
  }

  /// The discords of a state, mean over the batch.
  public func discords(at state: SheafState) -> DiscordReport {
    sheaf.discords(state, output: output, isClamped: isClamped, stiffness: stiffness)
  }

  /// Whether the input is a free coordinate, wholly or in part.
  package var inputRole: InputRole { pins.holdsAll(of: 0) ? .held : .free }

  /// ∇E on the patterns of a state, one matrix per vertex and a_{k+1} last where there is one.
  ///
  /// Held coordinates have theirs too: it is the force with which the pin holds them. Cost: two
  /// sweeps.
  public func gradient(at state: SheafState) -> [Matrix] {
    gradient(
      at: state, discrepancy: sheaf.discrepancy(state), sheaf.patterns(at: state), input: .free)
  }

  /// The same where ρ and the patterns are at hand; the input's part only where that is free.
  package func gradient(
    at state: SheafState, discrepancy rho: [Matrix], _ patterns: [ActivationPattern],
    input: InputRole
  ) -> [Matrix] {
    var gradient = rho
    gradient[0] = Matrix(rows: input == .free ? state.stalks[0].rows : 0, columns: state.batch)
    stiffness.multiply(&gradient)
    sheaf.applyCoboundaryTransposed(&gradient, at: patterns, input: input)
    let last = sheaf.network.lastVertex
    if let output, let a = state.output {
      var residual = Matrix(rows: a.rows, columns: a.columns)
      var (force, onOutput) = (residual, Matrix?.some(residual))
      output.addForce(
        state.stalks[last], a, residual: &residual, into: &force, outputForce: &onOutput)
      gradient[last].add(force, scale: -1)
      onOutput!.scale(by: -1)
      gradient.append(onOutput!)
    }
    for v in gradient.indices where gradient[v].rows > 0 {
      let stalk = v < state.stalks.count ? state.stalks[v] : state.output!
      pins.addSoftForces(vertex: v, stalk: stalk, scale: -1, into: &gradient[v])
    }
    return gradient
  }

  /// The input with what is held or pulled at its pins' values.
  public func priorInput(_ input: Matrix) -> Matrix {
    var input = input
    for pin in pins.soft(0) {
      for j in 0..<input.columns {
        for (p, i) in pin.rows.enumerated() { input[i, j] = pin.values[p, j] }
      }
    }
    pins.impose(on: &input, vertex: 0)
    return input
  }

  /// The forward pass through the pins: each quantity is worked out from those before it, and what is
  /// held takes its value. a_{k+1} is not set.
  ///
  /// Its discrepancy is 0 but where something is held: there it is t − (prediction).
  public func forwardPass(_ input: Matrix) -> (state: SheafState, discrepancy: [Matrix]) {
    var state = sheaf.zeroState(priorInput(input))
    var rho = sheaf.zeroCochain(batch: input.columns)
    sheaf.runForwardPass(&state) { v, stalk in
      let values = pins.heldValues(v)
      for (p, i) in pins.held(v).enumerated() {
        for j in 0..<input.columns {
          rho[v][i, j] = values[p, j] - stalk[i, j]
          stalk[i, j] = values[p, j]
        }
      }
    }
    return (state, rho)
  }

  /// max(1, ‖t − Eω‖∞) of each sample, from the forward pass through the pins to what hard pins and the
  /// clamp hold: the scale of residuals.
  ///
  /// - Parameter input: (n₀, batch).
  public func residualScales(_ input: Matrix) -> [Double] { residualScales(forwardPass(input)) }

  /// The same from that forward pass.
  package func residualScales(
    _ forward: (state: SheafState, discrepancy: [Matrix])
  ) -> [Double] {
    let network = sheaf.network
    var scales = (0..<forward.state.batch).map { j in
      forward.discrepancy.reduce(1) { maximum($0, $1.maximumMagnitude(column: j)) }
    }
    if let output {
      let predicted = output.activation(forward.state.stalks[network.lastVertex])
      let values = pins.heldValues(network.vertices.count)
      for (p, i) in pins.held(network.vertices.count).enumerated() {
        for j in scales.indices {
          scales[j] = maximum(scales[j], abs(values[p, j] - predicted[i, j]))
        }
      }
    }
    return scales
  }
}
