import Figures
import LinearAlgebra

extension ProteinFlexibility {
  /// The report.
  ///
  /// - Parameter permutations: of the B-factors, to see what r is worth.
  static func report(permutations: Int) throws -> ApplicationReport {
    let study = try ProteinFlexibility()
    var report = ApplicationReport(
      "Ubiquitin: which residues move, told by spectra of a sheaf on the places of their atoms?")
    let null = (0..<permutations).map { study.permuted(0, seed: $0) }
    report.tables = [study.predictorTable(&report.numbers), study.contestTable(&report.numbers)]
    report.numbers["permuted, mean"] = ReportText.mean(null)
    report.numbers["permuted, largest"] = null.max() ?? .nan
    report.figures = [("protein-flexibility", study.figure())]
    report.remarks = [
      "One protein, and differences whose intervals contain 0: no gain over an elastic network or the distance from the centroid "
        + "is claimed.",
      "Most of every r is the loose end, residues 72 to 76 (B = 33, 40, 30, 40, 40). Without the last four the features of the sheaf "
        + "say nothing, and the anisotropic network with 15 Å is best.",
      "The spectrum knows |q| only, and the mean of its positive eigenvalues is a weighted number of contacts: the charge in the "
        + "middle adds nothing to charges 1.",
      "\(permutations) permutations of the B-factors: r of the sheaf \(ReportText.fixed(ReportText.mean(null), 2)) in the mean, at most "
        + "\(ReportText.fixed(null.max() ?? .nan, 2)).",
    ]
    return report
  }

  private func predictorTable(_ numbers: inout [String: Double]) -> ApplicationReport.Table {
    var rows = [["predictor", "features", "r, all 76", "RMSE, Å²", "r, residues 1–72"]]
    for (k, predictor) in predictors.enumerated() {
      let (all, core) = correlations(k)
      let count = Self.featureCount(predictor)
      rows.append([
        predictor.name, count > 1 ? "≤ 3 of \(count)" : "1", ReportText.fixed(all, 3),
        ReportText.fixed(error(k), 2), ReportText.fixed(core, 3),
      ])
      numbers["\(predictor.name), r"] = all
      numbers["\(predictor.name), RMSE"] = error(k)
      numbers["\(predictor.name), r without the end"] = core
    }
    return .init("B-factors, each residue by all others", rows)
  }

  private func contestTable(_ numbers: inout [String: Double]) -> ApplicationReport.Table {
    var rows = [["r of the sheaf minus that of", "difference", "95 % of 2,000 draws"]]
    for k in [1, 3, 4] {
      let name = predictors[k].name
      let (low, _, high) = bootstrap(0, k)
      let difference = correlations(0).all - correlations(k).all
      rows.append([
        name, ReportText.fixed(difference, 3),
        "\(ReportText.fixed(low, 3)) … \(ReportText.fixed(high, 3))",
      ])
      numbers["minus \(name), low"] = low
      numbers["minus \(name), high"] = high
    }
    return .init("Is the sheaf better?", rows)
  }

  /// B-factors and predictions along the chain, and r with and without the loose end.
  private func figure() -> Figure {
    let residues = factors.indices.map { Double($0 + 1) }
    let shown: [(Int, Colour)] = [(0, .series(1)), (4, .series(0)), (3, .series(2))]
    let curves = Panel(
      "Each residue predicted by all others",
      x: Axis("residue", range: 0...77), y: Axis("B-factor, Å²"), legend: .topLeft,
      layers: [
        .line(
          x: residues, y: factors, label: "measured",
          style: LineStyle(.ink, dash: .solid, width: 1.4))
      ]
        + shown.map { k, colour in
          .line(
            x: residues, y: predictions[k], label: predictors[k].name,
            style: LineStyle(colour, dash: .solid, width: 0.9))
        })
    let list = [0, 1, 3, 4, 6, 8]
    let bars = Panel(
      "Pearson's r with the measured ones", y: Axis("r", range: -0.2...1), legend: .below,
      layers: [
        .bars(
          categories: ["sheaf", "charges 1", "centroid", "GNM 8", "all pairs", "ANM 15"],
          series: [
            .init("all 76 residues", list.map { correlations($0).all }),
            .init("residues 1–72", list.map { correlations($0).core }),
          ]),
        .horizontalMark(y: 0),
      ])
    return Figure(columns: 1, width: .page, aspect: 0.36, panels: [curves, bars])
  }
}

extension Application {
  /// The B-factors of a protein.
  static let proteinFlexibility = Application(
    name: "protein-flexibility", summary: "which residues of ubiquitin move",
    run: { try ProteinFlexibility.report(permutations: $0) })
}
