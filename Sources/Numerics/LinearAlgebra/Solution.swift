/// What an iteration came to, system by system, a system being a column of the right-hand side or a sample.
public struct Solution<Value: Sendable>: Sendable {
  /// What was found.
  public var value: Value
  /// How each system ended.
  public var statuses: [SolutionStatus]
  /// How far each is from what was asked for, in the measure of the method.
  public var residuals: [Double]
  /// The steps that each took.
  public var iterations: [Int]

  /// A report on a value.
  public init(
    _ value: Value, statuses: [SolutionStatus], residuals: [Double], iterations: [Int]
  ) {
    (self.value, self.statuses) = (value, statuses)
    (self.residuals, self.iterations) = (residuals, iterations)
  }
}
