import Figures
import LinearAlgebra
import NetworkDiagnosis
import NeuralSheaves
import SheafDiagnostics
import WebPages

/// Robustness, change, two networks.
extension DiagnosisPage {
  var robustnessBlocks: [Block] {
    guard let robustness = diagnosis.robustness else { return [] }
    let n = DiagnosisSummary.number
    let sensitivity = robustness.sensitivity
    var facts: [(String, Inline)] = [
      (
        "Largest singular value of the derivative, median",
        Inline(n(Statistics(sensitivity.singularValues.map { $0.first ?? 0 }).median))
      )
    ]
    if !sensitivity.gradientNorms.isEmpty {
      facts.append(
        (
          "Norm of the loss's gradient in the input, median",
          Inline(n(Statistics(sensitivity.gradientNorms).median))
        ))
    }
    var blocks: [Block] = [.facts(facts)]
    if let distances = robustness.distances {
      let reached = distances.entries.map(\.reached).filter(\.isFinite)
      if reached.count > 4 {
        let histogram = Histogram(logarithmic: reached)
        blocks.append(
          plot(
            "Distances at which the decision changes, of \(reached.count) samples.",
            "Histogram of distances.",
            [
              Panel(
                x: Axis("distance", scale: .logarithmic), y: Axis("samples"),
                layers: [.histogram(edges: histogram.edges, counts: histogram.counts(reached))])
            ]))
      }
      blocks.append(.table(distanceTable(robustness, distances)))
    }
    if !robustness.counterfactuals.isEmpty { blocks += counterfactuals(robustness) }
    return blocks
  }

  private func distanceTable(
    _ robustness: RobustnessReport, _ distances: BoundaryDistance
  ) -> DataTable {
    DataTable(
      id: "distances", caption: "Distance from another decision",
      columns: [
        .init("sample", .number), .init("predicted"), .init("becomes"),
        .init("reached", .number, explanation: "the distance of a point that gets the other class"),
        .init("linear", .number, explanation: "the distance if the network were affine"),
        .init(
          "in its linear region",
          explanation:
            "whether the linear distance is exact among points with the same activation pattern"),
      ],
      rows: zip(robustness.distanceSamples, distances.entries).prefix(Self.mostRows).map { j, e in
        .init([
          sampleCell(j), classCell(e.predicted), classCell(e.rival), cell(e.reached),
          cell(e.linear), .init(e.isExact ? "yes" : "no"),
        ])
      })
  }

  private func counterfactuals(_ robustness: RobustnessReport) -> [Block] {
    let n = DiagnosisSummary.number
    var cards: [Card] = []
    for (j, found) in zip(robustness.counterfactualSamples, robustness.counterfactuals) {
      let x = diagnosis.samples.input.column(j)
      let all = x + found.input
      let range = (all.min() ?? 0)...(all.max() ?? 1)
      let end = Matrix(column: found.output)
      let before = diagnosis.samples.logits.columns(j..<j + 1)
      var facts = [("distance", n(found.distance)), ("as wanted", found.isReached ? "yes" : "no")]
      if network.classCount != nil {
        let (a, b) = (network.classLogits(before), network.classLogits(end))
        facts.append(
          (
            "class",
            summary.className(a.largestRow(ofColumn: 0)) + " → "
              + summary.className(b.largestRow(ofColumn: 0))
          ))
      }
      let change = zip(found.input, x).map { $0 - $1 }
      let size = change.map(abs).max() ?? 0
      if images.shape != nil {
        cards += [
          Card(image: image(x, range: range), title: "Sample \(j)", link: "sample-\(j)"),
          Card(image: image(found.input, range: range), title: "changed", facts: facts),
          Card(
            image: image(change, range: -max(size, 1e-300)...max(size, 1e-300)), title: "change",
            facts: [("largest", n(size))]),
        ]
      } else {
        let most = change.indices.sorted { abs(change[$0]) > abs(change[$1]) }.prefix(3)
        cards.append(
          Card(
            title: "Sample \(j)",
            facts: facts + most.map { ("x[\($0)]", "\(n(x[$0])) → \(n(found.input[$0]))") },
            link: "sample-\(j)"))
      }
    }
    return [
      .heading("Counterfactuals"),
      .paragraph(
        "The input is set free with its own value as a weak prior, and the outputs are pinned: pins act backwards through the sheaf. What comes out is the least change to first order; whether the network then gives what was wanted is said."
      ),
      .gallery(cards),
    ]
  }

