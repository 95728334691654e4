import LinearAlgebra

/// A map that can step its own source in the heat flow: in one pass over the numbers, where that pays.
public protocol HeatStepping: Sendable {
  /// The step of the heat equation at a source whose only outgoing edge this is: ρ ← t − P(s), then
  /// s ← s + h · (Rᵀρ − ρ_s). The source's own discrepancy ρ_s is `incoming` on entry, which holds
  /// anything on return, or s − prediction where a prediction is given. `pattern` is that of the
  /// source before and after. Returns the largest change of a coordinate and how many coordinates of
  /// the target switched branch.
  func relax(
    _ source: inout Matrix, target: Matrix, prediction: Matrix?, incoming: inout Matrix,
    by h: Double, pattern: inout ActivationPattern, into rho: inout Matrix
  ) -> (change: Double, switched: Int)
}

extension NetworkOperation {
  /// The step put together of the other methods.
  public func relax(
    _ source: inout Matrix, target: Matrix, prediction: Matrix?, incoming: inout Matrix,
    by h: Double, pattern: inout ActivationPattern, into rho: inout Matrix
  ) -> (change: Double, switched: Int) {
    if let prediction { incoming.setDifference(source, prediction) }
    discrepancy(source, target, into: &rho)
    addTranspose(rho, at: pattern, keeping: -1, into: &incoming)
    let change = source.advance(along: incoming, by: h)
    return (change, readPattern(at: source, into: &pattern))
  }
}
