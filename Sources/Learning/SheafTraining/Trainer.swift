import NeuralSheaves

/// A method of training, epoch by epoch: `GradientTraining` or `JointFlow`.
public protocol Trainer {
  /// The network being trained.
  var network: Network { get }
  /// What it is trained on.
  var data: TrainingData { get }
  /// Trains for an epoch.
  ///
  /// - Parameters:
  ///   - progress: where the epoch lies in the run, from 0 to 1; for schedules.
  ///   - isInterrupted: asked between steps; true ends the epoch early.
  mutating func runEpoch(
    _ progress: ClosedRange<Double>, isInterrupted: () -> Bool
  ) throws -> EpochReport
  /// Puts down all that the next epoch depends on.
  func save(into state: inout TrainingState)
  /// Goes on from what was put down.
  ///
  /// - Throws: `TrainingError.checkpoint` naming what is missing or does not fit.
  mutating func restore(from state: TrainingState) throws(TrainingError)
}

/// What an epoch came to.
public struct EpochReport: Sendable {
  /// How it ended.
  public enum Ending: Sendable {
    /// All its steps were taken.
    case completed
    /// A coordinate is no longer finite.
    case diverged
    /// It was asked to stop.
    case interrupted
  }

  /// How it ended.
  public var ending = Ending.completed
  /// The number of steps.
  public var steps = 0
  /// The relaxations.
  public var relaxation = RelaxationReport()
  /// The rate of the last step.
  public var rate: Double?
  /// The coupling κ of the last step, where there is one.
  public var coupling: Double?

  /// A report on nothing yet.
  public init() {}
}
