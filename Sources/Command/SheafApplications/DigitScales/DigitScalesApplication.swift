import Figures
import Foundation

/// Noise taken off digits at 8 × 8, seen at 4 × 4 and 2 × 2 as well.
enum DigitScalesApplication {
  /// The report over so many draws of noise.
  static func report(seeds: Int) throws -> ApplicationReport {
    let experiment = try DigitScalesExperiment()
    let sheet = try experiment.scores(seeds: seeds)
    var report = ApplicationReport(
      "Noise taken off digits by wavelets of a tree of pixels and by sheaves, at three scales")
    report.numbers = sheet.numbers
    let methods = DigitScalesExperiment.Method.allCases
    report.tables = [
      .init(
        "PSNR in dB, noise of standard deviation σ, values 0 … 16",
        [["method", "σ = 2", "σ = 4", "σ = 6"]]
          + methods.map { method in
            [method.name]
              + [2, 4, 6].map {
                ReportText.spread(sheet.scores["σ = \($0): \(method.name)"]!, 2)
              }
          }),
      .init(
        "Root mean square error of means of pixels, σ = 4",
        [["method", "8 × 8", "4 × 4", "2 × 2"]]
          + methods.map { method in
            [method.name]
              + [8, 4, 2].map {
                ReportText.fixed(sheet.mean("σ = 4, \($0) × \($0): \(method.name)"), 3)
              }
          }),
      .init(
        "Width of the Gaussian filter, the best on training images",
        [["σ", "width in pixels"]]
          + [2.0, 4, 6].map {
            [ReportText.fixed($0, 0), ReportText.fixed(experiment.filterWidth(noise: $0), 2)]
          }),
    ]
    report.figures = [("digit-scales", try figure(experiment, sheet))]
    report.remarks = remarks(sheet)
    return report
  }

  private static func remarks(_ sheet: ScoreSheet) -> [String] {
    func at4(_ method: DigitScalesExperiment.Method) -> String {
      ReportText.fixed(sheet.mean("σ = 4: \(method.name)"), 2)
    }
    return [
      "The full covariance is the best linear estimate (\(at4(.covariance)) dB at σ = 4) and no single sheaf beats it: a sheaf field has "
        + "\(at4(.field)), learned sections \(at4(.sections(1))), with stalks ℝ² \(at4(.sections(2))), ℝ⁴ \(at4(.sections(4))), "
        + "ℝ⁸ \(at4(.sections(8))). Wider stalks close the gap, and ℝ⁶⁴ is the full covariance.",
      "What is not linear wins: ten Gaussians, one for each class, \(at4(.mixture)); ten sheaf fields \(at4(.fieldMixture)), with a "
        + "quarter of their numbers.",
      "What knows no digits: BayesShrink with shifts \(at4(.haarBayes)), a Gaussian filter \(at4(.gaussianFilter)); strokes of 8 × 8 "
        + "pixels are not sparse in Haar's basis. Scripts/compare-denoising has non-local means, total variation and scikit-image's "
        + "wavelets for the same noise.",
      "The order of methods is not the same at all scales: a sheaf field is ahead of stalks ℝ² at 8 × 8 and behind stalks ℝ at 4 × 4. "
        + "The full covariance is the best linear one at all of them.",
      "Clipping to 0 … 16 gives .3 dB to the linear estimates; the optimum is meant before it, and for the training images.",
    ]
  }
}

extension Application {
  /// Noise taken off digits at three scales.
  static let digitScales = Application(
    name: "digit-scales", summary: "noise taken off digits by wavelets of a tree of pixels",
    run: { try DigitScalesApplication.report(seeds: $0) })
}
