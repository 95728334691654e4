import NeuralSheaves

/// The stiffness γ_v of the edges into each vertex in E = ½ Σ γ_v ‖ρ_v‖² + κ·(loss).
///
/// A common factor of all γ is the same as κ divided by it: stiff edges, like a small κ, tend to
/// backpropagation. Factors by kind say where discrepancies may stay.
public struct EdgeStiffness: Sendable, Equatable {
  /// The factor common to all edges.
  public var schedule: Schedule
  /// Further factors by the kind of operation, each positive; 1 where there is none.
  public var factors: [OperationKind: Double]

  /// A stiffness, by default 1 everywhere.
  ///
  /// - Throws: `TrainingError.setting` for a factor that is not positive and finite, or that of
  ///   the output edge, which is κ.
  public init(
    _ schedule: Schedule = .constant(1), factors: [OperationKind: Double] = [:]
  ) throws(TrainingError) {
    for (kind, factor) in factors {
      guard factor > 0 && factor.isFinite else {
        throw .setting(
          name: "stiffness of \(kind.rawValue) edges", found: "\(factor)",
          expected: "a positive finite number")
      }
      guard kind != .output else {
        throw .setting(
          name: "stiffness of output edges", found: "\(factor)",
          expected: "none: the weight of the output edge is the coupling")
      }
    }
    (self.schedule, self.factors) = (schedule, factors)
  }

  private init() { (schedule, factors) = (.constant(1), [:]) }

  /// γ = 1.
  public static let uniform = EdgeStiffness()

  /// γ of each vertex of a network at progress t; that of the input is 1.
  func values(_ network: Network, at t: Double) -> [Double] {
    var gamma = [Double](repeating: 1, count: network.vertices.count)
    let common = schedule.value(at: t)
    for edge in network.edges {
      gamma[edge.target] = common * (factors[edge.operation.kind] ?? 1)
    }
    return gamma
  }
}
