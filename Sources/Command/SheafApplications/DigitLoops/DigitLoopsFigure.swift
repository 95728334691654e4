import Figures
import LinearAlgebra

extension DigitLoopsApplication {
  /// An 8 and a 1 beside their barcodes, and the loops of all classes.
  static func figure(_ bars: DigitBars) -> Figure {
    let second = bars.loopLengths(1)
    let eight = bars.classes.indices.first { bars.classes[$0] == 8 && second[$0] >= 8 } ?? 0
    let one = bars.classes.firstIndex(of: 1) ?? 0
    let digits = (0..<10).map { "\($0)" }
    let loops = (0..<10).map { Loops(bars, $0) }
    let shares = Panel(
      "Loops of length 4 or more", x: Axis("class"), y: Axis("share of images", range: 0...1),
      legend: .below,
      layers: [
        .bars(
          categories: digits,
          series: [.init("one", loops.map(\.one)), .init("two", loops.map(\.more))])
      ])
    return Figure(
      columns: 3, width: .page, aspect: 0.95,
      panels: [
        picture("An 8", bars, eight), barcode("Its bars", bars, eight), shares,
        picture("A 1", bars, one), barcode("Its bars", bars, one), lengths(loops),
      ])
  }

  private static func picture(_ title: String, _ bars: DigitBars, _ image: Int) -> Panel {
    let places = (0..<8).map { Double($0) }
    return Panel(
      title, x: Axis(range: -0.5...7.5, ticks: []), y: Axis(range: -0.5...7.5, ticks: []),
      colourLabel: "ink",
      layers: [
        .heatMap(
          x: places, y: places,
          values: (0..<8).reversed().flatMap { i in (0..<8).map { bars.images[8 * i + $0, image] }
          },
          range: 0...16)
      ])
  }

  private static func barcode(_ title: String, _ bars: DigitBars, _ image: Int) -> Panel {
    let intervals = bars.barcodes[image].intervals.map {
      Layer.Interval(birth: $0.birth, death: min($0.death, 0), dimension: $0.degree)
    }
    return Panel(
      title,
      x: Axis(
        "threshold of ink", range: -16...0,
        ticks: [16, 12, 8, 4, 0].map { Axis.Tick(-Double($0), "\($0)") }),
      y: Axis(range: -0.7...8.7, ticks: []), legend: .below, layers: [.barcode(intervals)])
  }

  /// Medians with the range of the middle half of the images.
  private static func lengths(_ loops: [Loops]) -> Panel {
    let x = loops.indices.map { Double($0) }
    let quantiles = [0.25, 0.5, 0.75].map { p in
      loops.map { Ranking.quantile($0.longest, p) }
    }
    let ranges = x.indices.filter { quantiles[2][$0] > quantiles[0][$0] }.map { k in
      Layer.thickLine(
        (x[k], quantiles[0][k]), (x[k], quantiles[2][k]), .series(0), width: 3)
    }.flatMap { $0 }
    return Panel(
      "Longest loop, middle half",
      x: Axis("class", range: -0.6...9.6, ticks: x.map { Axis.Tick($0, "\(Int($0))") }),
      y: Axis("length", range: 0...16),
      layers: ranges + [
        .points(x: x, y: quantiles[1], style: PointStyle(.ink, marker: .circle, size: 4))
      ])
  }
}
