import Figures
import LinearAlgebra

/// The loops of digits as bars of persistent cohomology: a table of holes, and what it adds to pixels.
enum DigitLoopsApplication {
  /// A bar as long as this, a quarter of the range, counts as a loop.
  static let loop = 4.0

  /// The report.
  ///
  /// - Parameter seeds: so many times five folds are drawn.
  static func report(seeds: Int) throws -> ApplicationReport {
    let squares = try DigitBars(.cubes)
    let vertices = try DigitBars(.vertices)
    let sheet = try scores(squares, vertices, seeds: seeds)
    var report = ApplicationReport(
      "Loops of digits: how many holes does a digit have, and does that help to read it?")
    report.numbers = sheet.numbers.merging(numbers(squares, vertices)) { $1 }
    report.tables = [
      loopTable(squares), areaTable(squares, vertices), accuracyTable(sheet, seeds),
    ]
    report.figures = [("digit-loops", figure(squares))]
    report.remarks = [
      "Chance is 0.10. Pixels do nearly all: bars without places cannot tell 6 from 9, nor 1 from 5.",
      "Pixels with topology minus pixels: \(sheet.comparison("pixels and squares", "pixels")) (squares), "
        + "\(sheet.comparison("pixels and vertices", "pixels")) (vertices); with the bars of another image "
        + "\(sheet.comparison("pixels and vertices of another image", "pixels")).",
      "As squares pixels join over corners and a thin loop stays closed: better for loops. As vertices they add more to pixels.",
    ]
    return report
  }

  /// Accuracies on five folds by the names of the features.
  static func scores(
    _ squares: DigitBars, _ vertices: DigitBars, seeds: Int
  ) throws -> ScoreSheet {
    let (a, b) = (DigitFeatures.topology(squares), DigitFeatures.topology(vertices))
    var generator = SplitMix64(seed: 4)
    let other = b.columns(generator.shuffled(b.columns))
    let pixels = squares.images
    func beside(_ list: [Matrix]) -> Matrix { Matrix(stacking: list, columns: pixels.columns) }
    let sets: [(String, Matrix)] = [
      ("pixels", pixels), ("squares", a), ("vertices", b),
      ("pixels and squares", beside([pixels, a])), ("pixels and vertices", beside([pixels, b])),
      ("pixels and vertices of another image", beside([pixels, other])),
    ]
    var sheet = ScoreSheet()
    for seed in 0..<seeds {
      for (name, features) in sets {
        sheet.add(name, try DigitFeatures.accuracy(features, squares.classes, seed: seed))
      }
    }
    return sheet
  }

  /// What the loops of a class are like.
  struct Loops {
    let longest: [Double]
    let second: [Double]
    /// The shares of images with exactly one loop, and with more.
    let one: Double
    let more: Double

    init(_ bars: DigitBars, _ digit: Int) {
      longest = bars.values(bars.loopLengths(0), of: [digit])
      second = bars.values(bars.loopLengths(1), of: [digit])
      let counts = zip(longest, second).map { ($0 >= loop ? 1 : 0) + ($1 >= loop ? 1 : 0) }
      one = Double(counts.count { $0 == 1 }) / Double(counts.count)
      more = Double(counts.count { $0 == 2 }) / Double(counts.count)
    }
  }

  /// Pairs of classes, and the loop, longest or second, that is to tell them apart.
  private static let contests: [(name: String, k: Int, negative: [Int], positive: [Int])] =
    [0, 6, 8, 9, 4].map { ("\($0) against 1", 0, [1], [$0]) } + [
      ("0, 6, 8, 9 against 1, 2, 3, 5, 7", 0, [1, 2, 3, 5, 7], [0, 6, 8, 9]),
      ("8 against 0, second loop", 1, [0], [8]),
    ]

  private static func numbers(_ squares: DigitBars, _ vertices: DigitBars) -> [String: Double] {
    var result: [String: Double] = [:]
    for digit in 0..<10 {
      let loops = Loops(squares, digit)
      result["\(digit), longest loop"] = ReportText.mean(loops.longest)
      result["\(digit), s.d. of the longest loop"] = ReportText.deviation(loops.longest)
      result["\(digit), median of the longest loop"] = Ranking.quantile(loops.longest, 0.5)
      result["\(digit), second loop"] = ReportText.mean(loops.second)
      result["\(digit), one loop"] = loops.one
      result["\(digit), two loops"] = loops.more
    }
    for (name, k, negative, positive) in contests {
      for (kind, bars) in [("squares", squares), ("vertices", vertices)] {
        result["\(name), \(kind)"] = bars.areaUnderROC(k, negative, positive)
      }
    }
    return result
  }

  private static func loopTable(_ bars: DigitBars) -> ApplicationReport.Table {
    let rows = (0..<10).map { digit in
      let loops = Loops(bars, digit)
      return [
        "\(digit)", ReportText.spread(loops.longest, 1),
        ReportText.fixed(Ranking.quantile(loops.longest, 0.5), 0),
        ReportText.fixed(ReportText.mean(loops.second), 1), ReportText.fixed(loops.one, 2),
        ReportText.fixed(loops.more, 2),
      ]
    }
    return .init(
      "Loops by class, pixels as squares, lengths of 0 to 16",
      [["class", "longest", "median", "second", "one ≥ 4", "two ≥ 4"]] + rows)
  }

  private static func areaTable(
    _ squares: DigitBars, _ vertices: DigitBars
  ) -> ApplicationReport.Table {
    let rows = contests.map { name, k, negative, positive in
      [name]
        + [squares, vertices].map {
          ReportText.fixed($0.areaUnderROC(k, negative, positive), 3)
        }
    }
    return .init(
      "AUROC of the longest loop", [["classes", "squares", "vertices"]] + rows)
  }

  private static func accuracyTable(_ sheet: ScoreSheet, _ seeds: Int) -> ApplicationReport.Table {
    let names = sheet.scores.keys.sorted { (sheet.mean($1), $0) < (sheet.mean($0), $1) }
    let rows = names.map {
      [$0, sheet.text($0), $0 == "pixels" ? "" : sheet.comparison($0, "pixels")]
    }
    return .init(
      "Accuracy of a regression on five folds, \(seeds) seeds",
      [["features", "accuracy", "minus pixels"]] + rows)
  }
}

extension Application {
  /// Loops of handwritten digits.
  static let digitLoops = Application(
    name: "digit-loops", summary: "how many holes a handwritten digit has",
    run: { try DigitLoopsApplication.report(seeds: $0) })
}
