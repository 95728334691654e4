import Figures
import LinearAlgebra
import NeuralSheaves
import SheafDiagnostics
import SheafTraining

extension Exhibit {
  /// Where the Fiedler and the top eigenvector live.
  static let eigenvectors = Exhibit(
    name: "eigenvectors", title: "Fiedler and top energy by block, [2,30,1] and [2,12,8,6,1]"
  ) { lab in
    var findings = Findings(
      "Before training the slow direction is spread over the deep stalks; after it it is the output's, and the fast one "
        + "the last hidden layer's.",
      settings:
        "paraboloid, joint flow, βn = 1, \(lab.steps(50_000)) steps, random stalks, seed 3; 50 training samples; "
        + "means over samples")
    var table = ResultTable([
      "network", "stage", "block", "Fiedler energy", "top energy",
    ])
    var panels: [Panel] = []
    for widths in wide {
      let run = try trained(widths, lab)
      let name = "\(widths)"
      var series: [SheafSpectrum.End: [Layer.Series]] = [:]
      var blocks: [String] = []
      for (stage, network) in [("before", run.start), ("after training", run.network)] {
        let sheaf = NeuralSheaf(network)
        let spectrum = SheafSpectrum(sheaf, at: sheaf.forwardPass(run.probe))
        func means(_ end: SheafSpectrum.End) -> [Double] {
          spectrum.blockEnergies(end).map { $0.energies.reduce(0, +) / Double($0.energies.count) }
        }
        blocks = spectrum.blockEnergies(.top).map(\.block)
        let (fiedler, top) = (means(.fiedler), means(.top))
        series[.fiedler, default: []].append(Layer.Series(stage, fiedler))
        series[.top, default: []].append(Layer.Series(stage, top))
        for (k, block) in blocks.enumerated() {
          table.append([name, stage, block, digits(fiedler[k]), digits(top[k])])
        }
      }
      for (end, title) in [
        (SheafSpectrum.End.fiedler, "Fiedler vector"), (.top, "top eigenvector"),
      ] {
        panels.append(
          Panel(
            "\(name): \(title)", y: Axis("energy", range: 0...1), legend: .below,
            layers: [.bars(categories: blocks, series: series[end]!)]))
      }
    }
    findings.figures = [("", Figure(columns: 2, width: .page, panels: panels))]
    findings.tables = [("", table)]
    return findings
  }

  /// Discord of neurons against how active they are.
  static let activations = Exhibit(
    name: "discord-activation", title: "Discord against activation, neuron by neuron"
  ) { lab in
    var findings = Findings(
      "The discord of each neuron's affine edge against how active it is. How far the one goes with the other differs "
        + "from layer to layer: the table has Spearman's rank correlations.",
      settings:
        "the networks of the exhibit eigenvectors, training stalks of the joint flow at the end; means over the "
        + "300 training samples")
    var panels: [Panel] = []
    var correlations = ResultTable(["network", "layer", "neurons", "rank correlation"])
    var table = ResultTable([
      "network", "neuron", "mean activation", "discord of its z", "of its a",
    ])
    for widths in wide {
      let run = try trained(widths, lab)
      let sheaf = NeuralSheaf(run.network)
      let rho = sheaf.discrepancy(run.stalks)
      let network = run.network
      func mean(_ matrix: Matrix, _ row: Int, _ f: (Double) -> Double) -> Double {
        (0..<matrix.columns).reduce(0) { $0 + f(matrix[row, $1]) } / Double(matrix.columns)
      }
      var layers: [Layer] = []
      for edge in network.edges where edge.operation.kind == .activation {
        let (z, a) = (edge.source, edge.target)
        var (x, y) = ([Double](), [Double]())
        for i in 0..<network.vertices[a].dimension {
          let activation = mean(run.stalks.stalks[a], i) { abs($0) }
          let discords = [z, a].map { v in mean(rho[v], i) { $0 * $0 } }
          x.append(activation)
          y.append(discords[0])
          table.append([
            "\(widths)", "\(network.vertices[a].name)[\(i)]", digits(activation),
            digits(discords[0]), digits(discords[1]),
          ])
        }
        layers.append(.points(x: x, y: y, label: network.vertices[a].name))
        correlations.append([
          "\(widths)", network.vertices[a].name, "\(x.count)", digits(rankCorrelation(x, y), 3),
        ])
      }
      panels.append(
        Panel(
          "\(widths)", x: Axis("mean |a|", scale: .logarithmic),
          y: Axis("discord of z = Wa + b", scale: .logarithmic), legend: .below,
          layers: layers))
    }
    findings.figures = [("", Figure(columns: 2, width: .page, panels: panels))]
    findings.tables = [("correlations", correlations), ("", table)]
    return findings
  }

