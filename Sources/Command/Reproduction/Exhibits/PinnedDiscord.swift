import Equilibria
import Figures
import LinearAlgebra
import NeuralSheaves
import PiecewiseEnergies
import SheafFlows
import SheafTraining

extension Exhibit {
  /// Discord by edge with the output stalk pinned to the truth, at three stages of training.
  static let pinnedDiscord = Exhibit(
    name: "pinned-discord", title: "Pinned discord at three stages"
  ) { lab in
    let task = PaperTask.named(.paraboloid, 2)
    let run = try lab.training(task)
    let stages = [
      ("start", run.start), ("half way", run.middle), ("end", run.sheaf.network),
      ("gradient descent", run.descent.network),
    ]
    var (edges, series) = ([String](), [Layer.Series]())
    var residuals: [Double] = []
    var table = ResultTable(["edge"] + stages.map(\.0))
    for (name, network) in stages {
      try lab.check()
      let end = try Pinned(network, run.test).equilibrium()
      edges = end.discords.edges.map(\.edge)
      residuals.append(end.residual)
      series.append(Layer.Series(name, end.discords.edges.map(\.discord)))
    }
    for (e, edge) in edges.enumerated() {
      table.append([edge] + series.map { digits($0.values[e]) })
    }
    table.append(["residual"] + residuals.map { digits($0, 2) })
    var findings = Findings(
      "With the output held at the truth, the discord that is left says which operations disagree; training lowers it on "
        + "all edges.",
      settings: settings + "; 100 test samples, exact equilibria (residuals below)")
    findings.figures = [
      (
        "",
        Figure(
          width: .page, aspect: 0.4,
          panels: [
            Panel(
              task.name, y: Axis("discord ‖ρ‖²", scale: .logarithmic), legend: .below,
              layers: [.bars(categories: edges, series: series)])
          ])
      )
    ]
    findings.tables = [("", table)]
    return findings
  }

  /// The paper's table: its Euler steps beside the exact equilibrium.
  static let pinnedTable = Exhibit(
    name: "pinned-table", title: "Pinned discord of two trained networks, by steps and exactly"
  ) { lab in
    let task = PaperTask.named(.paraboloid, 1)
    let run = try lab.training(task)
    var table = ResultTable([
      "network", "method", "steps", "residual", "W₁", "ReLU", "W₂", "total",
    ])
    var findings = Findings("", settings: "")
    var (chattering, slow, worst) = ([String](), [String](), 0.0)
    for (name, network) in [
      ("gradient descent", run.descent.network), ("sheaf flow", run.sheaf.network),
    ] {
      let pinned = try Pinned(network, run.test)
      var euler = Euler(step: 0.01, stop: .change(1e-10), stepLimit: lab.steps(100_000))
      euler.settings.halt = lab.halt
      let flow = try HeatFlow(pinned.energy)
      let steps = try euler.run(flow, from: pinned.energy.forwardPass(run.test.input).state)
      try lab.check()
      let exact = try pinned.equilibrium()
      for (method, count, residual, discords) in [
        ("Euler, dt = 0.01", steps.steps, steps.residual, steps.discords),
        ("equilibrium", exact.steps, exact.residual, exact.discords),
      ] {
        table.append(
          [name, method, "\(count)", digits(residual, 2)]
            + discords.edges.map { digits($0.discord, 5) } + [digits(discords.total, 5)])
      }
      worst = max(worst, exact.residual)
      if steps.status != .converged {
        // Switches up to the end: steps go to and fro across a kink.
        let isChattering = (steps.crossings.last ?? 0) > steps.steps - 100
        if isChattering { chattering.append(name) } else { slow.append(name) }
      }
      findings.comparisons += [
        Comparison(
          "\(name): total pinned discord (the paper: 20,000 steps, its weights)",
          exact.discords.total, paper: name == "sheaf flow" ? 0.0097369 : 0.0011990)
      ]
    }
    let words = [
      (chattering, "chatter across kinks to the last step on the network of "),
      (slow, "are not at their end yet on the network of "),
    ].compactMap { names, what in names.isEmpty ? nil : what + names.joined(separator: " and of ") }
    findings.sentence =
      "Euler's steps "
      + (words.isEmpty ? "come to the equilibrium here" : words.joined(separator: " and "))
      + ". The paper's run on its sheaf-trained network does not converge in 100,000 steps (last change 8.8e-5). The exact "
      + "equilibria take a few steps, to a residual of \(digits(worst, 2))."
    findings.settings =
      settings
      + "; \(run.test.count) test samples, output stalk pinned to the target; Euler's method to a change of 1e-10 or "
      + "\(lab.steps(100_000)) steps"
    findings.tables = [("", table)]
    return findings
  }

  /// A network with its output stalk held at the targets of some data.
  private struct Pinned {
    let energy: PinnedEnergy
    let data: TrainingData

    init(_ network: Network, _ data: TrainingData) throws {
      self.data = data
      let pin = Pin(
        vertex: network.lastVertex, coordinates: Array(0..<network.outputDimension),
        values: data.target, strength: .hard)
      energy = PinnedEnergy(
        NeuralSheaf(network),
        pins: try Pins([pin], network: network, input: data.input))
    }

    func equilibrium() throws -> (discords: DiscordReport, steps: Int, residual: Double) {
      let end = try AutomaticSolver().solve(energy, input: data.input)
      return (
        energy.discords(at: end.state), end.iterations.max() ?? 0, end.residuals.max() ?? 0
      )
    }
  }
}
