import Figures
import Foundation
import LinearAlgebra
import NeuralSheaves
import SheafFlows

extension Exhibit {
  /// The heat flow of a deep network with a sigmoid output, watched from all sides.
  static let dashboard = Exhibit(
    name: "dashboard", title: "Convergence of the sigmoid network [2,6,4,4,1]"
  ) { lab in
    var generator = RandomGenerator(seed: 5)
    let network = try Network(
      widths: [2, 6, 4, 4, 1], outputActivation: .sigmoid, using: &generator)
    let sheaf = NeuralSheaf(network)
    let batch = 20
    let x = generator.normalMatrix(rows: 2, columns: batch)
    var start = sheaf.randomState(x, using: &generator)
    let forward = sheaf.forwardPass(x)
    let edge = OutputEdge(activation: .sigmoid, energy: .squared)
    start.output = generator.normalMatrix(rows: 1, columns: batch)
    let flow = try HeatFlow(sheaf, pins: Pins(network: network, input: x), output: edge)
    let names = (0..<network.edges.count).map { network.edgeName($0) } + ["output"]
    var (steps, discords, errors) = ([Double](), [[Double]](), [Double]())
    var euler = Euler(
      step: 0.01, stop: .change(lab.isQuick ? 1e-6 : 1e-12), stepLimit: 400_000)
    euler.settings.halt = lab.halt
    let end = try euler.run(flow, from: start) { seen in
      // On a logarithmic grid.
      guard seen.step < 50 || Double(seen.step) >= 1.05 * (steps.last ?? 0) else { return }
      steps.append(Double(seen.step))
      discords.append(flow.discords(of: seen.state).edges.map(\.discord))
      errors.append(
        zip(seen.state.stalks, forward.stalks).reduce(0) { worst, pair in
          var d = pair.0
          d.add(pair.1, scale: -1)
          return max(worst, d.maximumMagnitude)
        })
    }
    try lab.check()
    func sigmoid(_ z: Double) -> Double { 1 / (1 + exp(-z)) }
    let targets = forward.stalks.last!.elements.map(sigmoid)
    let axis = Axis("step + 1", scale: .logarithmic)
    let at = steps.map { $0 + 1 }
    var findings = Findings(
      "The flow comes to the forward pass in spite of the sigmoid: discord falls on every edge, first on "
        + "the output's and last near the input, and predicted outputs are the actual ones.",
      settings:
        "seed 5, 20 normal inputs, normal stalks, dt = 0.01 until no coordinate changes by more than "
        + "\(lab.isQuick ? "1e-6" : "1e-12"): \(end.steps) steps")
    findings.figures = [
      (
        "",
        Figure(
          columns: 2, width: .page,
          panels: [
            Panel(
              "Total discord", x: axis, y: Axis("Σ‖ρ‖²", scale: .logarithmic),
              layers: [.line(x: at, y: discords.map { $0.reduce(0, +) })]),
            Panel(
              "Discord by edge", x: axis, y: Axis("‖ρ‖²", scale: .logarithmic), legend: .below,
              layers: names.indices.map { e in
                .line(x: at, y: discords.map { $0[e] }, label: names[e])
              }),
            Panel(
              "Distance from the forward pass", x: axis,
              y: Axis("max |ω − ω*|", scale: .logarithmic),
              layers: [.line(x: at, y: errors)]),
            Panel(
              "Outputs at the end", x: Axis("σ of the forward pass"), y: Axis("output stalk a₄"),
              layers: [
                .line(x: [0, 1], y: [0, 1], style: LineStyle(.muted, dash: .dashed)),
                .points(x: targets, y: end.state.output!.elements),
              ]),
          ])
      )
    ]
    let last = flow.discords(of: end.state).edges
    var table = ResultTable(["edge", "discord at the start", "at the end"])
    for (e, name) in names.enumerated() {
      table.append([name, digits(discords.first![e]), digits(last[e].discord)])
    }
    findings.tables = [("", table)]
    return findings
  }

