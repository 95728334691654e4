import LinearAlgebra

/// When a flow may stop.
public enum StoppingRule: Sendable, Equatable {
  /// The paper's: no coordinate moved more than the tolerance in one step, after at least 5 steps.
  /// Not for `ExactFlow`, which has no step.
  case change(Double)
  /// The vector field is small: max over samples of ‖F‖∞ / max(1, ‖t − Eω‖∞) ≤ the tolerance, t what
  /// hard pins and the clamp hold and Eω the same coordinates of the forward pass through the pins.
  case residual(Double)
  /// The flow time has come; the last step is cut to end there.
  case time(Double)

  /// The rule, by default the residual rule, once it and the step limit are positive and finite.
  static func checked(
    _ rule: StoppingRule?, _ settings: SolverSettings
  ) throws(FlowError) -> StoppingRule {
    let rule = rule ?? .residual(settings.tolerance)
    let (name, value) =
      switch rule {
      case .change(let t), .residual(let t): ("tolerance", t)
      case .time(let t): ("time", t)
      }
    guard value > 0 && value.isFinite else { throw .setting(name: name, found: value) }
    guard settings.stepLimit > 0 else {
      throw .setting(name: "steps", found: Double(settings.stepLimit))
    }
    return rule
  }
}
