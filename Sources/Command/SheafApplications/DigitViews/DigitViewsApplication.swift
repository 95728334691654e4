import Figures
import LinearAlgebra

/// Five classifiers that each see a part of an image: which of them has seen another image, and what would it have said?
enum DigitViewsApplication {
  /// The scores over so many splits; those of disjoint views begin with "disjoint, ".
  static func scores(seeds: Int) throws -> ScoreSheet {
    var sheet = ScoreSheet()
    for seed in 0..<seeds {
      let split = DigitSplit(seed: seed)
      try DigitViewsExperiment(split, .overlapping, seed: seed).scores(into: &sheet, seed: seed)
      let whole = try SoftmaxRegression(split.training, classes: split.trainingClasses)
      sheet.add(
        "clean: one regression on all pixels",
        Ranking.agreement(whole(split.test).largestRows, split.testClasses))
      try DigitViewsExperiment(split, .disjoint, seed: seed)
        .scores(into: &sheet, seed: seed, prefix: "disjoint, ")
    }
    return sheet
  }

  /// The report over so many splits.
  static func report(seeds: Int) throws -> ApplicationReport {
    let sheet = try scores(seeds: seeds)
    var report = ApplicationReport(
      "Five views of digits: which of them is corrupted, and what would it have said?")
    report.numbers = sheet.numbers
    report.tables = [
      accuracyTable(sheet, "", "Accuracy, one of five views corrupted"),
      detectionTable(sheet, "", "Which view is corrupted"), areaTable(sheet, ""),
      accuracyTable(sheet, "disjoint, ", "Accuracy, views without common pixels"),
      detectionTable(sheet, "disjoint, ", "Which view is corrupted, views without common pixels"),
    ]
    report.figures = [("digit-views", try figure(sheet))]
    report.remarks = remarks(sheet)
    return report
  }

  private static func accuracyTable(
    _ sheet: ScoreSheet, _ prefix: String, _ title: String
  ) -> ApplicationReport.Table {
    let kinds = CorruptedViews.Kind.allCases.map(\.rawValue)
    var rules: Set<String> = []
    for name in sheet.scores.keys {
      for kind in kinds where name.hasPrefix("\(prefix)\(kind): ") {
        rules.insert(String(name.dropFirst("\(prefix)\(kind): ".count)))
      }
    }
    func score(_ rule: String) -> Double {
      let swap = sheet.mean("\(prefix)swap: \(rule)")
      return swap.isNaN ? sheet.mean("\(prefix)clean: \(rule)") - 1 : swap
    }
    let rows = rules.sorted { (score($1), $0) < (score($0), $1) }.map { rule in
      [rule]
        + kinds.map {
          let name = "\(prefix)\($0): \(rule)"
          return sheet.scores[name] == nil ? "" : sheet.text(name)
        }
    }
    return .init(title, [["fusion"] + kinds] + rows)
  }

  private static func detectionTable(
    _ sheet: ScoreSheet, _ prefix: String, _ title: String
  ) -> ApplicationReport.Table {
    let columns = [
      "swap, top-1", "noise, top-1", "swap, flagged and right", "noise, flagged and right",
      "clean, flagged",
    ]
    return table(sheet, prefix, title, columns)
  }

  private static func areaTable(_ sheet: ScoreSheet, _ prefix: String) -> ApplicationReport.Table {
    table(
      sheet, prefix, "AUROC of images by their largest discrepancy, of views by their own",
      ["swap", "noise"].flatMap { ["\($0), AUROC of samples", "\($0), AUROC of views"] })
  }

  private static func table(
    _ sheet: ScoreSheet, _ prefix: String, _ title: String, _ columns: [String]
  ) -> ApplicationReport.Table {
    let rows = ViewSheaf.Discrepancy.allCases.map { kind in
      [kind.rawValue] + columns.map { sheet.text("\(prefix)\($0): \(kind.rawValue)") }
    }
    return .init(title, [["discrepancy"] + columns] + rows)
  }

  private static func remarks(_ sheet: ScoreSheet) -> [String] {
    [
      "Least squares to a class vertex is right in \(sheet.text("clean: least squares to a class vertex")) of clean samples, the mean "
        + "log-probability in \(sheet.text("clean: mean log-probability")), stacking in \(sheet.text("clean: stacking")): the gain of the "
        + "sheaf is to detect and to repair.",
      "A corrupted view raises the discrepancies of its neighbours: point at the largest of a sample, do not compare views of "
        + "different samples.",
      "Without common pixels the edges hold little: the right view is first in "
        + "\(sheet.text("disjoint, swap, top-1: edge sum")) of the swaps.",
      "The level of χ²₉ is not met: p < 0.01 for \(sheet.text("clean views with p < 0.01: harmonic")) of clean views (harmonic) and "
        + "\(sheet.text("clean views with p < 0.01: joint")) (joint); the thresholds are quantiles of the training samples.",
      "One corrupted view of five was tried, not more.",
    ]
  }
}

extension Application {
  /// Five classifiers of parts of an image.
  static let digitViews = Application(
    name: "digit-views", summary: "which of five classifiers has seen another image",
    run: { try DigitViewsApplication.report(seeds: $0) })
}
