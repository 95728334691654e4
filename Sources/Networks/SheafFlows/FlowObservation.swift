import NeuralSheaves

/// What an observer sees: of step-by-step methods before each step and once after the last, of the exact
/// flow at its events and on a grid of times.
public struct FlowObservation {
  /// The number of steps taken; of the exact flow, of events that have happened.
  public let step: Int
  /// The flow time.
  public let time: Double
  /// Σ‖ρ_e‖² at this state, mean over the batch.
  public let totalDiscord: Double
  /// The number of steps so far in which a coordinate switched branch.
  public let crossings: Int
  /// The network's output for the first sample.
  public let output: [Double]
  /// The state of all samples.
  public let state: SheafState
}

/// How far a run is that takes steps.
public struct FlowProgress: Sendable {
  /// The number of steps taken.
  public let step: Int
  /// The flow time.
  public let time: Double
  /// ‖F‖∞ over the batch, relative to the largest scale of a sample: the residual, where samples are alike,
  /// else no more than it.
  public let residual: Double
}
