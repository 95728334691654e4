import Foundation
import LinearAlgebra
import NeuralSheaves
import PiecewiseEnergies

/// The heat flow without a step: between switches it is linear, so each stretch is propagated with the
/// eigen-decomposition of its Hessian up to the first switch, which is a root of a sum of exponentials.
///
/// The flow is ω̇ ∈ −α ∂E(ω) with Clarke's ∂E, in Filippov's sense: a coordinate that both sides push onto a
/// boundary slides along it with the velocity of least norm, and leaves when one side turns (Filippov,
/// *Differential Equations with Discontinuous Righthand Sides*, 1988, §4–5). Coordinates tied at the top of a
/// window move as one in the same way. Samples do not interact: each has its own segments. No error but
/// rounding. Cost: of order n³ per segment and sample for n free coordinates.
public struct ExactFlow: Sendable {
  /// When to stop: at a residual, where nil at the settings' tolerance, or at a time.
  public var stop: StoppingRule?
  /// The most free coordinates.
  public var dimensionLimit: Int
  /// How long it may go on. The step limit is that of a sample's linear segments; it halts before any segment,
  /// and each sample is where it got.
  public var settings: SolverSettings

  /// The exact flow with its settings.
  public init(
    stop: StoppingRule? = nil, stepLimit: Int = 200_000, dimensionLimit: Int = 600,
    threads: Int = ProcessInfo.processInfo.activeProcessorCount
  ) {
    self.stop = stop
    self.dimensionLimit = dimensionLimit
    settings = SolverSettings(stepLimit: stepLimit, threads: threads)
  }

  /// Runs the flow from a state to the end.
  ///
  /// A residual rule stops at the first time at which every sample meets it.
  ///
  /// - Parameters:
  ///   - start: held coordinates are set to their pins. A coordinate on a boundary goes where the flow takes it.
  ///   - observe: called by time at the start, at each event, at 200 times spaced geometrically from a
  ///     thousandth of 2/(α λ_max) on, and at the end; makes the flow run twice. Once `halt` has a reason
  ///     only the end is shown.
  /// - Throws: `FlowError` for a tolerance, time or limit that is not positive, the rule `change`, an output
  ///   edge with a smooth φ, too many free coordinates, and ties of overlapping windows to slide along.
  public func run(
    _ flow: HeatFlow, from start: SheafState, observe: ((FlowObservation) -> Void)? = nil
  ) throws(FlowError) -> FlowSolution {
    if case .change = stop { throw .exactHasNoSteps }
    let stop = try StoppingRule.checked(stop, settings)
    if let output = flow.output, output.activation != .identity {
      throw .smoothOutput(output.activation)
    }
    var state = start
    flow.pins.impose(on: &state)
    let pieces = try QuadraticPieces(flow, state, limit: dimensionLimit)
    let patterns = flow.sheaf.patterns(at: state)
    let scales = flow.pinned.residualScales(state.stalks[0])
    let starts = (0..<state.batch).map { j in
      SampleFlow(
        pieces, state.coordinates(ofSample: j),
        branches: pieces.flat.rows.map { patterns[$0.edge][$0.row, j] }, alpha: flow.alpha,
        sample: j, segmentLimit: settings.stepLimit, halt: settings.halt)
    }
    var samples = starts
    switch stop {
    case .time(let t): try advance(&samples) { _ in .time(t) }
    case .residual(let tolerance): try settle(&samples, scales.map { tolerance * $0 })
    case .change: preconditionFailure("refused above")
    }

    var ending = samples.compactMap(\.ending).max { $0 == .stepLimit && $1 != .stepLimit }
    let time = samples.map(\.time).min() ?? 0
    for (j, sample) in samples.enumerated() { state.setCoordinates(ofSample: j, to: sample.x) }
    let events = samples.flatMap(\.events).sorted {
      ($0.time, $0.sample) < ($1.time, $1.sample)
    }
    let crossings = events.indices.filter { events[$0].kind == .crossing }.map { $0 + 1 }
    if let observe, !(try replay(flow, state, starts, events, until: time, observe)) {
      ending = settings.halt.reason
    }
    let rates = samples.compactMap { $0.segment?.rate }
    let measured = samples.compactMap { $0.segment?.measuredRate(at: $0.elapsed) }
    let energy = flow.energy(of: state)
    let residuals = flow.clarkeResiduals(at: state, scales: scales)
    let residual = residuals.maximum() ?? 0
    var status = SolutionStatus.converged
    if !energy.isFinite {
      status = .diverged
    } else if let ending {
      status = ending
    } else if case .residual(let tolerance) = stop, !(residual <= 10 * max(tolerance, 1e-14)) {
      // Where stiffnesses differ by more than rounding can hold, the propagated state is not the solution.
      status = .stalled
    }
    return FlowSolution(
      status: status, stop: stop, state: state,
      steps: samples.map(\.segments).max() ?? 0, stepSize: 0, time: time,
      residuals: residuals, lastChange: 0,
      crossings: crossings, discords: flow.discords(of: state), energy: energy,
      measuredRate: measured.min(), faceRate: rates.min(), events: events)
  }