  /// The spectral gap before training, by depth.
  static let gapAndDepth = Exhibit(
    name: "gap-and-depth", title: "Spectral gap against depth"
  ) { lab in
    let nets = [[2, 30, 1], [2, 10, 8, 1], [2, 8, 6, 4, 1], [2, 8, 8, 6, 4, 1]]
    let seeds = lab.isQuick ? 3 : 20
    var (groups, table) = (
      [Quartiles](), ResultTable(["network", "lower quartile", "median λ₁", "upper quartile"])
    )
    for widths in nets {
      try lab.check()
      var gaps: [Double] = []
      for seed in 0..<seeds {
        var generator = RandomGenerator(seed: UInt64(seed))
        let network = try Network(widths: widths, using: &generator)
        let sheaf = NeuralSheaf(network)
        let x = PaperTask.named(.paraboloid, 1).task.generate(train: 50, test: 1, using: &generator)
        gaps += SheafSpectrum(sheaf, at: sheaf.forwardPass(x.trainInput)).samples.map(\.gap)
      }
      let q = Quartiles(gaps)
      groups.append(q)
      table.append(["\(widths)", digits(q.low), digits(q.median), digits(q.high)])
    }
    var findings = Findings(
      "The gap λ₁ falls with depth, and with it the rate of the slowest part of the heat flow.",
      settings: "He's initialisation, \(seeds) seeds × 50 samples of paraboloid each")
    let depths = nets.indices.map { Double($0 + 1) }
    findings.figures = [
      (
        "",
        Figure(panels: [
          Panel(
            x: Axis(
              "hidden layers", range: 0.7...Double(nets.count) + 0.3,
              ticks: depths.map { Axis.Tick($0, "\(Int($0))") }),
            y: Axis("λ₁", scale: .logarithmic), legend: .topRight,
            layers: [
              .band(
                x: depths, low: groups.map(\.low), high: groups.map(\.high), label: "quartiles"),
              .line(x: depths, y: groups.map(\.median), label: "median"),
              .points(x: depths, y: groups.map(\.median), style: PointStyle(.series(0))),
              .crosses(x: [1, 2, 3], y: [0.2248, 0.0602, 0.0281], label: "the paper's seed"),
            ])
        ])
      )
    ]
    findings.tables = [("", table)]
    findings.comparisons = zip(nets, [0.2248, 0.0602, 0.0281]).enumerated().map { k, pair in
      Comparison("median λ₁ of \(pair.0) (all seeds)", groups[k].median, paper: pair.1)
    }
    return findings
  }

