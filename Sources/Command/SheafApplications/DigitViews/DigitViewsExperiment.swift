import Distributions
import LinearAlgebra

/// Five views of the digits of one split: their classifiers, the sheaf on their nerve, and what corruption of one view does.
struct DigitViewsExperiment {
  let split: DigitSplit
  let windows: DigitWindows
  /// Cross-validated logits of the training samples (5 folds, by place modulo 5).
  let training: [Matrix]
  let sheaf: ViewSheaf
  let corrupted: CorruptedViews
  /// Logits of the test samples.
  let logits: [CorruptedViews.Kind: [Matrix]]

  init(_ split: DigitSplit, _ windows: DigitWindows, seed: Int) throws {
    (self.split, self.windows) = (split, windows)
    var (training, models) = ([Matrix](), [SoftmaxRegression]())
    for pixels in windows.pixels {
      let x = split.training.rows(pixels)
      var out = Matrix(rows: 10, columns: x.columns)
      for fold in 0..<5 {
        let (held, rest) = Folds.split(x.columns, fold, of: 5)
        let model = try SoftmaxRegression(
          x.columns(rest), classes: rest.map { split.trainingClasses[$0] })
        out.scatterColumns(held, from: Logits.centred(model(x.columns(held))))
      }
      training.append(out)
      models.append(try SoftmaxRegression(x, classes: split.trainingClasses))
    }
    self.training = training
    sheaf = try ViewSheaf(training, pairs: windows.pairs)
    let corrupted = CorruptedViews(split.test, split.testClasses, seed: seed)
    self.corrupted = corrupted
    logits = Dictionary(
      uniqueKeysWithValues: CorruptedViews.Kind.allCases.map { kind in
        (
          kind,
          windows.pixels.enumerated().map { v, pixels in
            Logits.centred(models[v](corrupted.pixels(pixels, view: v, kind)))
          }
        )
      })
  }

  /// What is flagged by a discrepancy: D_v > q_v, its quantile at 0.998 of the training samples, for some v; then the view
  /// with the largest D_v/q_v. Nil for the other samples.
  func flagged(_ discrepancies: Matrix, thresholds: [Double]) -> [Int?] {
    (0..<discrepancies.columns).map { j in
      let ratios = thresholds.indices.map { discrepancies[$0, j] / thresholds[$0] }
      let largest = ratios.indices.reduce(0) { ratios[$1] > ratios[$0] ? $1 : $0 }
      return ratios[largest] > 1 ? largest : nil
    }
  }

  /// q_v of each view.
  func thresholds(_ kind: ViewSheaf.Discrepancy) throws -> [Double] {
    let d = try sheaf.discrepancies(training, kind)
    return (0..<d.rows).map { v in
      Ranking.quantile((0..<d.columns).map { d[v, $0] }, 0.998)
    }
  }

  private func accuracy(_ classes: [Int]) -> Double {
    Ranking.agreement(classes, split.testClasses)
  }

  /// Adds all scores; names begin with `prefix`.
  func scores(into sheet: inout ScoreSheet, seed: Int, prefix: String = "") throws {
    let fusion = try ViewFusion(training, split.trainingClasses, seed: seed)
    sheet.add("\(prefix)C of the stacking", fusion.stackingC)
    for kind in CorruptedViews.Kind.allCases {
      for (rule, classes) in try fusion.classes(logits[kind]!) {
        sheet.add("\(prefix)\(kind): \(rule)", accuracy(classes))
      }
    }
    for (v, l) in logits[.clean]!.enumerated() {
      sheet.add("\(prefix)clean: view \(v) alone", accuracy(l.largestRows))
    }
    for kind in ViewSheaf.Discrepancy.allCases {
      try detection(kind, fusion, into: &sheet, prefix)
    }
    let views = corrupted.views.map { Optional($0) }
    for kind in [CorruptedViews.Kind.swap, .noise] {
      let l = logits[kind]!
      sheet.add(
        "\(prefix)\(kind): repair of the corrupted view, stacking",
        accuracy(fusion.stacking(ViewFusion.flat(try sheaf.repaired(l, views))).largestRows))
      sheet.add(
        "\(prefix)\(kind): drop of the corrupted view, mean log-probability",
        accuracy(ViewFusion.mean(l, without: views).largestRows))
    }
  }

  private func detection(
    _ discrepancy: ViewSheaf.Discrepancy, _ fusion: ViewFusion, into sheet: inout ScoreSheet,
    _ prefix: String
  ) throws {
    let name = discrepancy.rawValue
    let limits = try thresholds(discrepancy)
    let clean = try sheaf.discrepancies(logits[.clean]!, discrepancy)
    if discrepancy == .harmonic || discrepancy == .joint {
      let chi = ChiSquaredDistribution(degreesOfFreedom: 9)
      sheet.add(
        "\(prefix)clean views with p < 0.01: \(name)",
        Double(clean.elements.count { chi.upperTail($0) < 0.01 }) / Double(clean.count))
    }
    for kind in CorruptedViews.Kind.allCases {
      let l = logits[kind]!
      let d = try sheaf.discrepancies(l, discrepancy)
      let flags = flagged(d, thresholds: limits)
      if kind == .clean {
        sheet.add(
          "\(prefix)clean, flagged: \(name)",
          Double(flags.count { $0 != nil }) / Double(flags.count))
      } else {
        sheet.add(
          "\(prefix)\(kind), top-1: \(name)", Ranking.agreement(d.largestRows, corrupted.views))
        sheet.add(
          "\(prefix)\(kind), flagged and right: \(name)",
          Ranking.agreement(flags.map { $0 ?? -1 }, corrupted.views))
        sheet.add(
          "\(prefix)\(kind), AUROC of samples: \(name)",
          Ranking.areaUnderROC(clean.columnMaxima, d.columnMaxima))
        var (good, bad) = ([Double](), [Double]())
        for j in 0..<d.columns {
          for v in 0..<d.rows {
            if v == corrupted.views[j] { bad.append(d[v, j]) } else { good.append(d[v, j]) }
          }
        }
        sheet.add("\(prefix)\(kind), AUROC of views: \(name)", Ranking.areaUnderROC(good, bad))
      }
      sheet.add(
        "\(prefix)\(kind): repair by \(name), stacking",
        accuracy(fusion.stacking(ViewFusion.flat(try sheaf.repaired(l, flags))).largestRows))
      sheet.add(
        "\(prefix)\(kind): drop by \(name), mean log-probability",
        accuracy(ViewFusion.mean(l, without: flags).largestRows))
    }
  }
}
