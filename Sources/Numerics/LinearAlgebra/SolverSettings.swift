import Foundation

/// How closely an iteration is to end, how long it may go on, and on how many threads.
public struct SolverSettings: Sendable {
  /// The residual that counts as converged.
  public var tolerance: Double
  /// The most steps.
  public var stepLimit: Int
  /// The most threads.
  public var threads: Int
  /// Asked between steps whether to end early, as when a time limit has passed; what is open then has its
  /// reason for a status.
  public var halt: Halt

  /// The tolerance where none is given.
  public static let defaultTolerance = 1e-8

  /// Settings, by default for as many threads as there are processors.
  public init(
    stepLimit: Int, tolerance: Double = Self.defaultTolerance,
    threads: Int = ProcessInfo.processInfo.activeProcessorCount, halt: Halt = .never
  ) {
    (self.stepLimit, self.tolerance) = (stepLimit, tolerance)
    (self.threads, self.halt) = (threads, halt)
  }
}
