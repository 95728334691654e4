import Figures
import LinearAlgebra
import NetworkDiagnosis
import NeuralSheaves
import SheafDiagnostics
import WebPages

/// Neurons, discord, spectra.
extension DiagnosisPage {
  var neuronBlocks: [Block] {
    guard let neurons = diagnosis.neurons else { return [] }
    var blocks: [Block] = []
    if neurons.findings.isEmpty {
      blocks.append(.paragraph("Nothing stands out."))
    } else {
      blocks.append(
        .table(
          DataTable(
            id: "findings", caption: "Findings",
            columns: [
              .init("finding"), .init("where"), .init("share", .number),
              .init("evidence"), .init("which"),
            ],
            rows: neurons.findings.map { f in
              let shown = f.coordinates.prefix(24).map(String.init).joined(separator: ", ")
              return .init([
                .init(f.kind.words), .init(f.vertex, link: "stalk-\(f.vertex)"),
                .init(DiagnosisSummary.percent(f.share), value: f.share), .init(f.evidence),
                .init(
                  f.coordinates.isEmpty
                    ? "–"
                    : (f.areChannels ? "channels " : "") + shown
                      + (f.coordinates.count > 24 ? ", …" : "")),
              ])
            })))
    }
    blocks.append(.table(stalkTable(neurons)))
    let names = network.vertices.map(\.name)
    let ticks = Self.ticks(names)
    let x = network.vertices.indices.map(Double.init)
    blocks.append(
      plot(
        "Along the network: how much samples differ in each stalk, and the size of the loss's gradients there.",
        "Sizes of signals and gradients by stalk.", isWide: true, columns: 2,
        [
          Panel(
            "spread of samples", x: Axis(ticks: ticks), y: Axis(scale: .logarithmic),
            layers: [
              .line(x: x, y: neurons.sizes.spreads), .points(x: x, y: neurons.sizes.spreads),
            ]
          ),
          Panel(
            "gradients", x: Axis(ticks: ticks), y: Axis(scale: .logarithmic),
            layers: [
              .line(x: x, y: neurons.sizes.gradients), .points(x: x, y: neurons.sizes.gradients),
            ]),
        ]))
    blocks.append(.table(weightTable(neurons)))
    let curves = neurons.weights.prefix(8)
    if !curves.isEmpty {
      blocks.append(
        plot(
          "Singular values of the weights, each over its largest.", "Spectra of the weights.",
          [
            Panel(
              x: Axis("index"), y: Axis("singular value", scale: .logarithmic), legend: .below,
              layers: curves.map { w in
                .line(
                  x: w.values.indices.map { Double($0 + 1) },
                  y: w.values.map { $0 / max(w.values[0], .leastNormalMagnitude) },
                  label: network.edgeName(w.edge))
              })
          ]))
    }
    return blocks
  }

  /// Names at 0, 1, …; of many every few.
  private static func ticks(_ names: [String]) -> [Axis.Tick] {
    let step = max(1, names.count / 14)
    return names.enumerated().filter { $0.offset % step == 0 }.map {
      Axis.Tick(Double($0.offset), $0.element)
    }
  }

  private func stalkTable(_ neurons: NeuronReport) -> DataTable {
    let active = Dictionary(
      uniqueKeysWithValues: neurons.activity.map { activity in
        (activity.vertex, activity.active.reduce(0, +) / Double(max(activity.active.count, 1)))
      })
    return DataTable(
      id: "stalks", caption: "Stalks",
      columns: [
        .init("stalk"), .init("dimension", .number),
        .init("size", .number, explanation: "root mean square of the coordinates"),
        .init(
          "spread", .number,
          explanation: "the same of their differences from the mean over the samples"),
        .init(
          "gradient", .number,
          explanation:
            "root mean square over samples of the loss's gradient in the stalk, whatever the targets"
        ),
        .init(
          "rank", .number,
          explanation: "principal directions with more than 10⁻¹² of the largest variance"),
        .init("99 %", .number, explanation: "principal directions that hold 99 % of the variance"),
        .init("participation", .number, explanation: "(Σλ)²/Σλ² of the principal variances λ"),
        .init(
          "active", .number, explanation: "the mean share of samples on a branch that is not flat"),
      ],
      rows: network.vertices.indices.map { v in
        let vertex = network.vertices[v]
        let dimensions = neurons.dimensions[v]
        return .init(
          id: "stalk-\(vertex.name)",
          [
            .init(vertex.name), cell(Double(vertex.dimension)), cell(neurons.sizes.sizes[v]),
            cell(neurons.sizes.spreads[v]), cell(neurons.sizes.gradients[v]),
            cell(Double(dimensions.rank)), cell(Double(dimensions.dimensions99)),
            cell(dimensions.participation), cell(active[v], bar: active[v]),
          ])
      }, shown: 40)
  }

  private func weightTable(_ neurons: NeuronReport) -> DataTable {
    DataTable(
      id: "weights", caption: "Weights",
      columns: [
        .init("edge"), .init("operation"), .init("largest", .number, explanation: "singular value"),
        .init("smallest", .number), .init("rank", .number),
        .init(
          "stable rank", .number,
          explanation: "squared Frobenius norm over squared largest singular value"),
      ],
      rows: neurons.weights.map { w in
        .init([
          .init(network.edgeName(w.edge)), .init(network.edges[w.edge].operation.summary),
          cell(w.values.first), cell(w.values.last), cell(Double(w.rank)), cell(w.stableRank),
        ])
      }, shown: 40)
  }

