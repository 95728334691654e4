/// When a flow may stop.
public enum StoppingRule: Sendable, Equatable {
  /// The paper's: no coordinate moved more than the tolerance in one step, after at least 5 steps.
  /// Not for `Exact`, which has no step.
  case change(Double)
  /// The vector field is small: max over samples of ‖F‖∞ / max(1, ‖y − ŷ‖∞) ≤ the tolerance, ŷ the
  /// forward pass and y the values that clamp the output (‖y − ŷ‖ = 0 without a clamp).
  case residual(Double)
  /// The flow time has come; the last step is cut to end there.
  case time(Double)

  /// Checks that the number is positive and finite.
  func check() throws(FlowError) {
    let (name, value) =
      switch self {
      case .change(let t), .residual(let t): ("tolerance", t)
      case .time(let t): ("time", t)
      }
    guard value > 0 && value.isFinite else { throw .setting(name: name, found: value) }
  }
}
