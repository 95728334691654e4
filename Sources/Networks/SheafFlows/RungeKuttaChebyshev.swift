import Foundation
import LinearAlgebra
import NeuralSheaves

/// The damped Runge–Kutta–Chebyshev method of order 2 (Sommeijer, Shampine, Verwer, *RKC: an explicit solver
/// for parabolic PDEs*, J. Comput. Appl. Math. 88 (1998) 315–326): explicit, with as many stages as the step
/// needs to be stable.
///
/// s stages are stable up to dt = β(s)/(α λ_max), β(s) ≈ 0.653 (s² − 1): the reach of a step grows with
/// the square of its cost. Stages follow λ_max, so every step is stable. Order 2 where no neuron
/// switches within the step, 1 in steps with a switch.
public struct RungeKuttaChebyshev: Sendable {
  /// The step dt; nil for steps that keep the estimated error of each below `accuracy`.
  public var step: Double?
  /// The root mean square error of a chosen step, relative to that of the state at the start where it is
  /// above 1. Steps also aim at an error of a hundredth of what they move, so that they resolve the rate at which
  /// the flow converges instead of growing until the fast modes hardly die out.
  public var accuracy: Double
  /// When to stop; nil for the residual rule at the settings' tolerance.
  public var stop: StoppingRule?
  /// The most stages of a chosen step, at least 2; a given step takes as many as it needs.
  public var stageLimit: Int
  /// How long it may go on; halts before any step.
  public var settings: SolverSettings
  /// Told after every step how far the run is; costs nothing else.
  public var progress: (@Sendable (FlowProgress) -> Void)?

  /// The method with its settings.
  public init(
    step: Double? = nil, accuracy: Double = 1e-4, stop: StoppingRule? = nil,
    stepLimit: Int = 200_000, stageLimit: Int = 50,
    threads: Int = ProcessInfo.processInfo.activeProcessorCount
  ) {
    self.step = step
    self.accuracy = accuracy
    self.stop = stop
    self.stageLimit = stageLimit
    settings = SolverSettings(stepLimit: stepLimit, threads: threads)
  }

  /// Runs the flow from a state to the end.
  ///
  /// Cost of a step: two sweeps for each stage.
  ///
  /// - Parameters:
  ///   - start: held coordinates are set to their pins before the first step.
  ///   - observe: called before every step and at the end; costs two more sweeps each time.
  /// - Throws: `FlowError` for a step, accuracy, tolerance, time or limit that is out of range.
  public func run(
    _ flow: HeatFlow, from start: SheafState, observe: ((FlowObservation) -> Void)? = nil
  ) throws(FlowError) -> FlowSolution {
    var method = ChebyshevMethod(chebyshev: self)
    return try method.integrate(flow, from: start, observe: observe)
  }
}

/// How steps and stages are chosen.
private struct ChebyshevMethod: FlowMethod {
  let chebyshev: RungeKuttaChebyshev
  /// The step to try next.
  private var h = 0.0
  /// α λ_max with a margin for patterns that come before the next look.
  private var radius = 0.0
  private var coefficients = ChebyshevCoefficients(stages: 2)
  /// The h α λ_max that the stages were chosen for.
  private var chosenFor = -1.0
  /// β of the most stages.
  private let reach: Double
  private var (lookedUp, isStale, previous) = (0, false, 0.0)
  /// The number of coordinates and the root mean square that errors are relative to.
  private var (count, scale) = (1.0, 1.0)
  private static let margin = 1.1
  /// The share of a step's motion that its error may be.
  private static let share = 0.01

  init(chebyshev: RungeKuttaChebyshev) {
    self.chebyshev = chebyshev
    reach = ChebyshevCoefficients(stages: max(2, chebyshev.stageLimit)).bound
  }

  var stop: StoppingRule? { chebyshev.stop }
  var settings: SolverSettings { chebyshev.settings }
  var progress: (@Sendable (FlowProgress) -> Void)? { chebyshev.progress }

  private mutating func look(_ flow: HeatFlow, _ state: SheafState) {
    radius = Self.margin * 2 / flow.stableStep(at: state, halt: settings.halt)
  }

