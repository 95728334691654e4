import Datasets
import Figures
import Foundation
import LinearAlgebra

extension BreastCancerApplication {
  /// The triangle of sensors for a clean row, one with a faulty sensor and a malignant one, and how often each statistic points
  /// at the faulty sensor. Rows are of the first split, logarithms.
  static func figure(_ sheet: ScoreSheet) throws -> Figure {
    let split = SensorSplit(BreastCancer.load(), seed: 0, isLogarithmic: true)
    let scores = try BreastCancerScores(split)
    let fault = FaultySensor(split.benign, seed: 0)
    let discrepancies = try scores.hub.discrepancies(fault.readings)
    let found = discrepancies.largestRows
    // Of each kind a row in the middle: of the faulty ones, one that was found.
    let faulty = try typical(
      fault.readings, scores, among: fault.sensors.indices.filter { found[$0] == fault.sensors[$0] }
    )
    let clean = try typical(split.benign, scores, among: Array(0..<split.benign.columns))
    let malignant = try typical(split.malignant, scores, among: Array(0..<split.malignant.columns))
    let panels = [
      ("Benign", split.benign.columns([clean])),
      (
        "Benign, \"\(SensorSplit.sensors[fault.sensors[faulty]])\" of another patient",
        fault.readings.columns([faulty])
      ),
      ("Malignant", split.malignant.columns([malignant])),
    ]
    let limits = try Limits(scores)
    return Figure(
      columns: 2, width: .page, aspect: 0.7,
      panels: try panels.map { try triangle($0.0, $0.1, scores, limits) } + [bars(sheet)])
  }

  /// 95 % quantiles of the training rows.
  private struct Limits {
    let (edges, vertices): ([Double], [Double])

    init(_ scores: BreastCancerScores) throws {
      let training = scores.split.training
      func quantiles(_ m: Matrix) -> [Double] {
        (0..<m.rows).map { i in
          Ranking.quantile((0..<m.columns).map { m[i, $0] }, 0.95)
        }
      }
      edges = quantiles(scores.pairs[.ridge]!.sheaf.edgeEnergies(training))
      vertices = quantiles(try scores.hub.discrepancies(training))
    }
  }

  /// The row whose largest discrepancy is in the middle.
  private static func typical(
    _ x: Matrix, _ scores: BreastCancerScores, among rows: [Int]
  ) throws -> Int {
    let largest = try scores.hub.discrepancies(x).columnMaxima
    return rows.sorted { largest[$0] < largest[$1] }[rows.count / 2]
  }

  private static func triangle(
    _ title: String, _ x: Matrix, _ scores: BreastCancerScores, _ limits: Limits
  ) throws -> Panel {
    let places = [(-1.0, 0.0), (0.0, 1.4), (1.0, 0.0)]
    let edges = scores.pairs[.ridge]!.sheaf.edgeEnergies(x)
    let discrepancies = try scores.hub.discrepancies(x)
    let pairs = [(0, 1), (0, 2), (1, 2)]
    let edgeLabels = [(-0.98, 0.75), (-0.06, -0.16), (0.6, 0.75)]
    let vertexLabels = [(-1.55, -0.3), (-0.5, 1.68), (0.5, -0.3)]
    var layers: [Layer] = []
    for (e, (u, v)) in pairs.enumerated() {
      let ratio = edges[e, 0] / limits.edges[e]
      layers += Layer.thickLine(
        places[u], places[v], ratio > 1 ? .series(1) : .muted, width: min(1.5 + 3 * ratio, 9))
    }
    let largest = discrepancies.largestRows[0]
    for (v, place) in places.enumerated() {
      let ratio = discrepancies[v, 0] / limits.vertices[v]
      layers.append(
        .points(
          x: [place.0], y: [place.1],
          style: PointStyle(
            ratio > 1 && v == largest ? .series(1) : .series(0), marker: .circle,
            size: min(9 + 2 * ratio, 18))))
      layers.append(
        .text(
          x: vertexLabels[v].0, y: vertexLabels[v].1,
          "\(SensorSplit.sensors[v]): D = \(rounded(discrepancies[v, 0]))"))
    }
    for e in pairs.indices {
      layers.append(.text(x: edgeLabels[e].0, y: edgeLabels[e].1, rounded(edges[e, 0])))
    }
    return Panel(
      title, x: Axis(range: -1.7...1.7, ticks: []), y: Axis(range: -0.5...1.9, ticks: []),
      layers: layers)
  }

  private static func rounded(_ x: Double) -> String { String(format: "%.0f", x) }

  private static func bars(_ sheet: ScoreSheet) -> Panel {
    let rows = [
      ("hub sheaf", "hub sheaf, leave one out"),
      ("pair sheaf, ridge", "pair sheaf, ridge, edges at the sensor"),
      ("pair sheaf, identity", "pair sheaf, identity, edges at the sensor"),
      ("ridge from the others", "ridge from the other 20"),
      ("the sensor's own Mahalanobis", "the sensor's own Mahalanobis"),
      ("Mahalanobis of all (chance)", "Mahalanobis of all (cannot point)"),
    ]
    var layers: [Layer] = []
    for (k, row) in rows.enumerated() {
      let y = Double(rows.count - 1 - k)
      let value = sheet.mean("top-1: \(row.1)")
      layers += Layer.thickLine(
        (0, y), (value, y), k < 3 ? .series(0) : .muted, width: 7)
      layers.append(.text(x: 0.02, y: y + 0.42, row.0))
      layers.append(.text(x: value + 0.03, y: y, String(format: "%.3f", value)))
    }
    return Panel(
      "Faulty sensor pointed at",
      x: Axis(
        "share of rows", range: -0.01...1.2,
        ticks: [("0", 0), ("0.25", 0.25), ("0.5", 0.5), ("0.75", 0.75), ("1", 1)].map {
          .init($1, $0)
        }),
      y: Axis(range: -0.6...5.9, ticks: []), layers: layers)
  }
}