  /// λ₁, λ_max and the condition number along training.
  static let spectralEvolution = Exhibit(
    name: "spectral-evolution", title: "Spectra along training"
  ) { lab in
    var findings = Findings(
      "Training closes the gap λ₁ and stretches λ_max: the condition number grows by one to two orders of magnitude.",
      settings: Self.settings + "; 50 training samples; bands are quartiles")
    var (panels, histograms) = ([Panel](), [Panel]())
    var table = ResultTable(["run", "step", "λ₁", "λ_max", "condition number"])
    for task in [PaperTask.named(.paraboloid, 1), .named(.paraboloid, 2)] {
      let run = try lab.training(task)
      let steps = run.observations.map { Double($0.step) / 1000 }
      let measures: [(String, @Sendable (SampleSpectrum) -> Double)] = [
        ("λ₁", { $0.gap }), ("λ_max", { $0.top.value }), ("λ_max/λ₁", { $0.condition }),
      ]
      for (name, measure) in measures {
        let q = run.observations.map { Quartiles($0.spectrum.samples.map(measure)) }
        panels.append(
          Panel(
            "\(task.widths): \(name)", x: Axis("thousand steps"),
            y: Axis(name, scale: .logarithmic),
            layers: [
              .band(x: steps, low: q.map(\.low), high: q.map(\.high)),
              .line(x: steps, y: q.map(\.median)),
            ]))
        let stages = [0, run.observations.count / 2, run.observations.count - 1]
        let values = stages.map { run.observations[$0].spectrum.samples.map(measure) }
        let histogram = Histogram(logarithmic: values.flatMap { $0 })
        histograms.append(
          Panel(
            "\(task.widths): \(name)", x: Axis(name, scale: .logarithmic), y: Axis("samples"),
            legend: .below,
            layers: zip(["start", "half way", "end"], values).map { label, list in
              .histogram(edges: histogram.edges, counts: histogram.counts(list), label: label)
            }))
      }
      for seen in run.observations {
        let median = { (value: (SampleSpectrum) -> Double) in
          digits(Quartiles(seen.spectrum.samples.map(value)).median)
        }
        table.append([
          task.name, "\(seen.step)", median { $0.gap }, median { $0.top.value },
          median { $0.condition },
        ])
      }
      let (first, last) = (run.observations[0].spectrum, run.observations.last!.spectrum)
      let paper = task.depth == 1 ? (0.2248, 0.0337) : (0.0602, 0.00309)
      findings.comparisons += [
        Comparison(
          "\(task.name): median λ₁ at the start", Quartiles(first.samples.map(\.gap)).median,
          paper: paper.0),
        Comparison(
          "\(task.name): median λ₁ at the end", Quartiles(last.samples.map(\.gap)).median,
          paper: paper.1),
      ]
    }
    findings.figures = [
      ("", Figure(columns: 3, width: .page, aspect: 0.8, panels: panels)),
      ("histograms", Figure(columns: 3, width: .page, aspect: 0.8, panels: histograms)),
    ]
    findings.tables = [("", table)]
    return findings
  }

  /// Spearman's ρ of two lists without ties.
  private static func rankCorrelation(_ x: [Double], _ y: [Double]) -> Double {
    func ranks(_ values: [Double]) -> [Double] {
      var ranks = [Double](repeating: 0, count: values.count)
      let order = values.indices.sorted { values[$0] < values[$1] }
      for (rank, i) in order.enumerated() { ranks[i] = Double(rank) }
      return ranks
    }
    let n = Double(x.count)
    let squares = zip(ranks(x), ranks(y)).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }
    return 1 - 6 * squares / (n * (n * n - 1))
  }

  private static let wide = [[2, 30, 1], [2, 12, 8, 6, 1]]

  private struct Trained {
    let start: Network
    let network: Network
    let stalks: SheafState
    let probe: Matrix
  }

  private static func trained(_ widths: [Int], _ lab: Laboratory) throws -> Trained {
    let data = try PaperTask.named(.paraboloid, 1).setting(seed: 3)
    var generator = RandomGenerator(seed: 3)
    let start = try Network(widths: widths, using: &generator)
    let stalks = NeuralSheaf(start).randomState(data.train.input, using: &generator)
    let flow = try JointFlow(
      start, data: data.train, initial: stalks,
      settings: .init(step: widths.count == 3 ? 0.005 : 0.01))
    for _ in 0..<max(1, lab.steps(50_000) / 1000) {
      try lab.check()
      _ = flow.takeSteps(1000)
    }
    return Trained(
      start: start, network: flow.network, stalks: flow.state,
      probe: data.train.input.columns(Array(0..<50)))
  }
}
