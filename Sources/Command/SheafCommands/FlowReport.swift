import Foundation
import LinearAlgebra
import NeuralSheaves
import SheafFlows

/// What `sheaf flow` says of the end of a flow.
struct FlowReport {
  let solution: FlowSolution
  let network: Network
  let method: Flow.Method
  let rule: StoppingRule
  /// 2/(α λ_max) at the end.
  let bound: Double
  /// α·λ_min at the end, where it is known.
  let rate: Double?
  /// max |output − forward pass|; nil where pins hold or pull.
  let forwardError: Double?

  /// The report on a solution.
  init(
    _ solution: FlowSolution, _ network: Network, method: Flow.Method, rule: StoppingRule,
    bound: Double, rate: Double?, isPinned: Bool
  ) {
    (self.solution, self.network, self.method) = (solution, network, method)
    (self.rule, self.bound, self.rate) = (rule, bound, rate)
    if isPinned {
      forwardError = nil
    } else {
      var difference = network(solution.state.stalks[0])
      difference.add(Self.output(solution, network), scale: -1)
      forwardError = difference.maximumMagnitude
    }
  }

  private static func output(_ s: FlowSolution, _ network: Network) -> Matrix {
    s.state.output ?? s.state.stalks[network.lastVertex]
  }

  /// The object of `--json`.
  var json: [String: Any] {
    let s = solution
    var object: [String: Any] = [
      "status": s.status.rawValue, "steps": s.steps, "time": JSONOutput.number(s.time),
      "stepSize": JSONOutput.number(s.stepSize), "residual": JSONOutput.number(s.residual),
      "lastChange": JSONOutput.number(s.lastChange),
      "totalDiscord": JSONOutput.number(s.discords.total),
      "energy": JSONOutput.number(s.energy),
      "edges": JSONOutput.discords(s.discords, of: network),
      "crossings": s.crossings.count, "stableStep": JSONOutput.number(bound),
      "output": JSONOutput.samples(Self.output(s, network)),
      "predictedRate": JSONOutput.number(rate),
      "measuredRate": JSONOutput.number(s.measuredRate),
    ]
    if method == .exact {
      object["events"] = s.events.map {
        [
          "time": $0.time, "vertex": network.vertices[$0.vertex].name, "neuron": $0.neuron,
          "sample": $0.sample, "kind": $0.kind.rawValue,
        ] as [String: Any]
      }
    }
    if let forwardError { object["forwardError"] = JSONOutput.number(forwardError) }
    return object
  }

  /// The report for people.
  var text: String {
    let n = TextOutput.number
    let s = solution
    let steps =
      method == .exact ? "linear segments" : "steps, the last of \(n(s.stepSize))"
    let slides = s.events.count { $0.kind == .sliding }
    var ending = s.status.rawValue
    // A time that was asked for says nothing of convergence; the residual does.
    if case .time = rule, s.status == .converged { ending = "the asked time reached" }
    var lines = [
      "\(ending) after \(s.steps) \(steps) (time \(n(s.time)))",
      "residual \(n(s.residual)), crossings \(s.crossings.count)"
        + (method == .exact ? ", slides \(slides)" : ""),
      "rate \(n(s.measuredRate)), predicted α·λ_min \(n(rate))",
      TextOutput.discords(s.discords, of: network),
    ]
    if let forwardError {
      lines.append("largest distance to the forward pass \(n(forwardError))")
    }
    return lines.joined(separator: "\n")
  }

  /// What to say of a flow that did not end by its rule; nil if it did.
  var failure: WorkFailure? {
    let n = TextOutput.number
    let s = solution
    let steps = method == .exact ? "segments" : "steps"
    switch s.status {
    case .converged: return nil
    case .diverged:
      return WorkFailure(
        description: "the flow diverged at step \(s.steps)"
          + (method == .euler
            ? " with step size \(n(s.stepSize)); forward Euler is stable below \(n(bound)) (--step)"
            : ": its numbers are too large to stay finite"))
    case .stalled:
      return WorkFailure(
        description: "the residual stays at \(n(s.residual))\(tolerance): stiffnesses too far "
          + "apart for double precision; take smaller γ, or sheaf equilibrate")
    case .interrupted, .timeLimit:
      return WorkFailure(
        description: s.status.haltWords
          + " after \(s.steps) \(steps): flow time \(n(s.time)), residual \(n(s.residual))\(tolerance)"
      )
    case .stepLimit:
      return WorkFailure(
        description:
          "no convergence in \(s.steps) \(steps): residual \(n(s.residual)), last change "
          + "\(n(s.lastChange))\(tolerance); \(advice)")
    }
  }

  private var tolerance: String {
    switch rule {
    case .residual(let t), .change(let t): ", tolerance \(TextOutput.number(t))"
    case .time(let t): ", time \(TextOutput.number(solution.time)) of \(TextOutput.number(t))"
    }
  }

  /// How many steps it would take at the rate λ at which the force dies out in the end: ln(r/tolerance)/λ
  /// over the step's size.
  private var advice: String {
    let n = TextOutput.number
    let s = solution
    let time: Double?
    let reason: String
    switch rule {
    case .time(let end): (time, reason) = (end - s.time, "at steps of \(n(s.stepSize))")
    case .residual(let t), .change(let t):
      // A flow that is slower than predicted has switches before it.
      let slowest = [rate, s.measuredRate].compactMap { $0 }.filter { $0 > 0 }.min()
      var distance = s.residual
      if case .change = rule { distance = s.lastChange }
      time = slowest.map { max(0, log(distance / t)) / $0 }
      reason = "at the rate \(n(slowest)) and steps of \(n(s.stepSize))"
    }
    guard let time, time.isFinite, s.stepSize > 0 else {
      return "allow more with --steps, or take sheaf equilibrate"
    }
    let more = (time / s.stepSize).rounded(.up)
    let all = (1.1 * (Double(s.steps) + more)).rounded(.up)
    guard all < 1e15 else { return "it would take \(n(all)) steps; take sheaf equilibrate" }
    return "\(reason) it takes about \(n(more)) more: --steps \(Int(all))"
      + (all > 1e7 ? ", or take sheaf equilibrate" : "")
  }
}
