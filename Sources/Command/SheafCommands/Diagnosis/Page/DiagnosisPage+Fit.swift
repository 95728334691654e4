import Figures
import LinearAlgebra
import NetworkDiagnosis
import WebPages

/// Fit.
extension DiagnosisPage {
  var fitBlocks: [Block] {
    guard let fit = diagnosis.fit else { return [] }
    let n = DiagnosisSummary.number
    var facts: [(String, Inline)] = [("Mean loss", Inline(n(fit.loss)))]
    if let own = fit.classification {
      facts.append(("Accuracy", Inline(DiagnosisSummary.percent(own.accuracy))))
    }
    if let calibration = diagnosis.calibration {
      facts += [
        (
          "Expected calibration error", Inline(DiagnosisSummary.percent(calibration.expectedError))
        ),
        (
          "Mean confidence less accuracy",
          Inline(DiagnosisSummary.percent(calibration.overconfidence))
        ),
        ("p of labels drawn from the probabilities", Inline(n(calibration.pValue))),
        ("Temperature of least loss", Inline(n(calibration.temperature))),
      ]
    }
    var blocks: [Block] = [.facts(facts)]
    if let own = fit.classification { blocks.append(.table(confusion(own))) }
    if let calibration = diagnosis.calibration { blocks.append(reliability(calibration)) }
    if let explained = fit.explained, explained.count > 1 {
      blocks.append(
        .table(
          DataTable(
            id: "explained", caption: "The variance of each output that is explained",
            columns: [.init("output"), .init("R²", .number)],
            rows: explained.enumerated().prefix(Self.mostRows).map { i, r in
              .init([.init(network.coordinateName(i)), cell(r)])
            })))
    }
    blocks.append(.table(worst(fit)))
    return blocks
  }

  private func confusion(_ own: Classification) -> DataTable {
    let counts = own.confusion
    guard counts.rows <= 30 else { return mistakes(counts) }
    let most =
      (0..<counts.rows).flatMap { i in
        (0..<counts.columns).filter { $0 != i }.map { counts[i, $0] }
      }.max() ?? 0
    return DataTable(
      id: "confusion",
      caption: "Samples by the class given (rows) and the class predicted (columns)",
      columns: [.init("given")]
        + (0..<counts.columns).map { .init(summary.className($0), .number) },
      rows: (0..<counts.rows).map { i in
        .init(
          [.init(summary.className(i))]
            + (0..<counts.columns).map { k in
              let count = counts[i, k]
              // Mistakes are shaded; the diagonal would outshine them.
              return .init(
                "\(Int(count))", value: count,
                shade: i == k || count == 0 ? nil : count / max(most, 1))
            })
      }, shown: 100, isSortable: false)
  }

  /// Of many classes the pairs that are taken for each other most often.
  private func mistakes(_ counts: Matrix) -> DataTable {
    var pairs: [(given: Int, predicted: Int, count: Double)] = []
    for i in 0..<counts.rows {
      for k in 0..<counts.columns where i != k && counts[i, k] > 0 {
        pairs.append((i, k, counts[i, k]))
      }
    }
    pairs.sort { $0.count > $1.count }
    return DataTable(
      id: "confusion", caption: "The classes most often taken for others",
      columns: [.init("given"), .init("predicted"), .init("samples", .number)],
      rows: pairs.prefix(Self.mostRows).map {
        .init([classCell($0.given), classCell($0.predicted), cell($0.count)])
      })
  }

  private func reliability(_ calibration: Calibration) -> Block {
    let bins = calibration.bins.filter { $0.count > 0 }
    return plot(
      "Of the samples that get their class with a given confidence, the share that is right; on the dashed line confidence comes true.",
      "Reliability: accuracy against confidence in \(bins.count) bins.",
      [
        Panel(
          x: Axis("confidence", range: 0...1), y: Axis("accuracy", range: 0...1),
          layers: [
            .line(x: [0, 1], y: [0, 1], style: LineStyle(.muted, dash: .dashed)),
            .points(x: bins.map(\.confidence), y: bins.map(\.accuracy)),
            .line(x: bins.map(\.confidence), y: bins.map(\.accuracy), style: LineStyle(.series(0))),
          ])
      ])
  }

  private func worst(_ fit: Fit) -> DataTable {
    let listed = diagnosis.listedDiscord
    let own = fit.classification
    var columns: [DataTable.Column] = [.init("sample", .number), .init("loss", .number)]
    if own != nil {
      columns += [
        .init("given"), .init("predicted"),
        .init(
          "margin", .number,
          explanation: "the logit of the class given less the largest other"),
      ]
    }
    if listed != nil {
      if own != nil {
        columns.append(
          .init(
            "flip energy", .number,
            explanation:
              "the least discord that makes (negative) or breaks (positive) the decision for the class given"
          ))
      }
      columns.append(
        .init(
          "clamped energy", .number,
          explanation: "the energy of the equilibrium with the output clamped to what it should be")
      )
    }
    return DataTable(
      id: "worst", caption: "The samples of the largest loss", columns: columns,
      rows: diagnosis.worst.map { j in
        var cells = [sampleCell(j), cell(fit.losses[j])]
        if let own {
          cells += [classCell(own.given[j]), classCell(own.predicted[j]), cell(own.margins[j])]
        }
        if let listed {
          let k = listed.samples.firstIndex(of: j)
          if own != nil { cells.append(cell(k.map { listed.flipEnergies[$0] })) }
          cells.append(cell(k.map { listed.energies[$0] }))
        }
        return .init(id: "worst-\(j)", cells)
      })
  }
}