  mutating func start(_ flow: HeatFlow, _ state: SheafState) throws(FlowError) {
    for (name, value) in [("step", chebyshev.step ?? 1), ("accuracy", chebyshev.accuracy)]
    where !(value > 0 && value.isFinite) {
      throw .setting(name: name, found: value)
    }
    guard chebyshev.stageLimit >= 2 else {
      throw .setting(name: "stages", found: Double(chebyshev.stageLimit))
    }
    look(flow, state)
    // Then no step is taken.
    if settings.halt.reason != nil { return }
    guard radius.isFinite, radius == 0 || 1 / radius > 0, (1 / radius).isFinite || radius == 0
    else {
      throw .noStableStep
    }
    // Nothing free, nothing to move: then any step will do.
    h = chebyshev.step ?? (radius == 0 ? 1 : 1 / radius)
    // Errors count relative to the stalks, as large as they are or will be.
    let forward = flow.pinned.forwardPass(state.stalks[0]).state
    let squares = [state, forward].map {
      $0.stalks.dropFirst().reduce(0) { $0 + $1.sumOfSquares }
    }.maximum()!
    count = Double(max(1, state.stalks.dropFirst().reduce(0) { $0 + $1.count }))
    scale = max(1, (squares / count).squareRoot())
    if chebyshev.step != nil {
      // Stages are whole numbers of memory-free work, but not without end.
      // Rounding grows with the square of the stages.
      let longest = ChebyshevCoefficients(stages: 1000).bound
      guard h * radius <= longest else {
        throw .tooManyStages(found: h, bound: longest / radius)
      }
    }
  }

  func block(_ flow: HeatFlow, _ part: SheafState, _ range: Range<Int>) -> ChebyshevBlock {
    ChebyshevBlock(flow, part, range)
  }

  mutating func step(
    _ blocks: ParallelLoop<ChebyshevBlock>, atMost limit: Double, _ flow: HeatFlow
  ) -> FlowStep {
    var wasRejected = false
    while true {
      var size = h
      if chebyshev.step == nil && radius > 0 {
        // Not beyond what the most stages reach.
        size = min(size, reach / radius)
      }
      h = size
      size = min(size, limit)
      let product = size * radius
      if product != chosenFor {
        chosenFor = product
        let stages = ChebyshevCoefficients.stages(forProduct: product, limit: .max)
        if stages != coefficients.stages.count {
          coefficients = ChebyshevCoefficients(stages: stages)
        }
      }
      for b in 0..<blocks.count {
        blocks.with(b) { $0.prepare(size: size * flow.alpha, coefficients, retry: wasRejected) }
      }
      blocks.run()
      var step = FlowStep(size: size, report: .init(), force: 0)
      var (squares, moved) = (0.0, 0.0)
      for b in 0..<blocks.count {
        blocks.with(b) {
          step.report.add($0.report)
          squares += $0.errorSquares
          moved += $0.movedSquares
          if $0.largestForce > step.force! || $0.largestForce.isNaN { step.force = $0.largestForce }
        }
      }
      guard chebyshev.step == nil else { return step }
      // The error of a step is of order h³.
      let estimate = (squares / count).squareRoot()
      let error = estimate / (chebyshev.accuracy * scale)
      let factor = error.isFinite ? 0.8 / pow(max(error, 1e-12), 1.0 / 3) : 0.1
      guard error <= 1 || size < 1e-6 / max(radius, 1e-300) else {
        h = size * min(0.8, max(0.1, factor))
        wasRejected = true
        continue
      }
      // A step cut short by the limit says nothing about longer ones.
      guard size == h || factor < 1 else { return step }
      h = size * min(wasRejected ? 1 : 3, max(0.2, factor))
      // Its share in the motion is of order h², but near a boundary it does not fall with h: then a step that
      // resolves the fastest mode will do.
      let share = estimate / (Self.share * (moved / count).squareRoot())
      if share > 0 && radius > 0 {
        h = min(h, max(size * min(3, max(0.2, 0.9 / share.squareRoot())), 1 / radius))
      }
      return step
    }
  }

  mutating func adapt(
    after step: FlowStep, steps: Int, _ flow: HeatFlow, state: () -> SheafState
  ) {
    isStale = isStale || step.report.switched > 0
    // A look costs tens of sweeps, about as many as a step of some stages.
    let wait = step.report.change > previous ? 1 : max(1, 40 / coefficients.stages.count)
    previous = step.report.change
    if isStale && steps >= lookedUp + wait {
      (lookedUp, isStale) = (steps, false)
      look(flow, state())
    }
  }
}