  var changeBlocks: [Block] {
    if diagnosis.unchanged != nil { return [.paragraph("The outputs are the reference's.")] }
    guard let change = diagnosis.change else { return [] }
    let n = DiagnosisSummary.number
    return [
      .facts(
        [
          (
            "Outputs differ by",
            Inline(
              DiagnosisSummary.percent(change.difference.relative)
                + " (root mean square, of the larger)")
          )
        ]
          + (change.test.map {
            [("p that no layer is off by more than the others", Inline(n($0.pValue)))]
          } ?? [])),
      .table(
        DataTable(
          id: "layers", caption: "Layers, the suspect first",
          columns: [
            .init("layer"),
            .init(
              "stiffness score", .number,
              explanation: "the share of the differences that noise of the layer explains"),
          ],
          rows: change.ranking.entries.map {
            .init([.init($0.layer, link: "stalk-\($0.layer)"), cell($0.stiffness)])
          }, shown: 40)),
    ]
      + (change.ranking.doubts.isEmpty
        ? []
        : [.paragraph("The answer is weak:"), .list(change.ranking.doubts.map { Inline($0) })])
  }

  var differenceBlocks: [Block] {
    guard let difference = diagnosis.difference else { return [] }
    let n = DiagnosisSummary.number
    var facts: [(String, Inline)] = [
      (
        "Outputs differ by",
        Inline(DiagnosisSummary.percent(difference.relative) + " of the size of this one's")
      )
    ]
    if network.classCount != nil {
      facts.append(
        ("Samples in different classes", "\(difference.disagreements.count) of \(summary.count)"))
    }
    if let right = difference.onlyRight {
      facts += [
        ("Only this one is right on", "\(right.own.count)"),
        ("Only the other on", "\(right.other.count)"),
        ("p that neither is right more often", Inline(n(difference.pValue))),
      ]
    }
    var blocks: [Block] = [.facts(facts)]
    let (rows, columns) = (difference.alignment.rows, difference.alignment.columns)
    blocks.append(
      plot(
        "Alignment of the stalks of this network (across) with those of the other (up).",
        "Heat map of alignments.", aspect: 0.85,
        [
          Panel(
            x: Axis(
              "this",
              ticks: difference.stalks.own.enumerated().map {
                Axis.Tick(Double($0.offset), network.vertices[$0.element].name)
              }),
            y: Axis("other"), colourLabel: "alignment",
            layers: [
              .heatMap(
                x: (0..<rows).map(Double.init), y: (0..<columns).map(Double.init),
                values: (0..<columns).flatMap { k in (0..<rows).map { difference.alignment[$0, k] }
                },
                range: 0...1)
            ])
        ]))
    if !difference.layers.isEmpty {
      blocks.append(
        .table(
          DataTable(
            id: "layer-differences", caption: "Layers on the other network's activations",
            columns: [
              .init("layer"),
              .init(
                "discrepancy", .number,
                explanation:
                  "how far what the layer gives is from the other's, relative to its size"),
            ],
            rows: difference.layers.map {
              .init([.init($0.name, link: "stalk-\($0.name)"), cell($0.discrepancy)])
            }, shown: 40)))
    }
    if !difference.disagreements.isEmpty {
      blocks.append(
        .table(
          DataTable(
            id: "disagreements", caption: "Samples in different classes",
            columns: [.init("sample", .number)]
              + (diagnosis.samples.classes == nil ? [] : [.init("given")])
              + [.init("this"), .init("the other")],
            rows: difference.disagreements.prefix(Self.mostRows).map { j in
              .init(
                [sampleCell(j)] + (diagnosis.samples.classes.map { [classCell($0[j])] } ?? []) + [
                  classCell(difference.predicted[j].own),
                  classCell(difference.predicted[j].other),
                ])
            })))
    }
    return blocks
  }
}
