import ArgumentParser
import ArrayFiles
import Foundation
import HeatFlow
import LinearAlgebra
import ModelFormats
import NeuralSheaves

struct Flow: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Run the sheaf heat equation.",
    discussion: """
      Examples:
        sheaf flow network.npz --input x.npy --pin 'z1[0]=0.5' --stop change \
          --tolerance 1e-12 --step 0.01
        sheaf flow network.npz --input x.npy --method exact --time 20 \
          --trajectory path.csv --json

      The method exact is for piecewise linear networks with few coordinates: no step, switches at \
      their times, listed as events with --json. Its --steps are linear segments, and its trajectory \
      has a row at every event and at 200 times spaced geometrically.
      """)

  enum Method: String, CaseIterable, ExpressibleByArgument { case euler, rkc, exact }
  enum Stop: String, CaseIterable, ExpressibleByArgument { case change, residual }

  @OptionGroup var network: NetworkOptions
  @OptionGroup var arrays: ArrayOptions
  @OptionGroup var initial: InitialOptions
  @Option(
    help: "The input, an ARRAY: file.npy, file.npz#key, file.safetensors#name or file.csv#columns.")
  var input: String
  @Option(
    help: "The integrator: forward Euler, Runge–Kutta–Chebyshev of order 2, or exact.")
  var method: Method = .euler
  @Option(help: "The diffusivity α.") var alpha = 1.0
  @Option(
    help:
      "The step dt; default 1.8/(α·λ_max) of the current pattern, or by an error estimate (rkc).")
  var step: Double?
  @Option(help: "Stop at this flow time instead.") var time: Double?
  @Option(help: "The most steps.") var steps = 200_000
  @Option(help: "Stop by the largest change in one step, or by the residual.")
  var stop: Stop = .residual
  @Option(help: "The tolerance of the stopping rule.") var tolerance = 1e-8
  @Option(help: "Hold coordinates: STALK=VALUE or STALK[i,j,k:l]=VALUE. Repeatable.")
  var pin: [String] = []
  @Option(help: "Pull coordinates: PIN@GAMMA. Repeatable.") var softPin: [String] = []
  @OptionGroup var outputEdge: OutputEdgeOptions
  @Flag(help: "Take a step at or above the stability bound.") var allowUnstable = false
  @Option(help: "Write every step's discord and output to a .csv file.") var trajectory: String?
  @Option(help: "Write the final stalks to an .npz file.") var final: String?
  @Flag(help: "Print one JSON object.") var json = false

  func validate() throws {
    for (name, value) in [
      ("--alpha", alpha), ("--step", step ?? 1), ("--tolerance", tolerance), ("--time", time ?? 1),
    ]
    where !(value > 0 && value.isFinite) {
      throw ValidationError("\(name) is \(value), expected a positive finite number")
    }
    guard steps > 0 else { throw ValidationError("--steps is \(steps), expected at least 1") }
    if method == .exact {
      guard step == nil else { throw ValidationError("--step: the method exact has no steps") }
      guard stop != .change || time != nil else {
        throw ValidationError(
          "--stop change: the method exact has no steps, expected --stop residual or --time")
      }
    }
    _ = try PinOption.parse(hard: pin, soft: softPin)
  }

  func run() throws {
    try checkWritable(trajectory, extensions: ["csv"])
    try checkWritable(final, extensions: ["npz"])
    var network = try network.load()
    outputEdge.apply(to: &network)
    let sheaf = NeuralSheaf(network)
    let x = try arrays.readInput(input, for: network)
    let requests = try PinOption.parse(hard: pin, soft: softPin)
    let pins = try Pins(
      requests.map { try $0.pin(on: network, arrays, samples: x.columns) }, network: network,
      input: x)
    try outputEdge.check(pins, on: network)
    let flow = try HeatFlow(
      sheaf, pins: pins, output: outputEdge.edge(of: network), alpha: alpha)
    let start = try initial.state(
      sheaf, input: x, default: "random", arrays: arrays,
      hasOutput: network.outputActivation != .identity)
    var rows = trajectory == nil ? nil : [trajectoryHeader(network)]
    let observe: ((FlowObservation) -> Void)? =
      rows == nil
      ? nil
      : {
        rows!.append(
          "\($0.step),\($0.time),\($0.totalDiscord),\($0.crossings),"
            + $0.output.map { "\($0)" }.joined(separator: ","))
      }
    let solution = try run(flow, from: start, observe: observe)

    if let trajectory, let rows {
      try ArrayFile.write(Data((rows.joined(separator: "\n") + "\n").utf8), to: trajectory)
    }
    if let final {
      try NPZ.write(
        NPZState.arrays(
          of: solution.state, network: network, samplesInColumns: arrays.samples == .columns),
        to: final)
    }
    // A diverged state has no pattern worth the name: then the bound is that of the start.
    let bound = flow.stableStep(at: solution.status == .diverged ? start : solution.state)
    try report(
      solution, network, bound: bound, rate: try flow.predictedRate(of: solution),
      isPinned: !requests.isEmpty)
    if solution.status != .converged { throw failure(solution, bound: bound) }
  }

  private func run(
    _ flow: HeatFlow, from start: SheafState, observe: ((FlowObservation) -> Void)?
  ) throws -> FlowSolution {
    let rule: StoppingRule =
      if let time { .time(time) } else if stop == .change { .change(tolerance) } else {
        .residual(tolerance)
      }
    switch method {
    case .euler:
      return try Euler(step: step, stop: rule, stepLimit: steps, allowsUnstable: allowUnstable)
        .run(flow, from: start, observe: observe)
    case .rkc:
      return try RungeKuttaChebyshev(step: step, stop: rule, stepLimit: steps)
        .run(flow, from: start, observe: observe)
    case .exact:
      return try Exact(stop: rule, segmentLimit: steps).run(flow, from: start, observe: observe)
    }
  }

  private func trajectoryHeader(_ network: Network) -> String {
    "step,time,totalDiscord,crossings,"
      + (0..<network.outputDimension).map { "\(network.outputName)[\($0)]" }.joined(separator: ",")
  }

  private func report(
    _ s: FlowSolution, _ network: Network, bound: Double, rate: Double?, isPinned: Bool
  ) throws {
    let output = s.state.output ?? s.state.stalks[network.lastVertex]
    var forwardError: Double?
    if !isPinned {
      var difference = network(s.state.stalks[0])
      difference.add(output, scale: -1)
      forwardError = difference.maximumMagnitude
    }
    if json {
      var object: [String: Any] = [
        "status": s.status.rawValue, "steps": s.steps, "time": JSONOutput.number(s.time),
        "stepSize": JSONOutput.number(s.stepSize), "residual": JSONOutput.number(s.residual),
        "lastChange": JSONOutput.number(s.lastChange),
        "totalDiscord": JSONOutput.number(s.discords.total),
        "energy": JSONOutput.number(s.energy), "edges": JSONOutput.discords(s.discords),
        "crossings": s.crossings.count, "stableStep": JSONOutput.number(bound),
        "output": JSONOutput.samples(output), "predictedRate": JSONOutput.number(rate),
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
      if !isPinned { object["forwardError"] = JSONOutput.number(forwardError) }
      return try JSONOutput.print(object)
    }
    let n = TextOutput.number
    let steps =
      method == .exact ? "linear segments" : "steps, the last of \(n(s.stepSize))"
    print("\(s.status.rawValue) after \(s.steps) \(steps) (time \(n(s.time)))")
    let slides = s.events.count { $0.kind == .sliding }
    print(
      "residual \(n(s.residual)), crossings \(s.crossings.count)"
        + (method == .exact ? ", slides \(slides)" : ""))
    print("rate \(n(s.measuredRate)), predicted α·λ_min \(n(rate))")
    print(TextOutput.discords(s.discords))
    if let forwardError { print("largest distance to the forward pass \(n(forwardError))") }
  }

  private func failure(_ s: FlowSolution, bound: Double) -> WorkFailure {
    let n = TextOutput.number
    switch s.status {
    case .diverged:
      return WorkFailure(
        description: "the flow diverged at step \(s.steps)"
          + (method == .euler
            ? " with step size \(n(s.stepSize)); forward Euler is stable below \(n(bound)) (--step)"
            : ": its numbers are too large to stay finite"))
    case .stalled:
      return WorkFailure(
        description:
          "the residual stays at \(n(s.residual)), tolerance \(n(tolerance)): stiffnesses too far "
          + "apart for double precision; take smaller γ, or sheaf equilibrate")
    default:
      return WorkFailure(
        description:
          "no convergence in \(s.steps) \(method == .exact ? "segments" : "steps"): residual "
          + "\(n(s.residual)), last change \(n(s.lastChange)), tolerance \(n(tolerance)); allow more with "
          + "--steps")
    }
  }
}
