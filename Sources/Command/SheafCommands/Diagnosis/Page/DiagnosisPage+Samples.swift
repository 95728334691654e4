import Figures
import LinearAlgebra
import NetworkDiagnosis
import WebPages

/// Suspect labels, unfamiliar inputs, and the samples one by one.
extension DiagnosisPage {
  var suspectBlocks: [Block] {
    guard let suspects = diagnosis.suspects, let classes = diagnosis.samples.classes else {
      return []
    }
    let noise = suspects.noise
    let source: Inline =
      switch suspects.source {
      case .crossValidation(let folds):
        "networks of this shape, trained anew without each of \(folds) parts of the samples in turn"
      case .network(let why):
        Inline("the network itself, which may know wrong labels by heart: \(why)")
      }
    var blocks: [Block] = [
      .facts([
        ("Judged by", source),
        (
          "What of them counts",
          suspects.isByDistance
            ? "distances from the classes in the last hidden stalk" : "the probabilities of classes"
        ),
        ("Labels predicted by them", Inline(DiagnosisSummary.percent(suspects.accuracy))),
        ("Estimated rate of wrong labels", Inline(DiagnosisSummary.percent(noise.rate))),
        ("Labels that look wrong", "\(suspects.suspects.count)"),
        (
          "Right ones to expect among them, at most",
          Inline(DiagnosisSummary.percent(suspects.falseDiscoveryRate))
        ),
      ])
    ]
    let shown = Array(
      (suspects.suspects.isEmpty ? Array(suspects.ranking.prefix(10)) : suspects.suspects).prefix(
        Self.mostRows))
    let listed = diagnosis.listedDiscord
    let hasGaps = !suspects.mahalanobisGaps.isEmpty
    let hasRecord = !suspects.averagedFlipEnergies.isEmpty
    let columns: [DataTable.Column] =
      [
        .init("sample", .number), .init("given"), .init("proposed"),
        .init(
          "chance right", .number,
          explanation: "the chance that the label is right after all, as the model has it"),
        .init(
          "cross-entropy", .number,
          explanation: "−log of the probability of the label given, by what labels are judged by"),
        .init(
          "p", .number,
          explanation: "that a label drawn from the probabilities is no likelier than this one"),
        .init("flip energy", .number, explanation: "as among the largest losses, of this network"),
      ]
      + (hasGaps
        ? [
          .init(
            "Mahalanobis gap", .number,
            explanation:
              "squared distance from the class given less that from the nearest, in the last hidden stalk"
          )
        ] : [])
      + (hasRecord
        ? [.init("flip energy along training", .number, explanation: "its mean over training")]
        : [])
      + [
        .init(
          "edge",
          explanation: "the edge that carries the most of it when clamped, but for the output edge")
      ]
    blocks.append(
      .table(
        DataTable(
          id: "suspect-labels",
          caption: suspects.suspects.isEmpty
            ? "No label looks wrong; these are the least likely" : "Labels that look wrong",
          columns: columns,
          rows: shown.map { j in
            let k = listed?.samples.firstIndex(of: j)
            let edges = k.map { listed!.leadingEdges(ofSample: $0, most: 1) } ?? []
            let words = edges.map {
              "\(listed!.report.edges[$0.edge].edge) \(Int((100 * $0.share).rounded())) %"
            }
            return .init(
              id: "suspect-\(j)",
              [
                sampleCell(j), classCell(classes[j]), classCell(noise.proposed[j]),
                cell(1 - noise.chances[j]), cell(suspects.crossEntropies[j]),
                cell(noise.pValues[j]),
                cell(suspects.flipEnergies.isEmpty ? nil : suspects.flipEnergies[j]),
              ] + (hasGaps ? [cell(suspects.mahalanobisGaps[j])] : [])
                + (hasRecord ? [cell(suspects.averagedFlipEnergies[j])] : [])
                + [
                  .init(
                    words.joined(separator: ", "),
                    link: edges.first.map { "edge-\(listed!.report.edges[$0.edge].edge)" })
                ])
          })))
    return blocks
  }

