/// How an iteration ended.
public enum SolutionStatus: String, Sendable, CaseIterable {
  /// The stopping rule was met.
  case converged
  /// The allowed steps were used up.
  case stepLimit
  /// The allowed time was used up.
  case timeLimit
  /// The caller asked for an end.
  case interrupted
  /// The state or its energy grew without bound; the state returned is the last one.
  case diverged
  /// The residual stays up because neurons rest on kinks.
  case stalled
}
