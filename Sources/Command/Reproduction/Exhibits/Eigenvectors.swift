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

  /// A network before and after the joint flow on the paraboloid.
  private struct Trained: Sendable {
    let start: Network
    let network: Network
    let stalks: SheafState
    let probe: Matrix

    init(_ widths: [Int], _ lab: Laboratory) throws {
      let data = try PaperTask.named(.paraboloid, 1).setting(seed: 3)
      var generator = RandomGenerator(seed: 3)
      start = try Network(widths: widths, using: &generator)
      let stalks = NeuralSheaf(start).randomState(data.train.input, using: &generator)
      let flow = try JointFlow(
        start, data: data.train, initial: stalks,
        settings: .init(step: widths.count == 3 ? 0.005 : 0.01))
      for _ in 0..<max(1, lab.steps(50_000) / 1000) {
        try lab.check()
        _ = flow.takeSteps(1000)
      }
      (network, self.stalks) = (flow.network, flow.state)
      probe = data.train.input.columns(Array(0..<50))
    }
  }

  private static func trained(_ widths: [Int], _ lab: Laboratory) throws -> Trained {
    try lab.once("joint flow of \(widths)") { try Trained(widths, lab) }
  }
}
