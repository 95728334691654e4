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
  /// Numbers grew without bound; what is returned is the last.
  case diverged
  /// The residual stays up, as where neurons rest on kinks or a system has no solution.
  case stalled
}
