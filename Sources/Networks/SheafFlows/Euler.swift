import Foundation
import LinearAlgebra
import NeuralSheaves

/// Forward Euler, ω ← ω + dt·α·F(ω): the paper's integrator.
///
/// Order 1; on a fixed pattern stable iff dt < 2/(α λ_max). Where neurons slide along z_j = 0 it
/// chatters for ever and the residual does not vanish: neither branch has a stationary point there.
public struct Euler: Sendable {
  /// The step dt; nil for 1.8/(α λ_max) of the current pattern, looked up again as it switches.
  public var step: Double?
  /// When to stop; nil for the residual rule at the settings' tolerance.
  public var stop: StoppingRule?
  /// Whether to take a step at or above the stability bound.
  public var allowsUnstable: Bool
  /// How long it may go on; halts before any step.
  public var settings: SolverSettings
  /// Told after every step how far the run is; costs nothing else.
  public var progress: (@Sendable (FlowProgress) -> Void)?

  /// Euler's method with its settings.
  public init(
    step: Double? = nil, stop: StoppingRule? = nil, stepLimit: Int = 200_000,
    allowsUnstable: Bool = false, threads: Int = ProcessInfo.processInfo.activeProcessorCount
  ) {
    self.step = step
    self.stop = stop
    self.allowsUnstable = allowsUnstable
    settings = SolverSettings(stepLimit: stepLimit, threads: threads)
  }

  /// Runs the flow from a state to the end.
  ///
  /// - Parameters:
  ///   - start: held coordinates are set to their pins before the first step.
  ///   - observe: called before every step and at the end; costs two more sweeps each time.
  /// - Throws: `FlowError` for a step, tolerance, time or limit that is not positive, and for an
  ///   unstable step unless `allowsUnstable`.
  public func run(
    _ flow: HeatFlow, from start: SheafState, observe: ((FlowObservation) -> Void)? = nil
  ) throws(FlowError) -> FlowSolution {
    var method = EulerMethod(euler: self)
    return try method.integrate(flow, from: start, observe: observe)
  }
}

/// Euler's step: constant, or 0.9 of the bound, which is looked up again when the pattern has switched.
private struct EulerMethod: FlowMethod {
  let euler: Euler
  private var h = 0.0
  private var (lookedUp, isStale, previous) = (0, false, 0.0)

  init(euler: Euler) { self.euler = euler }

  var stop: StoppingRule? { euler.stop }
  var settings: SolverSettings { euler.settings }
  var progress: (@Sendable (FlowProgress) -> Void)? { euler.progress }

  // Nothing free, nothing to move: then any step will do.
  private func defaultStep(_ flow: HeatFlow, _ state: SheafState) -> Double {
    let bound = flow.stableStep(at: state, halt: settings.halt)
    return bound == .infinity ? 1 : 0.9 * bound
  }

  mutating func start(_ flow: HeatFlow, _ state: SheafState) throws(FlowError) {
    h = euler.step ?? defaultStep(flow, state)
    // Then no step is taken.
    if settings.halt.reason != nil { return }
    guard euler.step != nil || (h > 0 && h.isFinite) else { throw .noStableStep }
    guard h > 0 && h.isFinite else { throw .setting(name: "step", found: h) }
    if euler.step != nil && !euler.allowsUnstable {
      let bound = flow.stableStep(at: state, halt: settings.halt)
      if h >= bound && settings.halt.reason == nil { throw .unstableStep(found: h, bound: bound) }
    }
  }

  func block(_ flow: HeatFlow, _ part: SheafState, _ range: Range<Int>) -> EulerBlock {
    let field = VectorField(flow.pinned.samples(range), at: part, parametersRest: true)
    return EulerBlock(state: part, field: field, range: range)
  }

  func step(
    _ blocks: ParallelLoop<EulerBlock>, atMost limit: Double, _ flow: HeatFlow
  ) -> FlowStep {
    var report = VectorField.StepReport()
    let size = min(h, limit)
    let dt = size * flow.alpha
    for b in 0..<blocks.count { blocks.with(b) { $0.stepSize = dt } }
    blocks.run()
    for b in 0..<blocks.count { report.add(blocks.with(b) { $0.report }) }
    return FlowStep(size: size, report: report)
  }

  mutating func adapt(
    after step: FlowStep, steps: Int, _ flow: HeatFlow, state: () -> SheafState
  ) {
    // A new pattern has a new bound: soon where changes grow, else at leisure, for it costs tens
    // of sweeps.
    isStale = isStale || step.report.switched > 0
    let wait = step.report.change > previous ? 5 : 50
    previous = step.report.change
    if euler.step == nil && isStale && steps >= lookedUp + wait {
      (lookedUp, isStale) = (steps, false)
      h = defaultStep(flow, state())
    }
  }
}

/// Some samples with all that stepping them needs.
private struct EulerBlock: FlowBlock {
  var state: SheafState
  var field: VectorField
  let range: Range<Int>
  var stepSize = 0.0
  var report = VectorField.StepReport()

  mutating func step(_ sheaf: NeuralSheaf) {
    report = field.step(sheaf, &state, by: stepSize)
  }
}