  var discordBlocks: [Block] {
    guard let discord = diagnosis.discord else { return [] }
    let edges = discord.report.edges
    let open = discord.unsettled
    let top = edges.map(\.discord).max() ?? 1
    let tensors = network.tensorNames(of: discord.report)
    let hasTensors = tensors.contains { $0 != nil }
    var blocks: [Block] = [
      .table(
        DataTable(
          id: "edges", caption: "Discord by edge, means over \(discord.samples.count) samples",
          columns: [
            .init("edge"), .init("kind"), .init("layer", .number), .init("discord", .number),
            .init("expected", .number),
            .init("ratio", .number, explanation: "discord over its expectation"),
          ] + (hasTensors ? [.init("in the file")] : []),
          rows: edges.indices.map { e in
            .init(
              id: "edge-\(edges[e].edge)",
              [
                .init(edges[e].edge), .init(edges[e].kind.rawValue), cell(Double(edges[e].layer)),
                cell(edges[e].discord, bar: edges[e].discord / max(top, .leastNormalMagnitude)),
                cell(discord.expected[e]),
                cell(discord.expected[e] > 0 ? edges[e].discord / discord.expected[e] : nil),
              ] + (hasTensors ? [.init(tensors[e] ?? "")] : []))
          }, shown: 40)),
      plot(
        "Discord of each edge beside its expectation.", "Bars of discord by edge.", isWide: true,
        aspect: 0.4,
        [
          Panel(
            x: Axis(ticks: Self.ticks(edges.map(\.edge))), y: Axis("discord", scale: .logarithmic),
            legend: .below,
            layers: [
              .points(
                x: edges.indices.map(Double.init), y: edges.map(\.discord), label: "found"),
              .points(
                x: edges.indices.map(Double.init), y: discord.expected, label: "expected",
                style: PointStyle(marker: .openCircle)),
            ])
        ]),
      .table(
        DataTable(
          id: "by-layer", caption: "Discord by layer and by kind",
          columns: [.init("part"), .init("discord", .number)],
          rows: discord.report.byLayer.map {
            .init([.init("layer \($0.layer)"), cell($0.discord)])
          }
            + discord.report.byKind.map { .init([.init($0.kind.rawValue), cell($0.discord)]) },
          shown: 40)),
      .table(neuronDiscord(discord)),
    ]
    if open > 0 {
      blocks.insert(
        .paragraph("\(open) of \(discord.statuses.count) samples did not settle."), at: 0)
    }
    return blocks
  }

  /// The coordinates of the largest mean square discrepancy.
  private func neuronDiscord(_ discord: ClampedDiscord) -> DataTable {
    var all: [(vertex: Int, row: Int, value: Double)] = []
    for v in network.vertices.indices.dropFirst() {
      for (i, value) in discord.byCoordinate[v].enumerated() { all.append((v, i, value)) }
    }
    all.sort { $0.value > $1.value }
    return DataTable(
      id: "neurons-by-discord", caption: "The neurons with the largest discord",
      columns: [.init("neuron"), .init("stalk"), .init("mean square", .number)],
      rows: all.prefix(50).map {
        let name = network.vertices[$0.vertex].name
        return .init([
          .init("\(name)[\($0.row)]"), .init(name, link: "stalk-\(name)"), cell($0.value),
        ])
      }, shown: 10)
  }

  var spectrumBlocks: [Block] {
    guard let spectrum = diagnosis.spectrum else { return [] }
    let n = DiagnosisSummary.number
    let gaps = Statistics(spectrum.samples.map(\.gap))
    let tops = Statistics(spectrum.samples.map { $0.top.value })
    let means = { (end: SheafSpectrum.End) in
      spectrum.blockEnergies(end).map { ($0.block, Statistics($0.energies).mean ?? .nan) }
    }
    let (low, high) = (means(.fiedler), means(.top))
    let shown = low.count <= 24
    return [
      .facts([
        ("Samples", "\(spectrum.samples.count)"),
        ("Least eigenvalue, median", Inline(n(gaps.median))),
        ("Largest, median", Inline(n(tops.median))),
        ("log determinant", "0 on every pattern, as δ is unit triangular"),
      ])
    ]
      + (shown
        ? [
          plot(
            "Where the eigenvectors of the least and the largest eigenvalue live, by stalk.",
            "Bars of eigenvector energy by stalk.", isWide: true, aspect: 0.4,
            [
              Panel(
                y: Axis("share"), legend: .below,
                layers: [
                  .bars(
                    categories: low.map(\.0),
                    series: [
                      .init("least eigenvalue", low.map(\.1)),
                      .init("largest eigenvalue", high.map(\.1)),
                    ])
                ])
            ])
        ] : [])
      + [
        .table(
          DataTable(
            id: "spectra-table", caption: "Spectra by sample",
            columns: [
              .init("sample", .number), .init("least", .number), .init("largest", .number),
              .init("condition", .number),
            ],
            rows: zip(diagnosis.spectrumSamples, spectrum.samples).map { j, s in
              .init([sampleCell(j), cell(s.gap), cell(s.top.value), cell(s.condition)])
            }))
      ]
  }
}

extension Finding.Kind {
  /// The kind in words.
  var words: String {
    switch self {
    case .dead: "dead"
    case .alwaysActive: "always on one branch"
    case .saturated: "saturated"
    case .duplicate: "duplicate"
    case .opposite: "opposite"
    case .saturatedOutput: "saturated outputs"
    case .vanishingSignal: "vanishing signal"
    case .explodingSignal: "exploding signal"
    case .vanishingGradient: "vanishing gradient"
    case .explodingGradient: "exploding gradient"
    case .bottleneck: "bottleneck"
    case .rankDeficient: "weights without full rank"
    case .miscalibrated: "miscalibrated"
    }
  }
}