  /// Trajectories of the heat flow over the plane of one neuron's z and a.
  static let phasePlanes = Exhibit(
    name: "phase-planes", title: "Phase planes of a neuron at three depths"
  ) { lab in
    var panels: [Panel] = []
    for (k, widths) in [[2, 4, 1], [2, 4, 4, 1], [2, 4, 4, 4, 1]].enumerated() {
      try lab.check()
      var generator = RandomGenerator(seed: UInt64(21 + k))
      let network = try Network(widths: widths, using: &generator)
      let sheaf = NeuralSheaf(network)
      let count = 8
      let point = generator.normalMatrix(rows: 2, columns: 1)
      let x = Matrix(
        rows: 2, columns: count, columnMajor: (0..<count).flatMap { _ in point.elements })
      let flow = try HeatFlow(sheaf, pins: Pins(network: network, input: x))
      // The last hidden layer's neuron that is most active.
      let (z, a) = (network.lastVertex - 2, network.lastVertex - 1)
      let end = sheaf.forwardPass(x)
      let i = (0..<4).max { end.stalks[a][$0, 0] < end.stalks[a][$1, 0] }!
      // Starts on a circle around the end; all else at the forward pass.
      var start = end
      for j in 0..<count {
        let angle = 2 * Double.pi * Double(j) / Double(count)
        start.stalks[z][i, j] += 2 * cos(angle)
        start.stalks[a][i, j] += 2 * sin(angle)
      }
      var paths = [[(Double, Double)]](repeating: [], count: count)
      var euler = Euler(step: 0.01, stop: .time(lab.isQuick ? 20 : 200), threads: 1)
      euler.settings.halt = lab.halt
      _ = try euler.run(flow, from: start) { seen in
        guard seen.step < 300 || seen.step % 25 == 0 else { return }
        for j in 0..<count {
          paths[j].append((seen.state.stalks[z][i, j], seen.state.stalks[a][i, j]))
        }
      }
      try lab.check()
      // E over the plane, all other coordinates at the forward pass.
      let (u, v) = (end.stalks[z][i, 0], end.stalks[a][i, 0])
      let axis = (0..<41).map { -2.5 + 5 * Double($0) / 40 }
      var plane = SheafState(
        stalks: end.stalks.map { $0.columns([Int](repeating: 0, count: axis.count * axis.count)) })
      for (q, dv) in axis.enumerated() {
        for (p, du) in axis.enumerated() {
          plane.stalks[z][i, q * axis.count + p] = u + du
          plane.stalks[a][i, q * axis.count + p] = v + dv
        }
      }
      let rho = sheaf.discrepancy(plane)
      let energies = (0..<axis.count * axis.count).map { j in
        0.5 * rho.reduce(0) { $0 + $1.sumOfSquares(column: j) }
      }
      let levels = [0.05, 0.2, 0.5, 1, 2, 4, 8, 16, 32]
      panels.append(
        Panel(
          "\(widths)", x: Axis("z[\(i)]"), y: Axis("a[\(i)]"), colourLabel: "E",
          layers: [
            .heatMap(x: axis.map { u + $0 }, y: axis.map { v + $0 }, values: energies),
            .contours(
              x: axis.map { u + $0 }, y: axis.map { v + $0 }, values: energies, levels: levels),
          ]
            + paths.map { path in
              .path(
                x: path.map(\.0), y: path.map(\.1),
                style: LineStyle(.paper, dash: .solid, width: 0.9))
            } + (abs(u) < 2.5 ? [.verticalMark(x: 0)] : [])
            + [.crosses(x: [u], y: [v], colour: .series(1))])
      )
    }
    var findings = Findings(
      "E over the plane of one neuron of the last hidden layer, trajectories from a circle around the forward pass (cross), "
        + "and the switch z = 0. Deeper networks lead trajectories away and back: the layers before have to follow.",
      settings:
        "seeds 21–23, Euler's method with dt = 0.01, all other stalks start at the forward pass")
    findings.figures = [
      ("", Figure(columns: 3, width: .page, aspect: 0.9, panels: panels))
    ]
    return findings
  }
}
