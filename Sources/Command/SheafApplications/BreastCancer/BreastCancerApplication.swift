import Datasets
import Figures
import Foundation
import LinearAlgebra

/// Three groups of features of a tumour as three sensors of one patient: is the tumour malignant, what would a missing sensor
/// say, and which sensor is faulty?
enum BreastCancerApplication {
  /// The scores over so many splits.
  static func scores(seeds: Int) throws -> ScoreSheet {
    let data = BreastCancer.load()
    var sheet = ScoreSheet()
    for seed in 0..<seeds {
      for isLogarithmic in [false, true] {
        let split = SensorSplit(data, seed: seed, isLogarithmic: isLogarithmic)
        let scores = try BreastCancerScores(split)
        let kind = isLogarithmic ? "log" : "raw"
        sheet.add("\(kind): factors", Double(scores.hub.factors.loadings.columns))
        try scores.malignancy(into: &sheet, prefix: "\(kind) AUROC")
        try scores.recovery(into: &sheet, prefix: "\(kind) R²")
        try scores.fusion(into: &sheet, prefix: "\(kind) fusion", seed: seed)
        if isLogarithmic { try scores.fault(into: &sheet, seed: seed) }
      }
    }
    return sheet
  }

  /// The report over so many splits.
  static func report(seeds: Int) throws -> ApplicationReport {
    let sheet = try scores(seeds: seeds)
    var report = ApplicationReport(
      "Breast cancer as three sensors: is it malignant, what would a missing sensor say, which is faulty?"
    )
    report.numbers = sheet.numbers
    report.tables = [
      faultTable(sheet), recoveryTable(sheet, "log"), fusionTable(sheet), malignancyTable(sheet),
      recoveryTable(sheet, "raw"),
    ]
    report.figures = [("breast-cancer", try figure(sheet))]
    report.remarks = remarks(sheet)
    return report
  }

  private static func names(_ sheet: ScoreSheet, _ prefix: String, ascending: Bool = false)
    -> [String]
  {
    sheet.scores.keys.filter { $0.hasPrefix(prefix) }.map { String($0.dropFirst(prefix.count)) }
      .sorted {
        let (a, b) = (sheet.mean(prefix + $0), sheet.mean(prefix + $1))
        return a == b ? $0 < $1 : (a < b) == ascending
      }
  }

  private static func faultTable(_ sheet: ScoreSheet) -> ApplicationReport.Table {
    let rows = names(sheet, "top-1: ").map {
      [$0, sheet.text("top-1: \($0)"), sheet.text("fault AUROC: \($0)")]
    }
    return .init(
      "Which sensor is faulty (one of each benign test row replaced by another patient's; logarithms)",
      [["statistic", "right sensor first", "AUROC of clean against faulty rows"]] + rows)
  }

  private static func recoveryTable(
    _ sheet: ScoreSheet, _ kind: String
  ) -> ApplicationReport.Table {
    let columns = [
      "pair sheaf, identity", "pair sheaf, Procrustes", "pair sheaf, canonical", "hub sheaf",
      "ridge from the other 20",
    ]
    var rows = [["missing"] + columns]
    for group in ["benign", "malignant"] {
      for sensor in SensorSplit.sensors {
        rows.append(
          ["\(sensor), \(group)"]
            + columns.map { sheet.text("\(kind) R², \(sensor), \(group): \($0)") })
      }
    }
    return .init(
      "A missing sensor from the other two, R² ("
        + (kind == "log" ? "logarithms" : "features as they are") + ")", rows)
  }

  private static func fusionTable(_ sheet: ScoreSheet) -> ApplicationReport.Table {
    let rows = names(sheet, "log fusion: ", ascending: true).map {
      [$0, sheet.text("log fusion: \($0)"), sheet.text("raw fusion: \($0)")]
    }
    return .init(
      "Values behind readings with errors of standard deviation ½, root mean square error",
      [["estimate", "logarithms", "features as they are"]] + rows)
  }

  private static func malignancyTable(_ sheet: ScoreSheet) -> ApplicationReport.Table {
    let rows = names(sheet, "raw AUROC: ").map {
      [$0, sheet.text("raw AUROC: \($0)"), sheet.text("log AUROC: \($0)")]
    }
    return .init(
      "Malignant or benign, learnt from benign rows, AUROC",
      [["statistic", "features as they are", "logarithms"]] + rows)
  }

  private static func remarks(_ sheet: ScoreSheet) -> [String] {
    let canonical = "raw AUROC: sheaf, canonical"
    return [
      "Malignancy is size, not disagreement: AUROC of the canonical sheaf minus that of the squared norm of \"worst\" is "
        + sheet.comparison(canonical, "raw AUROC: squared norm of \"worst\"")
        + "; minus that of Mahalanobis \(sheet.comparison(canonical, "raw AUROC: Mahalanobis")).",
      "A faulty sensor's readings are off by \(sheet.text("faulty sensor, RMSE as read")) as read and by "
        + "\(sheet.text("faulty sensor, RMSE after extension")) after harmonic extension from the other two.",
      "A tumour looks like a fault: the largest D is above the 99 % quantile of the training rows in "
        + "\(sheet.text("above the limit: clean")) of clean benign rows, \(sheet.text("above the limit: faulty")) of faulty and "
        + "\(sheet.text("above the limit: malignant")) of malignant ones.",
      "Edges have a direction: canonical maps extended against it, from \"error\" and \"worst\" to \"mean\", give R² = "
        + "\(sheet.text("log R², mean, benign: pair sheaf, canonical, all edges u < v")).",
      "The level of χ²₁₀ is not met: \(sheet.text("clean sensors with p < 0.01")) of clean sensors have p < 0.01; take quantiles "
        + "of the training rows.",
      "Factors of the hub: \(sheet.text("log: factors")) (the most that were offered are 18).",
    ]
  }
}

extension Application {
  /// Three groups of features of a tumour as sensors.
  static let breastCancer = Application(
    name: "breast-cancer", summary: "which of three sensors of a patient is faulty",
    run: { try BreastCancerApplication.report(seeds: $0) })
}
