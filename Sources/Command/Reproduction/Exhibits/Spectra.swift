import Figures
import LinearAlgebra
import NeuralSheaves
import SheafDiagnostics
import SheafTraining

extension Exhibit {
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
}
