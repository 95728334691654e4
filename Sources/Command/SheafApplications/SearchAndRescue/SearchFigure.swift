import Figures
import Foundation
import SheafInference

/// Three maps with what the sources say and where the crash may be, and how improbable each source is given the others; the line
/// is at p = 0.01.
struct SearchFigure {
  let figure: Figure

  init(
    _ cases: [SearchCase], _ fused: [SearchFusion], _ refits: [[SearchFusion.Refit]]
  ) {
    let maps = cases.indices.map { Self.map(cases[$0], fused[$0], refits[$0]) }
    let bars = Panel(
      "How improbable each source is, given the others", x: Axis("left out"),
      y: Axis("−log₁₀ p"), legend: .below,
      layers: [
        .bars(
          categories: ["plan", "control", "finder 1", "finder 2", "satellite"],
          series: zip(cases, refits).map { search, list in
            .init(search.name, list.map { -log10(max($0.pValue, 1e-300)) })
          }),
        .horizontalMark(y: 2),
      ])
    figure = Figure(columns: 2, width: .page, aspect: 0.8, panels: maps + [bars])
  }

  private static func map(
    _ search: SearchCase, _ fused: SearchFusion, _ refits: [SearchFusion.Refit]
  ) -> Panel {
    var layers: [Layer] = []
    for (k, finder) in [search.finder1, search.finder2].enumerated() {
      let station = SearchSheaf.stations[k]
      let angle = finder[0] * Double.pi / 180
      let lengths = (0...64).map { Double($0) / 4 }
      layers.append(
        .line(
          x: lengths.map { station[0] + $0 * sin(angle) / Earth.cosine(station[1]) },
          y: lengths.map { station[1] + $0 * cos(angle) },
          label: "bearing \(k + 1)",
          style: LineStyle(.series(k == 0 ? 5 : 4), dash: .solid, width: 0.8)))
    }
    let reckoned = DeadReckoning().value(search.control + [search.finder1[1]])
    layers += [
      .line(
        x: [search.control[0], reckoned[0]], y: [search.control[1], reckoned[1]],
        label: "course told by control", style: LineStyle(.series(0), dash: .dashed, width: 1)),
      .points(
        x: [search.satellite[0]], y: [search.satellite[1]], label: "satellite",
        style: PointStyle(.ink, marker: .cross, size: 5)),
    ]
    let ellipses: [(String, ErrorEllipse, Int, LineStyle.Dash)] = [
      ("without satellite", refits[4].others.crash, 3, .dashDotted),
      ("all five", fused.crash, 1, .solid),
      ("without control", refits[1].others.crash, 2, .longDashed),
    ]
    for (name, ellipse, colour, dash) in ellipses {
      let curve = ellipse.curve(probability: 0.95)
      layers.append(
        .line(
          x: curve.x, y: curve.y, label: name,
          style: LineStyle(.series(colour), dash: dash, width: 1.2)))
    }
    return Panel(
      "\(search.name): ellipses of 95 %", x: Axis("longitude", range: -72 ... -61.5),
      y: Axis("latitude", range: 41.5...46.5), legend: .below, layers: layers)
  }
}
