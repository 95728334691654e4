import LinearAlgebra
import NeuralSheaves

/// The sheaf heat equation ω̇ = −α δᵀ(δω − b) with pins, on a state-dependent neural sheaf
/// (Bosca, Ghrist 2026, §4).
public struct HeatFlow: Sendable {
  /// The sheaf.
  public let sheaf: NeuralSheaf
  /// The pins.
  public let pins: Pins
  /// The output edge: of a smooth φ, or of a soft clamp.
  public let output: OutputEdge?
  /// The diffusivity α.
  public let alpha: Double

  /// The flow on a sheaf.
  ///
  /// - Parameters:
  ///   - pins: of the whole batch, the input among them.
  ///   - output: where given, states need `output`, the value of a_{k+1}; hold it by a pin on
  ///     vertex `vertices.count` for a clamp.
  ///   - alpha: α > 0.
  public init(
    _ sheaf: NeuralSheaf, pins: Pins, output: OutputEdge? = nil, alpha: Double = 1
  ) throws(FlowError) {
    guard alpha > 0 && alpha.isFinite else { throw .setting(name: "alpha", found: alpha) }
    self.sheaf = sheaf
    self.pins = pins
    self.output = output
    self.alpha = alpha
  }

  /// The vector field F = −∇E at a state, one matrix per vertex, a_{k+1} last; 0 on held
  /// coordinates. Cost: two sweeps.
  public func vectorField(at state: SheafState) -> [Matrix] {
    var field = VectorField(sheaf, at: state, pins: pins, output: output, parametersRest: false)
    var result = state.stalks.map { Matrix(rows: $0.rows, columns: $0.columns) }
    if let a = state.output { result.append(Matrix(rows: a.rows, columns: a.columns)) }
    field.evaluate(sheaf, state) { v, force in result[v] = force }
    return result
  }

  /// max over samples of ‖F‖∞ / scale.
  func residual(at state: SheafState, scales: [Double]) -> Double {
    var largest = 0.0
    for force in vectorField(at: state) {
      for j in 0..<force.columns {
        largest = max(largest, force.columns(j..<j + 1).maximumMagnitude / scales[j])
      }
    }
    return largest
  }

  /// max(1, ‖y − ŷ‖∞) for each sample, where the output is held at y and ŷ is the forward pass.
  func residualScales(_ state: SheafState) -> [Double] {
    let network = sheaf.network
    let last = network.lastVertex
    let target: Matrix
    let scale: Double
    if output != nil, pins.holdsAll(of: network.vertices.count), let a = state.output {
      (target, scale) = (a, 1)
    } else if pins.holdsAll(of: last) {
      (target, scale) = (state.stalks[last], 1)
    } else {
      return [Double](repeating: 1, count: state.batch)
    }
    var r = sheaf.forwardPass(state.stalks[0]).stalks[last]
    if let output { r = output.activation(r) }
    r.add(target, scale: -scale)
    return (0..<state.batch).map { max(1, r.columns($0..<$0 + 1).maximumMagnitude) }
  }

  /// The energy of a state, pins included, mean over the batch.
  public func energy(of state: SheafState) -> Double {
    discords(of: state).energy + pins.energy(state) / Double(max(state.batch, 1))
  }

  /// The discords of a state.
  public func discords(of state: SheafState) -> DiscordReport {
    let isClamped = output != nil && pins.holdsAll(of: sheaf.network.vertices.count)
    return sheaf.discords(state, output: output, isClamped: isClamped)
  }
}
