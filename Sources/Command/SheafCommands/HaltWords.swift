import LinearAlgebra

extension SolutionStatus {
  /// Why work was ended, in the words of errors.
  var haltWords: String { self == .timeLimit ? "--time-limit reached" : "interrupted" }
}
