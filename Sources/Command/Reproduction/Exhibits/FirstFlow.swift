import Figures
import LinearAlgebra
import NeuralSheaves
import SheafFlows

extension Exhibit {
  /// The heat flow of [2,4,1] from random stalks: discord, output, switches; and the exact flow's events.
  static let firstFlow = Exhibit(name: "first-flow", title: "Heat flow on [2,4,1]") { lab in
    var generator = RandomGenerator(seed: 8)
    let network = try Network(widths: [2, 4, 1], using: &generator)
    let sheaf = NeuralSheaf(network)
    let x = Matrix(column: [0.5, -0.3])
    let start = sheaf.randomState(x, using: &generator)
    let flow = try HeatFlow(sheaf, pins: Pins(network: network, input: x))
    var (steps, totals, outputs, crossings) = ([Double](), [Double](), [Double](), [Int]())
    // A plot has no use for all of thousands of steps.
    var euler = Euler(step: 0.01, stop: .change(lab.isQuick ? 1e-8 : 1e-12), stepLimit: 100_000)
    euler.settings.halt = lab.halt
    let end = try euler.run(flow, from: start) { seen in
      let isSwitch = seen.crossings > (crossings.last ?? 0)
      guard isSwitch || seen.step < 200 || seen.step % 20 == 0 else { return }
      steps.append(Double(seen.step))
      totals.append(seen.totalDiscord)
      outputs.append(seen.output[0])
      crossings.append(seen.crossings)
    }
    try lab.check()
    let switches = crossings.indices.filter { $0 > 0 && crossings[$0] > crossings[$0 - 1] }
    let forward = sheaf.forwardPass(x).stalks.last![0, 0]
    let exact = try ExactFlow(threads: 1).run(flow, from: start)
    let last = steps.last ?? 0
    var findings = Findings(
      "Total discord decays exponentially between switches of ReLUs, which are marked, and the output stalk comes to "
        + "the forward pass; the exact flow needs no step and names each switch.",
      settings:
        "seed 8, x = (0.5, −0.3), normal stalks, Euler's method with dt = 0.01 until no coordinate changes "
        + "by more than \(lab.isQuick ? "1e-8" : "1e-12") in a step; exact flow to a residual of 1e-8"
    )
    let marks = { (y: [Double]) in
      Layer.crosses(
        x: switches.map { steps[$0] }, y: switches.map { y[$0] }, label: "switch",
        colour: .series(1))
    }
    let steady = Axis("step", range: 0...max(last, 1))
    findings.figures = [
      (
        "",
        Figure(
          columns: 2, width: .page,
          panels: [
            Panel(
              "Total discord", x: steady, y: Axis("Σ‖ρ‖²", scale: .logarithmic),
              legend: .topRight,
              layers: [.line(x: steps, y: totals, label: "Euler"), marks(totals)]),
            Panel(
              "Output stalk", x: Axis("step + 1", scale: .logarithmic), y: Axis("z₂"),
              legend: .bottomRight,
              layers: [
                .horizontalMark(y: forward, label: "forward pass"),
                .line(x: steps.map { $0 + 1 }, y: outputs, label: "Euler"),
                .crosses(
                  x: switches.map { steps[$0] + 1 }, y: switches.map { outputs[$0] },
                  label: "switch", colour: .series(1)),
              ]),
          ])
      )
    ]
    var table = ResultTable(["time", "coordinate", "event"])
    for event in exact.events {
      table.append([
        digits(event.time, 10), "\(network.vertices[event.vertex].name)[\(event.neuron)]",
        event.kind.rawValue,
      ])
    }
    findings.tables.append(("events", table))
    var summary = ResultTable(["", "Euler", "exact flow"])
    summary.append(["steps or segments", "\(end.steps)", "\(exact.steps)"])
    summary.append(["switches", "\(switches.count)", "\(exact.events.count)"])
    summary.append(["total discord", digits(end.discords.total), digits(exact.discords.total)])
    summary.append(
      ["output − forward pass"]
        + [end, exact].map { digits($0.state.stalks.last![0, 0] - forward) })
    findings.tables.append(("summary", summary))
    if !lab.isQuick {
      findings.comparisons = [
        Comparison("steps to 1e-12 (other weights)", Double(end.steps), paper: 12_779)
      ]
    }
    return findings
  }
}
