import LinearAlgebra
import NeuralSheaves
import PiecewiseEnergies

/// The sheaf heat equation ω̇ = −α δᵀΓ(δω − b) with pins, on a state-dependent neural sheaf
/// (Bosca, Ghrist 2026, §4).
public struct HeatFlow: Sendable {
  /// What flows downhill.
  public let pinned: PinnedEnergy
  /// The diffusivity α.
  public let alpha: Double

  /// The flow on a sheaf.
  ///
  /// - Parameters:
  ///   - pins: of the whole batch, the input among them.
  ///   - output: where given, states need `output`, the value of a_{k+1}; hold it by a pin on
  ///     vertex `vertices.count` for a clamp.
  ///   - stiffness: Γ, the inner products of the edges' stalks.
  ///   - alpha: α > 0.
  public init(
    _ sheaf: NeuralSheaf, pins: Pins, output: OutputEdge? = nil, stiffness: Stiffness = .uniform,
    alpha: Double = 1
  ) throws(FlowError) {
    try self.init(
      PinnedEnergy(sheaf, pins: pins, output: output, stiffness: stiffness), alpha: alpha)
  }

  /// The flow of an energy.
  public init(_ energy: PinnedEnergy, alpha: Double = 1) throws(FlowError) {
    guard alpha > 0 && alpha.isFinite else { throw .setting(name: "alpha", found: alpha) }
    pinned = energy
    self.alpha = alpha
  }

  /// The flow of some of the samples.
  public func samples(_ indices: [Int]) -> HeatFlow { HeatFlow(samples: indices, of: self) }

  private init(samples: [Int], of flow: HeatFlow) {
    (pinned, alpha) = (flow.pinned.samples(samples), flow.alpha)
  }

  /// The sheaf.
  public var sheaf: NeuralSheaf { pinned.sheaf }
  /// The pins.
  public var pins: Pins { pinned.pins }
  /// The output edge: of a smooth φ, or of a soft clamp.
  public var output: OutputEdge? { pinned.output }

  /// The vector field F = −∇E at a state, one matrix per vertex, a_{k+1} last; 0 on held
  /// coordinates. Cost: two sweeps.
  public func vectorField(at state: SheafState) -> [Matrix] {
    var field = VectorField(pinned, at: state, parametersRest: false)
    var result = state.stalks.map { Matrix(rows: $0.rows, columns: $0.columns) }
    if let a = state.output { result.append(Matrix(rows: a.rows, columns: a.columns)) }
    field.evaluate(sheaf, state) { v, force in result[v] = force }
    return result
  }

  /// ‖F‖∞ / max(1, ‖t − Eω‖∞) (`PinnedEnergy.residualScales`) of each sample at a state; not finite where a coordinate is not. Cost: two
  /// sweeps, and a forward pass for the scales.
  public func residuals(at state: SheafState) -> [Double] {
    residuals(at: state, scales: pinned.residualScales(state.stalks[0]))
  }

  /// The same where the scales are at hand.
  func residuals(at state: SheafState, scales: [Double]) -> [Double] {
    var largest = scales.map { _ in 0.0 }
    for force in vectorField(at: state) {
      for j in largest.indices {
        largest[j] = maximum(largest[j], force.maximumMagnitude(column: j))
      }
    }
    return zip(largest, scales).map { $0 / $1 }
  }

  /// The largest of them.
  func residual(at state: SheafState, scales: [Double]) -> Double {
    residuals(at: state, scales: scales).maximum() ?? 0
  }

  /// The energy of a state, pins included, mean over the batch.
  public func energy(of state: SheafState) -> Double {
    pinned.values(at: state).reduce(0, +) / Double(max(state.batch, 1))
  }

  /// The discords of a state.
  public func discords(of state: SheafState) -> DiscordReport { pinned.discords(at: state) }
}
