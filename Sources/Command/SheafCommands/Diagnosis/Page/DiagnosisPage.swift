import Figures
import Foundation
import LinearAlgebra
import NetworkDiagnosis
import NeuralSheaves
import WebPages

/// A diagnosis as a page.
struct DiagnosisPage {
  let summary: DiagnosisSummary
  let images: SampleImages

  init(_ summary: DiagnosisSummary, images: SampleImages) {
    (self.summary, self.images) = (summary, images)
  }

  var diagnosis: Diagnosis { summary.diagnosis }
  var network: Network { summary.network }

  /// The most rows of a table of samples.
  static let mostRows = 500

  /// The page.
  var page: Page {
    let skipped = Dictionary(uniqueKeysWithValues: summary.skipped.map { ($0.part, $0.why) })
    let notAsked = Set(diagnosis.skipped.filter { $0.reason == .notAsked }.map(\.part))
    var sections: [Section] = [networkSection]
    for part in DiagnosisPart.allCases where !notAsked.contains(part) {
      if let why = skipped[part] {
        sections.append(
          Section(id: part.rawValue, title: Self.title(part), status: .skipped(why: why)))
      } else {
        sections.append(
          Section(
            id: part.rawValue, title: Self.title(part), note: note(part), blocks: blocks(part)))
      }
    }
    let samples = samplesSection
    if !samples.blocks.isEmpty { sections.append(samples) }
    return Page(
      title: (summary.name as NSString).lastPathComponent,
      subtitle:
        "Diagnosis on \(counted(summary.count, "sample")) · \(network.parameterCount) parameters · \(network.edges.count) edges",
      summary: summary.lines.map {
        SummaryLine(Self.severity($0.severity), Inline($0.text), target: $0.part.rawValue)
      }, sections: sections)
  }

  private static func severity(_ severity: DiagnosisSummary.Severity) -> SummaryLine.Severity {
    switch severity {
    case .problem: .problem
    case .notice: .notice
    case .fine: .fine
    }
  }

  static func title(_ part: DiagnosisPart) -> String {
    switch part {
    case .fit: "Fit"
    case .suspects: "Suspect labels"
    case .unfamiliar: "Unfamiliar inputs"
    case .neurons: "Neurons and layers"
    case .discord: "Discord"
    case .spectra: "Spectra"
    case .robustness: "Robustness"
    case .changed: "Has it changed?"
    case .compared: "Two networks"
    }
  }

  private func note(_ part: DiagnosisPart) -> Inline? {
    switch part {
    case .fit: nil
    case .suspects:
      "The chance that a label is wrong comes from a model of how labels go wrong; it is an estimate, and truer the better classes can be told apart."
    case .unfamiliar:
      "Distances from the training inputs at several stalks. p is the share of training inputs, held out from the statistics, that are as far away."
    case .neurons: "What each stalk and each weight does on these samples."
    case .discord:
      "Each output is clamped to what it should be, and the network relaxes. An edge's discord is what its operation would have to give up. Expected is the mean over outputs drawn from the network's own probabilities, or for values from its own residuals: about the same where it is right as often as it is sure."
    case .spectra:
      "The restricted Laplacian on the activation pattern of each sample; its least eigenvalue is the rate at which the slowest part of the heat flow decays."
    case .robustness:
      "How far an input must move, in the Euclidean norm, for another decision. Reached is the distance of a point that does change it, an upper bound; linear is the distance if the network were affine."
    case .changed:
      "From the reference's outputs alone: the layer whose noise would explain the differences best."
    case .compared:
      "Alignment of two stalks is 1 where one is a rotated and scaled copy of the other, as far as these samples tell, and about 0 where they have nothing in common."
    }
  }

  private func blocks(_ part: DiagnosisPart) -> [Block] {
    switch part {
    case .fit: fitBlocks
    case .suspects: suspectBlocks
    case .unfamiliar: unfamiliarBlocks
    case .neurons: neuronBlocks
    case .discord: discordBlocks
    case .spectra: spectrumBlocks
    case .robustness: robustnessBlocks
    case .changed: changeBlocks
    case .compared: differenceBlocks
    }
  }

  /// The network, its edges coloured by discord where that is known.
  private var networkSection: Section {
    let ratios = diagnosis.discord.map { discord in
      zip(discord.report.edges, discord.expected).map { $1 > 0 ? $0.discord / $1 : 0 }
    }
    let values = diagnosis.discord.map { $0.report.edges.map(\.discord) }
    let top = values?.max() ?? 0
    let drawing = GraphDrawing(
      network, title: "", emphases: values.map { $0.map { top > 0 ? ($0 / top).squareRoot() : 0 } },
      links: network.vertices.map { "#stalk-\($0.name)" })
    let caption: Inline =
      values == nil
      ? "One box for each stalk, one arrow for each operation."
      : "One box for each stalk, one arrow for each operation; the redder and thicker an arrow, the more of the discord is on it\(ratios == nil ? "" : ", with the outputs clamped to what they should be")."
    return Section(
      id: "network", title: "The network",
      blocks: [
        picture(caption, "The graph of the network with \(network.edges.count) edges.") {
          try Graphviz.draw(drawing.dot, as: .svg)
        }
      ])
  }

  /// A figure, or why there is none.
  func picture(
    _ caption: Inline, _ alternative: String, isWide: Bool = false, _ draw: () throws -> Data
  ) -> Block {
    do {
      return .drawing(
        Drawing(
          svg: String(decoding: try draw(), as: UTF8.self), caption: caption,
          alternative: alternative, isWide: isWide))
    } catch {
      return .paragraph(Inline("Not drawn: " + String(describing: error) + ". ") + caption)
    }
  }

  /// A figure of panels.
  func plot(
    _ caption: Inline, _ alternative: String, isWide: Bool = false, columns: Int = 1,
    aspect: Double = 0.72, _ panels: [Panel]
  ) -> Block {
    picture(caption, alternative, isWide: isWide) {
      try Figure(
        columns: columns, width: isWide ? .page : .column, aspect: aspect, panels: panels
      ).drawn(as: .svg)
    }
  }

  /// A cell with a number, sorted by it.
  func cell(_ x: Double?, link: String? = nil, bar: Double? = nil) -> DataTable.Cell {
    DataTable.Cell(DiagnosisSummary.number(x), value: x, link: link, bar: bar)
  }

  /// A cell with a sample that leads to its picture.
  func sampleCell(_ j: Int) -> DataTable.Cell {
    DataTable.Cell("\(j)", value: Double(j), link: "sample-\(j)")
  }

  /// The classes given and proposed or predicted.
  func classCell(_ c: Int) -> DataTable.Cell { DataTable.Cell(summary.className(c)) }
}

extension GraphDrawing {
  /// The graph of a network with arrows that stand out as much as their edges, the output edge last, are given.
  fileprivate init(_ network: Network, title: String, emphases: [Double]?, links: [String]) {
    let plain = GraphDrawing(network, title: title)
    var (vertices, edges) = (plain.vertices, plain.edges)
    for (v, link) in links.enumerated() { vertices[v].link = link }
    if let emphases {
      for e in edges.indices where e < emphases.count { edges[e].emphasis = emphases[e] }
    }
    self.init(vertices: vertices, edges: edges, title: title)
  }
}