  var unfamiliarBlocks: [Block] {
    guard let familiarity = diagnosis.familiarity else { return [] }
    let first = familiarity.unfamiliar.prefix(Self.mostRows)
    let rows =
      first.isEmpty
      ? familiarity.scores.indices.sorted { familiarity.scores[$0] > familiarity.scores[$1] }
        .prefix(10) : first
    var facts: [(String, Inline)] = [
      ("Unfamiliar", "\(familiarity.unfamiliar.count) of \(summary.count)"),
      ("Training inputs measured against", "\(familiarity.count)"),
      ("Held out for the p-values", "\(familiarity.calibrationCount)"),
    ]
    if familiarity.isShort {
      facts.append(
        (
          "Covariances",
          "fewer training inputs than dimensions at some stalks: a part of the mean variance stands for the rest"
        ))
    }
    var blocks: [Block] = [.facts(facts)]
    blocks.append(
      .table(
        DataTable(
          id: "unfamiliar-inputs",
          caption: first.isEmpty
            ? "No input stands out; these are the least familiar"
            : "Inputs unlike those of training",
          columns: [
            .init("sample", .number),
            .init(
              "score", .number,
              explanation:
                "the sum over distances at the input and the first activation of the cube of about −log of the share of training inputs as far away"
            ),
            .init(
              "p", .number,
              explanation: "the share of training inputs, held out, with no smaller a score"),
            .init(
              "beyond", .number,
              explanation:
                "for scores beyond all held out, p as an exponential tail goes on: an extrapolation"
            ),
            .init("first stalk", explanation: "from the input on with p ≤ 1 %"),
            .init("last stalk", explanation: "with p ≤ 1 %: how far what is strange is carried"),
          ] + familiarity.vertices.map { .init("p at \(network.vertices[$0].name)", .number) },
          rows: rows.map { j in
            .init(
              id: "unfamiliar-\(j)",
              [
                sampleCell(j), cell(familiarity.scores[j]), cell(familiarity.pValues[j]),
                cell(familiarity.tailPValues[j]),
                .init(
                  familiarity.firstStalks[j].map { network.vertices[$0].name } ?? "–",
                  link: familiarity.firstStalks[j].map { "stalk-\(network.vertices[$0].name)" }),
                .init(familiarity.lastStalks[j].map { network.vertices[$0].name } ?? "–"),
              ] + familiarity.stalkPValues.map { cell($0[j]) })
          })))
    let sorted = familiarity.pValues.sorted()
    let n = Double(sorted.count)
    blocks.append(
      plot(
        "The share of samples with a p-value below p. Inputs like those of training follow the dashed line.",
        "Distribution of p-values.",
        [
          Panel(
            x: Axis("p", range: 0...1), y: Axis("share of samples", range: 0...1),
            layers: [
              .line(x: [0, 1], y: [0, 1], style: LineStyle(.muted, dash: .dashed)),
              .line(x: sorted, y: sorted.indices.map { Double($0 + 1) / n }),
            ])
        ]))
    return blocks
  }

  /// The samples that other sections speak of, as pictures where they are.
  var samplesSection: Section {
    let suspects = diagnosis.suspects?.suspects.prefix(60) ?? []
    let unfamiliar = diagnosis.familiarity?.unfamiliar.prefix(30) ?? []
    var (seen, chosen) = (Set<Int>(), [Int]())
    for j in Array(suspects) + Array(unfamiliar) + Array(diagnosis.worst.prefix(40))
    where seen.insert(j).inserted { chosen.append(j) }
    return Section(
      id: "samples", title: "Samples",
      note: images.shape == nil
        ? nil
        : "The inputs drawn as images, black for the least of each and white for the largest number.",
      blocks: chosen.isEmpty ? [] : [.gallery(chosen.map(card))])
  }

  private func card(_ j: Int) -> Card {
    var facts: [(String, String)] = []
    let n = DiagnosisSummary.number
    if let own = diagnosis.fit?.classification {
      facts += [
        ("given", summary.className(own.given[j])),
        ("predicted", summary.className(own.predicted[j])),
      ]
    }
    if let suspects = diagnosis.suspects, suspects.noise.chances[j] > 0.5 {
      facts += [
        ("proposed", summary.className(suspects.noise.proposed[j])),
        ("chance that the label is right", n(1 - suspects.noise.chances[j])),
      ]
    }
    if let fit = diagnosis.fit { facts.append(("loss", n(fit.losses[j]))) }
    if let familiarity = diagnosis.familiarity {
      facts.append(("p of the input", n(familiarity.pValues[j])))
    }
    let isSuspect = diagnosis.suspects?.suspects.contains(j) ?? false
    let isUnfamiliar = diagnosis.familiarity?.unfamiliar.contains(j) ?? false
    return Card(
      id: "sample-\(j)", image: image(diagnosis.samples.input.column(j)), title: "Sample \(j)",
      facts: facts,
      link: isSuspect ? "suspect-\(j)" : isUnfamiliar ? "unfamiliar-\(j)" : "worst-\(j)")
  }

  /// An input as an image.
  func image(_ values: [Double], range: ClosedRange<Double>? = nil) -> PixelImage? {
    guard let shape = images.shape else { return nil }
    let places = shape.height * shape.width
    // Of large images every few pixels, so that a page of many stays small; channels follow each other in the input, and alternate in an image.
    let step = max(1, (max(shape.height, shape.width) + 95) / 96)
    let (height, width) = ((shape.height + step - 1) / step, (shape.width + step - 1) / step)
    let pixels = (0..<height * width).flatMap { p in
      let place = p / width * step * shape.width + p % width * step
      return (0..<shape.channels).map { values[$0 * places + place] }
    }
    return PixelImage(
      values: pixels, width: width, height: height, channels: shape.channels,
      range: range)
  }
}
