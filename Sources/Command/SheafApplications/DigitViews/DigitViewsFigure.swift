import CellularSheaves
import Figures
import Foundation
import LinearAlgebra

extension DigitViewsApplication {
  /// A digit with its five windows, the same with one window from another image, what the edges of the nerve say of it, and how
  /// fusions bear corruption. The image is of the first split.
  static func figure(_ sheet: ScoreSheet) throws -> Figure {
    let experiment = try DigitViewsExperiment(DigitSplit(seed: 0), .overlapping, seed: 0)
    let logits = experiment.logits[.swap]!
    let flags = experiment.flagged(
      try experiment.sheaf.discrepancies(logits, .edgeSum),
      thresholds: try experiment.thresholds(.edgeSum))
    // The first image whose swapped view is found and turns the mean of the views to another class.
    let named = ViewFusion.mean(logits).largestRows
    let image =
      flags.indices.first {
        flags[$0] == experiment.corrupted.views[$0]
          && named[$0] != experiment.split.testClasses[$0]
      } ?? 0
    let view = experiment.corrupted.views[image]
    let donor = experiment.corrupted.donors[image]
    let classes = experiment.split.testClasses
    var seen = experiment.split.test.column(image)
    for pixel in experiment.windows.pixels[view] {
      seen[pixel] = experiment.split.test[pixel, donor]
    }
    return Figure(
      columns: 2, width: .page, aspect: 0.78,
      panels: [
        picture(
          "A \(classes[image]) and its five views", experiment.split.test.column(image),
          Array(experiment.windows.pixels.indices)),
        picture("View \(view) sees a \(classes[donor])", seen, [view]),
        try nerve(experiment, image), bars(sheet),
      ])
  }

  /// Pixels from the upper left corner on, with the outlines of some windows.
  private static func picture(_ title: String, _ pixels: [Double], _ views: [Int]) -> Panel {
    let places = (0..<8).map { Double($0) }
    let values = (0..<8).reversed().flatMap { i in (0..<8).map { pixels[8 * i + $0] } }
    var layers: [Layer] = [
      .heatMap(x: places, y: places, values: values, range: 0...1)
    ]
    let corners: [(row: Double, column: Double, size: Double)] = [
      (0, 0, 5), (0, 3, 5), (3, 0, 5), (3, 3, 5), (2, 2, 4),
    ]
    for v in views {
      let (row, column, size) = corners[v]
      // A little inside, so that outlines do not cover each other.
      let inset = v == 4 ? 0.06 : 0.04 + 0.08 * Double(v)
      let (left, right) = (column - 0.5 + inset, column + size - 0.5 - inset)
      let (top, bottom) = (7.5 - row - inset, 7.5 - row - size + inset)
      layers.append(
        .line(
          x: [left, right, right, left, left], y: [top, top, bottom, bottom, top],
          style: LineStyle(.series([1, 4, 5, 2, 3][v]), dash: .solid, width: 2)))
    }
    return Panel(
      title, x: Axis(range: -0.5...7.5, ticks: []), y: Axis(range: -0.5...7.5, ticks: []),
      colourLabel: "ink", layers: layers)
  }

  /// K₅ with edges as wide as their energy; those above the 99 % quantile of the training samples in colour.
  private static func nerve(_ experiment: DigitViewsExperiment, _ image: Int) throws -> Panel {
    let sheaf = experiment.sheaf
    let training = sheaf.sheaf.edgeEnergies(sheaf.coordinates(experiment.training))
    let energies = sheaf.sheaf.edgeEnergies(sheaf.coordinates(experiment.logits[.swap]!))
    let places = [(-1.0, 1.0), (1.0, 1.0), (-1.0, -1.0), (1.0, -1.0), (0.25, 0.0)]
    var layers: [Layer] = []
    for (e, (u, v)) in experiment.windows.pairs.enumerated() {
      let limit = Ranking.quantile((0..<training.columns).map { training[e, $0] }, 0.99)
      let ratio = energies[e, image] / limit
      layers += Layer.thickLine(
        places[u], places[v], ratio > 1 ? .series(1) : .muted, width: min(1 + 2 * ratio, 8))
    }
    for (v, place) in places.enumerated() {
      let isBad = v == experiment.corrupted.views[image]
      layers.append(
        .points(
          x: [place.0], y: [place.1],
          style: PointStyle(isBad ? .series(1) : .series(0), marker: .circle, size: 13)))
      layers.append(
        .text(x: place.0 + (place.0 < 0 ? -0.3 : 0.16), y: place.1, "\(v)"))
    }
    return Panel(
      "The nerve: edges by δᵀWδ", x: Axis(range: -1.6...1.6, ticks: []),
      y: Axis(range: -1.3...1.3, ticks: []), layers: layers)
  }

  private static func bars(_ sheet: ScoreSheet) -> Panel {
    let kinds = CorruptedViews.Kind.allCases.map(\.rawValue)
    let rules = [
      ("majority vote", "majority vote"), ("mean", "mean log-probability"),
      ("stacking", "stacking"), ("repair, then stacking", "repair by edge sum, stacking"),
    ]
    return Panel(
      "Accuracy with one corrupted view",
      y: Axis("accuracy", range: 0.8...1), legend: .below,
      layers: [
        .bars(
          categories: kinds,
          series: rules.map { rule in
            Layer.Series(rule.0, kinds.map { sheet.mean("\($0): \(rule.1)") })
          })
      ])
  }
}
