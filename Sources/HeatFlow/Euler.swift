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
  /// When to stop.
  public var stop: StoppingRule
  /// The most steps to take.
  public var stepLimit: Int
  /// Whether to take a step at or above the stability bound.
  public var allowsUnstable: Bool
  /// The most threads to use.
  public var threads: Int

  /// Euler's method with its settings.
  public init(
    step: Double? = nil, stop: StoppingRule = .residual(1e-8), stepLimit: Int = 200_000,
    allowsUnstable: Bool = false, threads: Int = ProcessInfo.processInfo.activeProcessorCount
  ) {
    self.step = step
    self.stop = stop
    self.stepLimit = stepLimit
    self.allowsUnstable = allowsUnstable
    self.threads = threads
  }

  /// What an observer sees before each step, and once after the last.
  public struct Observation {
    /// The number of steps taken.
    public let step: Int
    /// The flow time.
    public let time: Double
    /// Σ‖ρ_e‖² at this state, mean over the batch.
    public let totalDiscord: Double
    /// The number of steps so far in which a coordinate switched branch.
    public let crossings: Int
    /// The network's output for the first sample.
    public let output: [Double]
  }

  /// Runs the flow from a state to the end.
  ///
  /// - Parameters:
  ///   - start: held coordinates are set to their pins before the first step.
  ///   - observe: called before every step and at the end; costs two more sweeps each time.
  /// - Throws: `FlowError` for a step, tolerance or limit that is not positive, and for an unstable
  ///   step unless `allowsUnstable`.
  public func run(
    _ flow: HeatFlow, from start: SheafState, observe: ((Observation) -> Void)? = nil
  ) throws(FlowError) -> FlowSolution {
    let tolerance =
      switch stop {
      case .change(let t): t
      case .residual(let t): t
      }
    guard tolerance > 0 && tolerance.isFinite else {
      throw .setting(name: "tolerance", found: tolerance)
    }
    guard stepLimit > 0 else { throw .setting(name: "steps", found: Double(stepLimit)) }
    var state = start
    flow.pins.impose(on: &state)
    // Nothing free, nothing to move: then any step will do.
    func defaultStep(_ state: SheafState) -> Double {
      let bound = flow.stableStep(at: state)
      return bound == .infinity ? 1 : 0.9 * bound
    }
    var h = step ?? defaultStep(state)
    guard step != nil || (h > 0 && h.isFinite) else { throw .noStableStep }
    guard h > 0 && h.isFinite else { throw .setting(name: "step", found: h) }
    if step != nil && !allowsUnstable {
      let bound = flow.stableStep(at: state)
      if h >= bound { throw .unstableStep(found: h, bound: bound) }
    }

    let scales = flow.pinned.residualScales(state.stalks[0])
    let largestScale = scales.max() ?? 1
    // Beyond this the flow diverges: a thousand times the energy at the start or, where that is
    // next to nothing, of the data, ½‖b‖², the energy of the state with every free coordinate 0.
    let zero = flow.sheaf.discords(flow.sheaf.zeroState(state.stalks[0])).energy
    let energyLimit = 1e3 * max(flow.energy(of: state), 1e-9 * (1 + zero))
    let threads = SampleBlocks.threads(
      network: flow.sheaf.network, batch: state.batch, limit: threads)
    let (sheaf, alpha) = (flow.sheaf, flow.alpha)
    let blocks = ParallelLoop(
      EulerBlock.split(flow, state, threads: threads), threads: threads
    ) { $0.step(sheaf) }
    var crossings: [Int] = []
    var (steps, time, change, watch) = (0, 0.0, 0.0, 0.0)
    var status = SolutionStatus.stepLimit
    var (lookedUp, isStale, previous) = (0, false, 0.0)
    func observeNow() {
      guard let observe else { return }
      let current = EulerBlock.join(blocks, into: state)
      let last = current.output ?? current.stalks[sheaf.network.lastVertex]
      observe(
        Observation(
          step: steps, time: time, totalDiscord: flow.discords(of: current).total,
          crossings: crossings.count, output: last.columns > 0 ? last.column(0) : []))
    }
    while steps < stepLimit {
      observeNow()
      var report = VectorField.StepReport()
      let dt = h * alpha
      for b in 0..<blocks.count { blocks.with(b) { $0.stepSize = dt } }
      blocks.run()
      for b in 0..<blocks.count { report.add(blocks.with(b) { $0.report }) }
      steps += 1
      time += h
      change = report.change
      let switched = report.switched > 0
      if switched { crossings.append(steps) }
      // Only a growing change can mean a growing energy: look at the energy when it has doubled.
      if steps == 1 { watch = 2 * change }
      if change.isNaN || change > watch {
        watch = 2 * change
        state = EulerBlock.join(blocks, into: state)
        if !(flow.energy(of: state) <= energyLimit) {
          status = .diverged
          break
        }
      }
      switch stop {
      case .change(let t): if steps >= 5 && change < t { status = .converged }
      case .residual(let t):
        // The largest force is change/(h·α): where that is small, look at the samples' own.
        if change <= t * largestScale * h * alpha,
          flow.residual(at: EulerBlock.join(blocks, into: state), scales: scales) <= t
        {
          status = .converged
        }
      }
      if status == .converged { break }
      // A new pattern has a new bound: soon where changes grow, else at leisure, for it costs tens
      // of sweeps.
      isStale = isStale || switched
      let wait = change > previous ? 5 : 50
      previous = change
      if step == nil && isStale && steps >= lookedUp + wait {
        (lookedUp, isStale) = (steps, false)
        h = defaultStep(EulerBlock.join(blocks, into: state))
      }
    }
    observeNow()
    state = EulerBlock.join(blocks, into: state)
    let energy = flow.energy(of: state)
    return FlowSolution(
      status: energy.isFinite ? status : .diverged, state: state, steps: steps, stepSize: h,
      time: time,
      residual: flow.residual(at: state, scales: scales), lastChange: change,
      crossings: crossings, discords: flow.discords(of: state), energy: energy)
  }
}

/// Some samples with all that stepping them needs.
struct EulerBlock: Sendable {
  var state: SheafState
  var field: VectorField
  let range: Range<Int>
  var stepSize = 0.0
  var report = VectorField.StepReport()

  static func split(_ flow: HeatFlow, _ state: SheafState, threads: Int) -> [EulerBlock] {
    SampleBlocks.ranges(network: flow.sheaf.network, batch: state.batch, threads: threads).map {
      let part = state.samples($0)
      let field = VectorField(
        flow.sheaf, at: part, pins: flow.pins.samples($0), output: flow.output,
        parametersRest: true)
      return EulerBlock(state: part, field: field, range: $0)
    }
  }

  static func join(_ blocks: ParallelLoop<EulerBlock>, into state: SheafState) -> SheafState {
    var result = state
    for block in blocks.elements {
      result.setSamples(from: block.range.lowerBound, to: block.state)
    }
    return result
  }

  mutating func step(_ sheaf: NeuralSheaf) {
    report = field.step(sheaf, &state, by: stepSize)
  }
}
