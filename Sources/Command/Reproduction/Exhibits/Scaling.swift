import Figures
import LinearAlgebra
import NeuralSheaves
import SheafTraining

extension Exhibit {
  /// The joint flow's loss against βn: stagnation, optimum, divergence.
  static let rateScaling = Exhibit(
    name: "rate-scaling", title: "Test loss against the parameters' rate β"
  ) { lab in
    let rates: [Double] =
      lab.isQuick
      ? [0.003, 0.1, 1.5, 30] : [0.003, 0.01, 0.03, 0.1, 0.3, 0.6, 1, 1.5, 3, 10, 30]
    let seeds: [UInt64] = lab.isQuick ? [0] : [0, 1, 2]
    let task = PaperTask.named(.paraboloid, 1)
    let steps = lab.steps(50_000)
    struct Trial: Sendable {
      let rate: Double
      let seed: UInt64
      var loss = Double.nan
    }
    var trials = rates.flatMap { rate in seeds.map { Trial(rate: rate, seed: $0) } }
    let halt = lab.halt
    forEachInParallel(&trials, threads: 2) { trial in
      guard let setting = try? task.setting(seed: trial.seed + 100) else { return }
      var generator = RandomGenerator(seed: trial.seed + 200)
      let stalks = NeuralSheaf(setting.network).randomState(setting.train.input, using: &generator)
      guard
        let flow = try? JointFlow(
          setting.network, data: setting.train, initial: stalks,
          settings: .init(
            step: task.step, beta: trial.rate / 300, stepsPerEpoch: 1000, threads: 1))
      else { return }
      for _ in 0..<max(1, steps / 1000) {
        if halt.reason != nil || !flow.takeSteps(1000) { break }
      }
      trial.loss = Evaluation(flow.network, on: setting.test).loss
    }
    try lab.check()
    var table = ResultTable(["βn"] + seeds.map { "test loss, seed \($0)" } + ["median"])
    var medians: [Double] = []
    for rate in rates {
      let losses = trials.filter { $0.rate == rate }.map(\.loss)
      medians.append(losses.sorted { $0 < $1 || $1.isNaN }[losses.count / 2])
      table.append([digits(rate)] + losses.map { digits($0) } + [digits(medians.last!)])
    }
    var findings = Findings(
      "With little βn the loss is still far from its least after so many steps; about βn = 1 it is least; beyond, it rises again.",
      settings:
        "\(task.name), \(rates.count) values of βn × \(seeds.count) seeds, n = 300, dt = \(task.step), "
        + "\(steps) steps from random stalks")
    findings.figures = [
      (
        "",
        Figure(panels: [
          Panel(
            x: Axis("βn", scale: .logarithmic), y: Axis("test loss", scale: .logarithmic),
            legend: .topRight,
            layers: seeds.map { seed in
              let these = trials.filter { $0.seed == seed }
              return .points(
                x: these.map(\.rate), y: these.map(\.loss), label: "seed \(seed)")
            } + [
              .line(
                x: rates, y: medians, label: "median", style: LineStyle(.ink, dash: .solid)),
              .verticalMark(x: 1, label: "β = 1/n"),
            ])
        ])
      )
    ]
    findings.tables = [("", table)]
    for (rate, paper) in [(0.003, 1.23), (1.5, 0.084), (30, 0.113)] {
      if let k = rates.firstIndex(of: rate) {
        findings.comparisons.append(
          Comparison("test loss at βn = \(digits(rate))", medians[k], paper: paper))
      }
    }
    return findings
  }

  /// Networks of one, two and three hidden layers, as the paper compares them.
  private static let depths: [(name: String, widths: [Int], step: Double)] = [
    ("one hidden layer", [2, 30, 1], 0.005), ("two", [2, 10, 8, 1], 0.01),
    ("three", [2, 8, 6, 4, 1], 0.01),
  ]

  /// The loss after integrating for a time T, by depth.
  static let depthAndTime = Exhibit(
    name: "depth-and-time", title: "Depth × integration time"
  ) { lab in
    let times: [Double] = lab.isQuick ? [0.5, 1, 2.5, 5] : [0.5, 1, 2.5, 5, 10, 25, 50]
    // The losses that the authors' implementation has after T = 50.
    let paper = [0.4285724, 1.9997853, 1.9051758]
    let task = PaperTask.named(.paraboloid, 1)
    var table = ResultTable(["T"] + depths.flatMap { ["\($0.name): train", "\($0.name): test"] })
    var losses = [[(train: Double, test: Double)]]()
    for (_, widths, step) in depths {
      let data = try task.setting(seed: 1)
      var generator = RandomGenerator(seed: 7)
      let network = try Network(widths: widths, using: &generator)
      let stalks = NeuralSheaf(network).randomState(data.train.input, using: &generator)
      let flow = try JointFlow(
        network, data: data.train, initial: stalks, settings: .init(step: step))
      var (done, list) = (0, [(train: Double, test: Double)]())
      for time in times {
        try lab.check()
        let steps = Int((time / step).rounded())
        _ = flow.takeSteps(steps - done)
        done = steps
        list.append(
          (
            Evaluation(flow.network, on: data.train).loss,
            Evaluation(flow.network, on: data.test).loss
          ))
      }
      losses.append(list)
    }
    for (k, time) in times.enumerated() {
      table.append(
        [digits(time)] + losses.flatMap { [digits($0[k].train), digits($0[k].test)] })
    }
    var findings = Findings(
      "What the clamp says has to pass every layer: from T = 5 on deeper networks are behind, though they start ahead.",
      settings: "paraboloid, β = 1/n, dt = 0.005 (one hidden layer) and 0.01, random stalks, seed 7"
    )
    findings.figures = [
      (
        "",
        Figure(panels: [
          Panel(
            x: Axis("T", scale: .logarithmic), y: Axis("test loss", scale: .logarithmic),
            legend: .bottomLeft,
            layers: zip(depths, losses).map { depth, list in
              .line(x: times, y: list.map(\.test), label: depth.name)
            })
        ])
      )
    ]
    findings.tables = [("", table)]
    if !lab.isQuick {
      for (k, depth) in depths.enumerated() {
        findings.comparisons.append(
          Comparison(
            "test loss at T = 50, \(depth.name)", losses[k].last!.test, paper: paper[k]))
      }
    }
    return findings
  }
}
