import Figures
import LinearAlgebra
import SheafPersistence

extension CircleAndTorusApplication {
  /// A circle's points, persistence diagrams with bands, and the longest bars of a torus; samples of seed 0.
  static func figure(_ trials: [ShapeTrial]) -> Figure? {
    guard let circle = trials.first?.first,
      let disc = trials.first(where: { $0.sample.name.hasPrefix("disc") })?.first,
      let torus = trials.first(where: { $0.sample.name.hasPrefix("torus") })?.first,
      let ball = trials.first(where: { $0.sample.name.hasPrefix("ball") })?.first
    else { return nil }
    return Figure(
      columns: 3, width: .page, aspect: 1.05,
      panels: [
        points("100 points near a circle", circle), diagram("Circle", circle, 1.2),
        diagram("Disc: nothing to find", disc, 1.2), bars("Torus: longest bars", torus),
        diagram("Torus, 1,000 points", torus, 2), diagram("Ball: nothing to find", ball, 0.7),
      ])
  }

  private static func points(_ title: String, _ band: ResampledBand) -> Panel {
    Panel(
      title, x: Axis("x", range: -1.5...1.5), y: Axis("y", range: -1.5...1.5),
      layers: [
        .points(
          x: (0..<band.points.columns).map { band.points[0, $0] },
          y: (0..<band.points.columns).map { band.points[1, $0] },
          style: PointStyle(.series(0), marker: .circle, size: 2.5))
      ])
  }

  /// Births and deaths of the 80 longest bars of each degree; bars inside of a band do not count.
  private static func diagram(_ title: String, _ band: ResampledBand, _ top: Double) -> Panel {
    let ends = [0, top]
    let bottleneck = 2 * (band.bottleneck.max() ?? 0)
    var layers: [Layer] = [
      .band(
        x: [0, top - bottleneck, top], low: [0, top - bottleneck, top],
        high: [bottleneck, top, top], label: "bottleneck", colour: .muted),
      .line(x: ends, y: ends, style: LineStyle(.ink, dash: .solid, width: 0.7)),
      .line(
        x: ends, y: ends.map { $0 + 2 * band.hausdorff }, label: "Hausdorff",
        style: LineStyle(.ink, dash: .dashed, width: 1)),
    ]
    for q in 0..<band.points.rows {
      let finite = band.barcode[q].filter { $0.death < .infinity }
        .sorted { $0.length > $1.length }.prefix(80)
      layers.append(
        .points(
          x: finite.map(\.birth), y: finite.map(\.death), label: "H\(["₀", "₁", "₂"][q])",
          style: PointStyle(.series([0, 1, 2][q]), marker: .circle, size: 2.5)))
    }
    return Panel(
      title, x: Axis("birth, radius", range: 0...top), y: Axis("death", range: 0...top),
      legend: .below, layers: layers)
  }

  private static func bars(_ title: String, _ band: ResampledBand) -> Panel {
    let longest = (0..<band.points.rows).flatMap { q in
      band.barcode[q].filter { $0.death < .infinity }.sorted { $0.length > $1.length }.prefix(10)
    }
    return Panel(
      title, x: Axis("radius"), y: Axis(ticks: []), legend: .below,
      layers: [
        .barcode(
          longest.map { .init(birth: $0.birth, death: $0.death, dimension: $0.degree) })
      ])
  }
}