  /// Moves all samples on, in parallel.
  private func advance(
    _ samples: inout [SampleFlow], to goal: @Sendable (Int) -> SampleFlow.Goal
  ) throws(FlowError) {
    withoutActuallyEscaping(goal) { goal in
      forEachInParallel(&samples, threads: settings.threads) { $0.advance(to: goal($0.sample)) }
    }
    for sample in samples { if let failure = sample.failure { throw failure } }
  }

  /// Moves all samples on to the first time at which all forces are below their bounds.
  private func settle(_ samples: inout [SampleFlow], _ bounds: [Double]) throws(FlowError) {
    var time = 0.0
    while true {
      let from = time
      try advance(&samples) { .force(bounds[$0], notBefore: from) }
      let latest = samples.map(\.time).max() ?? 0
      if samples.contains(where: { $0.ending != nil }) || samples.allSatisfy({ $0.time == latest })
      {
        return
      }
      // On to the latest; where a force has risen again by then, once more from there.
      try advance(&samples) { _ in .time(latest) }
      if samples.allSatisfy({ sample in
        sample.segment.map {
          $0.largestForce(after: sample.elapsed) <= bounds[sample.sample] * (1 + 1e-9)
        } ?? true
      }) {
        return
      }
      time = latest
    }
  }

  /// The flow once more, seen at its events and on a grid; false if it was halted.
  private func replay(
    _ flow: HeatFlow, _ end: SheafState, _ starts: [SampleFlow], _ events: [FlowEvent],
    until time: Double, _ observe: (FlowObservation) -> Void
  ) throws(FlowError) -> Bool {
    var samples = starts
    let last = flow.sheaf.network.lastVertex
    var times = events.map(\.time) + [0, time]
    let first =
      1e-3
      * samples.reduce(.infinity) { least, sample in
        min(least, sample.fastestTime)
      }
    if first.isFinite && first < time {
      times += (0..<200).map { first * pow(time / first, Double($0) / 200) }
    }
    func show(_ state: SheafState, event: Int, _ time: Double, _ crossings: Int) {
      let output = state.output ?? state.stalks[last]
      observe(
        FlowObservation(
          step: event, time: time, totalDiscord: flow.discords(of: state).total,
          crossings: crossings, output: output.columns > 0 ? output.column(0) : [],
          state: state))
    }
    var state = end
    var (next, crossings) = (0, 0)
    for t in Set(times).sorted() where t <= time {
      try advance(&samples) { _ in .time(t) }
      if settings.halt.reason != nil {
        let crossings = events.count { $0.kind == .crossing }
        show(end, event: events.count, time, crossings)
        return false
      }
      for (j, sample) in samples.enumerated() {
        state.setCoordinates(ofSample: j, to: sample.x)
      }
      while next < events.count && events[next].time <= t {
        if events[next].kind == .crossing { crossings += 1 }
        next += 1
      }
      show(state, event: next, t, crossings)
    }
    return true
  }
}

extension HeatFlow {
  /// ‖the smallest element of ∂E‖∞ / scale of each sample, read from the state alone.
  func clarkeResiduals(at state: SheafState, scales: [Double]) -> [Double] {
    let gradient = ClarkeGradient(pinned, FlatNetwork(sheaf.network), state, tolerance: 1e-12)
    return zip(gradient.residuals, scales).map { $0 / $1 }
  }
}
