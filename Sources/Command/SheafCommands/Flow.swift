import ArgumentParser
import ArrayFiles
import Figures
import Foundation
import LinearAlgebra
import ModelFormats
import NeuralSheaves
import SheafFlows
import Synchronization

struct Flow: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Run the sheaf heat equation.",
    discussion: """
      Examples:
        sheaf flow network.npz --input x.npy --pin 'z1[0]=0.5' --step 0.01
        sheaf flow network.npz --input x.npy --stop change --tolerance 1e-12
        sheaf flow network.npz --input x.npy --method exact --trajectory path.csv

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
  @Option(help: "The tolerance of the stopping rule.") var tolerance = SolverSettings
    .defaultTolerance
  @Option(help: "Hold coordinates: STALK=VALUE or STALK[i,j,k:l]=VALUE. Repeatable.")
  var pin: [String] = []
  @Option(help: "Pull coordinates: PIN@GAMMA. Repeatable.") var softPin: [String] = []
  @OptionGroup var outputEdge: OutputEdgeOptions
  @Flag(help: "Take a step at or above the stability bound.") var allowUnstable = false
  @Option(help: "Write every step's discord and output to a .csv file.") var trajectory: String?
  @Option(
    help: """
      Stalks of the first sample that the trajectory has too: all, or STALK[i,j,k:l]. Repeatable.
      """) var trajectoryStalks: [String] = []
  @Option(help: "Write the final stalks to an .npz file.") var final: String?
  @OptionGroup var limit: TimeLimitOption
  @OptionGroup var plot: PlotOption
  @Flag(help: "Print one JSON object.") var json = false

  func validate() throws {
    for (name, value) in [
      ("--alpha", alpha), ("--step", step ?? 1), ("--tolerance", tolerance), ("--time", time ?? 1),
    ]
    where !(value > 0 && value.isFinite) {
      throw ValidationError("\(name) is \(value), expected a positive finite number")
    }
    try plot.check(json: json)
    guard steps > 0 else { throw ValidationError("--steps is \(steps), expected at least 1") }
    if method == .exact {
      guard step == nil else { throw ValidationError("--step: the method exact has no steps") }
      guard stop != .change || time != nil else {
        throw ValidationError(
          "--stop change: the method exact has no steps, expected --stop residual or --time")
      }
    }
    _ = try PinOption.parse(hard: pin, soft: softPin)
    guard trajectoryStalks.isEmpty || trajectory != nil else {
      throw ValidationError("--trajectory-stalks needs --trajectory, the file to write them to")
    }
  }

  func run() throws {
    var files = CallFiles()
    network.declare(in: &files)
    files.reads("--input", input)
    initial.declare(in: &files)
    PinOption.declare(hard: pin, soft: softPin, in: &files)
    try files.writes("--trajectory", trajectory, extensions: ["csv"], orPrints: true)
    try files.writes("--final", final, extensions: ["npz"])
    files.prints("--json", json)
    try files.check()
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
    var course = try trajectory.map { _ in try Trajectory(network, stalks: trajectoryStalks) }
    var discords: [(time: Double, discord: Double)] = []
    let observe: ((FlowObservation) -> Void)? =
      course == nil && !plot.plot
      ? nil
      : {
        course?.append($0)
        discords.append(($0.time, $0.totalDiscord))
      }
    let halt = Halt.onSignals(timeLimit: limit.timeLimit)
    let bar = ProgressBar()
    let solution = try run(
      flow, from: start, observe: observe, until: halt, progress: bar.follows(rule))
    bar.end()

    var delivery = Delivery()
    if let trajectory, let course {
      delivery.put { try course.table.write(to: trajectory) }
    }
    if let final {
      delivery.put {
        try NPZ.write(
          NPZState.arrays(
            of: solution.state, network: network, samplesInColumns: arrays.samples == .columns),
          to: final)
      }
    }
    // A diverged state has no pattern worth the name: then the bound is that of the start.
    let isHalted = halt.reason != nil
    let bound =
      isHalted
      ? .nan : flow.stableStep(at: solution.status == .diverged ? start : solution.state)
    let report = FlowReport(
      solution, network, method: method, rule: rule, bound: bound,
      rate: isHalted ? nil : try flow.predictedRate(of: solution), isPinned: !requests.isEmpty)
    if json {
      delivery.put { try JSONOutput.print(report.json) }
    } else if trajectory != CallFiles.standardStream {
      delivery.print(report.text)
      plot.add(
        Panel(
          "total discord Σ‖ρ‖²", x: Axis("time"), y: Axis(scale: .logarithmic),
          layers: [.line(x: discords.map(\.time), y: discords.map(\.discord))]),
        to: &delivery)
    }
    try delivery.end(report.failure)
  }

  private var rule: StoppingRule {
    if let time {
      .time(time)
    } else if stop == .change {
      .change(tolerance)
    } else {
      .residual(tolerance)
    }
  }

  private func run(
    _ flow: HeatFlow, from start: SheafState, observe: ((FlowObservation) -> Void)?,
    until halt: Halt, progress: @escaping @Sendable (FlowProgress) -> Void
  ) throws -> FlowSolution {
    switch method {
    case .euler:
      var euler = Euler(step: step, stop: rule, stepLimit: steps, allowsUnstable: allowUnstable)
      (euler.settings.halt, euler.progress) = (halt, progress)
      return try euler.run(flow, from: start, observe: observe)
    case .rkc:
      var rkc = RungeKuttaChebyshev(step: step, stop: rule, stepLimit: steps)
      (rkc.settings.halt, rkc.progress) = (halt, progress)
      return try rkc.run(flow, from: start, observe: observe)
    case .exact:
      var exact = ExactFlow(stop: rule, stepLimit: steps)
      exact.settings.halt = halt
      return try exact.run(flow, from: start, observe: observe)
    }
  }
}

extension ProgressBar {
  /// Follows a flow: by the time that has gone, or by how far the residual has come down, on a scale of
  /// logarithms, from where it was first seen to the tolerance.
  fileprivate func follows(_ rule: StoppingRule) -> @Sendable (FlowProgress) -> Void {
    let first = Mutex<Double?>(nil)
    return { now in
      let part: Double
      switch rule {
      case .time(let end): part = now.time / end
      case .residual(let tolerance), .change(let tolerance):
        let start = first.withLock { first in
          first = first ?? now.residual
          return first ?? 1
        }
        part = log(start / now.residual) / log(start / tolerance)
      }
      self.show(
        part,
        "step \(now.step), time \(TextOutput.number(now.time)), residual \(TextOutput.number(now.residual))"
      )
    }
  }
}
