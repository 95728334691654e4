import Foundation
import LinearAlgebra
import NeuralSheaves

/// The end of a heat flow.
public struct FlowSolution: Sendable {
  /// How the run ended.
  public let status: SolutionStatus
  /// How each sample ended: as the run did, but that one with a residual below the rule's has converged, and one
  /// whose numbers are not finite has diverged.
  public let statuses: [SolutionStatus]
  /// The last state.
  public let state: SheafState
  /// The number of steps; of the exact flow, of linear segments, the most that a sample went through.
  public let steps: Int
  /// The size dt of the last step; the default step changes with the pattern. 0 of the exact flow.
  public let stepSize: Double
  /// The flow time, the sum of the steps.
  public let time: Double
  /// ‖F‖∞ / max(1, ‖t − Eω‖∞) of each sample at the last state. Of the exact flow F is minus the
  /// smallest element of the generalised gradient, which also vanishes where all that moves rests.
  public let residuals: [Double]
  /// The largest of them.
  public var residual: Double { residuals.maximum() ?? 0 }
  /// The largest change of a coordinate in the last step; 0 of the exact flow.
  public let lastChange: Double
  /// The steps in which at least one coordinate switched branch; of the exact flow, the ordinal numbers
  /// of the crossings among all events.
  public let crossings: [Int]
  /// The discords at the last state.
  public let discords: DiscordReport
  /// The energy at the last state, soft pins included, mean over the batch.
  public let energy: Double
  /// −d/dt log ‖F‖ over the last part of the run (Docs/HeatFlow.md); nil where the force has not fallen
  /// fourfold since the last switch.
  public let measuredRate: Double?
  /// α·λ_min of the last face, known to the exact flow.
  let faceRate: Double?
  /// What happened on the way, by time; of the exact flow only.
  public let events: [FlowEvent]

  init(
    status: SolutionStatus, stop: StoppingRule, state: SheafState, steps: Int, stepSize: Double,
    time: Double, residuals: [Double], lastChange: Double, crossings: [Int],
    discords: DiscordReport, energy: Double, measuredRate: Double?, faceRate: Double? = nil,
    events: [FlowEvent] = []
  ) {
    self.status = status
    statuses = residuals.map { residual in
      if !residual.isFinite { return .diverged }
      if case .residual(let tolerance) = stop, residual <= tolerance { return .converged }
      return status
    }
    (self.state, self.steps, self.stepSize, self.time) = (state, steps, stepSize, time)
    (self.residuals, self.lastChange, self.crossings) = (residuals, lastChange, crossings)
    (self.discords, self.energy) = (discords, energy)
    (self.measuredRate, self.faceRate, self.events) = (measuredRate, faceRate, events)
  }

  /// How many more steps of the last one's size a rule wants, if the force dies out from here on at a rate, such as
  /// the predicted one; nil where that cannot be said.
  ///
  /// A residual or a change that is f times its tolerance is down after a time log f / rate, if no neuron
  /// switches any more and none slides: Euler's steps chatter there, and no number of them is enough. A rate
  /// that has been measured as well is believed where it is the smaller.
  public func remainingSteps(for rule: StoppingRule, rate: Double?) -> Double? {
    guard stepSize > 0 else { return nil }
    let factor: Double
    switch rule {
    case .time(let end): return max(0, (end - time) / stepSize).rounded(.up)
    case .change(let tolerance): factor = lastChange / tolerance
    case .residual(let tolerance): factor = residual / tolerance
    }
    guard let rate = [rate, measuredRate].compactMap({ $0 }).min(), rate > 0, factor.isFinite
    else { return nil }
    return max(0, log(factor) / (rate * stepSize)).rounded(.up)
  }
}
