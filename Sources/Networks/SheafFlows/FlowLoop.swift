import LinearAlgebra
import NeuralSheaves

/// Some samples with all that a method needs to step them.
protocol FlowBlock: Sendable {
  /// The state after the last step.
  var state: SheafState { get }
  /// The samples' numbers in the batch.
  var range: Range<Int> { get }
  /// Takes a step: the work that runs in parallel.
  mutating func step(_ sheaf: NeuralSheaf)
}

/// What a step did.
struct FlowStep {
  /// Its size.
  var size: Double
  /// The largest change of a coordinate and the number of switches.
  var report: VectorField.StepReport
  /// ‖F‖∞ at its end, where the method knows it; else it is about change/(size·α), that at its start.
  var force: Double?
}

/// A method that integrates step by step: how it chooses a step and takes it on all blocks. Stopping,
/// divergence, crossings and observers are the loop's.
protocol FlowMethod {
  associatedtype Block: FlowBlock
  /// When to stop.
  var stop: StoppingRule? { get }
  /// How long it may go on.
  var settings: SolverSettings { get }
  /// Told after every step.
  var progress: (@Sendable (FlowProgress) -> Void)? { get }
  /// Checks the settings and prepares the first step.
  mutating func start(_ flow: HeatFlow, _ state: SheafState) throws(FlowError)
  /// The samples of `range`, whose state is `part`.
  func block(_ flow: HeatFlow, _ part: SheafState, _ range: Range<Int>) -> Block
  /// Takes a step no longer than `limit`.
  mutating func step(_ blocks: ParallelLoop<Block>, atMost limit: Double, _ flow: HeatFlow)
    -> FlowStep
  /// Looks at step number `steps` and prepares the next; `state` joins the blocks.
  mutating func adapt(
    after step: FlowStep, steps: Int, _ flow: HeatFlow, state: () -> SheafState)
}

extension FlowMethod {
  /// Runs the flow from a state to the end.
  mutating func integrate(
    _ flow: HeatFlow, from start: SheafState, observe: ((FlowObservation) -> Void)?
  ) throws(FlowError) -> FlowSolution {
    let stop = try StoppingRule.checked(stop, settings)
    var state = start
    flow.pins.impose(on: &state)
    try self.start(flow, state)

    let scales = flow.pinned.residualScales(state.stalks[0])
    let largestScale = scales.maximum() ?? 1
    // Beyond this the flow diverges: a thousand times the energy at the start or, where that is
    // next to nothing, of the data, ½‖b‖², the energy of the state with every free coordinate 0.
    let zero = flow.sheaf.discords(
      flow.sheaf.zeroState(state.stalks[0]), stiffness: flow.pinned.stiffness
    ).energy
    let energyLimit = 1e3 * maximum(flow.energy(of: state), 1e-9 * (1 + zero))
    let threads = SampleBlocks.threads(
      network: flow.sheaf.network, batch: state.batch, limit: settings.threads)
    let (sheaf, alpha) = (flow.sheaf, flow.alpha)
    let ranges = SampleBlocks.ranges(
      network: sheaf.network, batch: state.batch, threads: threads)
    let blocks = ParallelLoop(
      ranges.map { block(flow, state.samples($0), $0) }, threads: threads
    ) { $0.step(sheaf) }
    var crossings: [Int] = []
    var (steps, time, change, watch, size) = (0, 0.0, 0.0, 0.0, 0.0)
    var meter = DecayMeter()
    var status = SolutionStatus.stepLimit
    func observeNow() {
      guard let observe else { return }
      let current = blocks.joined(into: state)
      let last = current.output ?? current.stalks[sheaf.network.lastVertex]
      observe(
        FlowObservation(
          step: steps, time: time, totalDiscord: flow.discords(of: current).total,
          crossings: crossings.count, output: last.columns > 0 ? last.column(0) : [], state: current
        ))
    }
    while steps < settings.stepLimit {
      if let reason = settings.halt.reason {
        status = reason
        break
      }
      observeNow()
      var limit = Double.infinity
      if case .time(let end) = stop { limit = end - time }
      let step = step(blocks, atMost: limit, flow)
      steps += 1
      let before = time
      time += step.size
      (change, size) = (step.report.change, step.size)
      let switched = step.report.switched > 0
      if switched { crossings.append(steps) }
      let force = step.force ?? change / (size * alpha)
      meter.note(force, at: step.force == nil ? before : time, switched: switched)
      progress?(FlowProgress(step: steps, time: time, residual: force / largestScale))
      // Only a growing change can mean a growing energy: look at the energy when it has doubled.
      if steps == 1 { watch = 2 * change }
      if change.isNaN || change > watch {
        watch = 2 * change
        state = blocks.joined(into: state)
        if !(flow.energy(of: state) <= energyLimit) {
          status = .diverged
          break
        }
      }
      switch stop {
      case .change(let t): if steps >= 5 && change < t { status = .converged }
      case .residual(let t):
        // Where the largest force is small, look at the samples' own.
        let isSmall =
          step.force.map { $0 <= t * largestScale } ?? (change <= t * largestScale * size * alpha)
        if isSmall && flow.residual(at: blocks.joined(into: state), scales: scales) <= t {
          status = .converged
        }
      case .time(let end): if time >= end || size >= limit { status = .converged }
      }
      if status == .converged { break }
      adapt(after: step, steps: steps, flow) { blocks.joined(into: state) }
    }
    observeNow()
    state = blocks.joined(into: state)
    let energy = flow.energy(of: state)
    return FlowSolution(
      status: energy.isFinite ? status : .diverged, stop: stop, state: state, steps: steps,
      stepSize: size, time: time, residuals: flow.residuals(at: state, scales: scales),
      lastChange: change,
      crossings: crossings, discords: flow.discords(of: state), energy: energy,
      measuredRate: meter.rate)
  }
}

extension ParallelLoop where Element: FlowBlock {
  /// The state of all samples.
  func joined(into state: SheafState) -> SheafState {
    var result = state
    for i in 0..<count {
      with(i) { result.setSamples(from: $0.range.lowerBound, to: $0.state) }
    }
    return result
  }
}
