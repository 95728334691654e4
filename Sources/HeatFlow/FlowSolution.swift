import NeuralSheaves

/// When a flow may stop.
public enum StoppingRule: Sendable, Equatable {
  /// The paper's: no coordinate moved more than the tolerance in one step, after at least 5 steps.
  case change(Double)
  /// The vector field is small: max over samples of ‖F‖∞ / max(1, ‖y − ŷ‖∞) ≤ the tolerance, ŷ the
  /// forward pass and y the values that clamp the output (‖y − ŷ‖ = 0 without a clamp).
  case residual(Double)
}

/// The end of a heat flow.
public struct FlowSolution: Sendable {
  /// How it ended.
  public let status: SolutionStatus
  /// The last state.
  public let state: SheafState
  /// The number of steps.
  public let steps: Int
  /// The size dt of the last step; the default step changes with the pattern.
  public let stepSize: Double
  /// The flow time, the sum of the steps.
  public let time: Double
  /// max over samples of ‖F‖∞ / max(1, ‖y − ŷ‖∞) at the last state.
  public let residual: Double
  /// The largest change of a coordinate in the last step.
  public let lastChange: Double
  /// The steps in which at least one coordinate switched branch.
  public let crossings: [Int]
  /// The discords at the last state.
  public let discords: DiscordReport
  /// The energy at the last state, soft pins included, mean over the batch.
  public let energy: Double
}

/// A flow that cannot be run.
public enum FlowError: Error, CustomStringConvertible {
  /// A setting that must be positive and finite.
  case setting(name: String, found: Double)
  /// A step at or above the stability bound.
  case unstableStep(found: Double, bound: Double)
  /// λ_max is not finite, or so large or small that no step is.
  case noStableStep

  /// What was found and what was expected, in a sentence.
  public var description: String {
    switch self {
    case .setting(let name, let found): "\(name) is \(found), expected a positive finite number"
    case .noStableStep:
      "there is no stable step: 2/(α λ_max) is zero or not finite; the weights, a stiffness γ or α are "
        + "too large or too small"
    case .unstableStep(let found, let bound):
      "step \(found) is unstable: forward Euler needs a step below 2/(α λ_max) = \(bound)"
    }
  }
}
