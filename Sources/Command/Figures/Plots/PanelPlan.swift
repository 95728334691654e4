import Foundation

/// A rectangle on the page, in points from its lower left corner.
struct Box: Hashable {
  var left: Double
  var bottom: Double
  var right: Double
  var top: Double

  var width: Double { right - left }
  var height: Double { top - bottom }
}

/// Room around the frame of a panel for what is written there, in points.
struct Margins: Hashable {
  var left = 0.0
  var bottom = 0.0
  var right = 0.0
  var top = 0.0

  /// The horizontal ones of one panel, the vertical ones of another, where they are greater.
  mutating func grow(left other: Margins) {
    left = max(left, other.left)
    right = max(right, other.right)
  }

  mutating func grow(bottom other: Margins) {
    bottom = max(bottom, other.bottom)
    top = max(top, other.top)
  }
}

/// A panel whose axes and texts are settled, in a cell of the page.
struct PanelPlan {
  /// The bar that explains the colours of a heat map.
  struct ColourBar {
    let palette: Layer.Palette
    let span: Span
    let ticks: Ticks
  }

  let panel: Panel
  /// Without data, from 0 to 1.
  let frame: Frame
  let isEmpty: Bool
  let xTicks: Ticks
  let yTicks: Ticks
  /// Whether the labels of the horizontal axis are too wide to stand side by side.
  let rotated: Bool
  let colourBar: ColourBar?
  let legend: LegendPlan?
  private(set) var margins = Margins()

  /// Degrees, counterclockwise.
  static let rotation = 35.0

  /// A plan for a cell of so many points.
  init(_ panel: Panel, width: Double, height: Double) {
    self.panel = panel
    let legend = LegendPlan(panel, width: width)
    let frame = panel.frame.map { frame in
      legend.map { frame.clearing($0, in: panel, width: width - 45, height: height - 35) } ?? frame
    }
    isEmpty = frame == nil
    self.frame =
      frame
      ?? Frame(
        x: Span(Extent(low: 0, high: 1), range: nil, scale: .linear, padding: 0),
        y: Span(Extent(low: 0, high: 1), range: nil, scale: .linear, padding: 0))
    colourBar = Self.colourBar(panel.layers, height: height)
    self.legend = legend
    let y = panel.y
    yTicks =
      panel.isBarcode && y.ticks == nil
      ? Ticks([]) : Ticks(self.frame.y, axis: y, count: Self.count(height))
    margins.left = Self.width(yTicks) + (y.label.isEmpty ? 8 : 19)
    margins.top = panel.title == nil ? 6 : 16
    if let colourBar {
      margins.right = 22 + Self.width(colourBar.ticks) + (panel.colourLabel == nil ? 0 : 11)
    }
    let room = width - margins.left - max(margins.right, 8)
    (xTicks, rotated) = Self.horizontalTicks(panel, self.frame.x, room)
    var under = 14.0
    if rotated, let first = xTicks.labelled.first {
      let slope = Self.rotation * .pi / 180
      under = 9 + Self.width(xTicks) * sin(slope) + 6
      let start = self.frame.x.fraction(first.value) * room
      let overhang = Typesetting.width(first.label, Typesetting.small) * cos(slope) - start
      margins.left = max(margins.left, overhang + 4)
    } else if let last = xTicks.labelled.last {
      let half = Typesetting.width(last.label, Typesetting.small) / 2
      margins.right = max(
        margins.right, half - (1 - self.frame.x.fraction(last.value)) * room + 2)
    }
    margins.right = max(margins.right, 8)
    margins.bottom = under + (panel.x.label.isEmpty ? 2 : 12) + (legend?.heightBelow ?? 0)
  }

  /// How many labels have room along a vertical axis, nearly.
  private static func count(_ height: Double) -> Int { Int(max(2, min(7, height * 0.6 / 15))) }

  /// The widest label.
  private static func width(_ ticks: Ticks) -> Double {
    ticks.labelled.map { Typesetting.width($0.label, Typesetting.small) }.max() ?? 0
  }

  /// Names of categories or as many round numbers as have room, and whether they have to be rotated.
  private static func horizontalTicks(
    _ panel: Panel, _ span: Span, _ room: Double
  ) -> (Ticks, Bool) {
    if let given = panel.x.ticks ?? panel.categories {
      let fitted = given.filter { span.contains($0.value) }.map {
        Axis.Tick($0.value, Typesetting.fitted($0.label, width: 90, Typesetting.small))
      }
      let places = fitted.map { span.fraction($0.value) * room }
      let gap = zip(places, places.dropFirst()).map { $1 - $0 }.min() ?? room
      return (Ticks(fitted), width(Ticks(fitted)) > gap - 4)
    }
    for count in stride(from: 7, to: 2, by: -1) {
      let ticks = Ticks(span, count: count)
      if width(ticks) + 8 < room / Double(max(ticks.labelled.count - 1, 1)) {
        return (ticks, false)
      }
    }
    return (Ticks(span, count: 2), false)
  }

  private static func colourBar(_ layers: [Layer], height: Double) -> ColourBar? {
    for case .heatMap(_, _, let values, let palette, let range, let scale) in layers {
      let span = palette.span(of: values, range: range, scale: scale)
      var ticks = Ticks(span, count: Self.count(height))
      if palette == .categorical {
        let last = min(Int(span.high), 20)
        ticks = Ticks((0...last).map { Axis.Tick(Double($0), "\($0)") })
      }
      return ColourBar(palette: palette, span: span, ticks: ticks)
    }
    return nil
  }
}

extension Panel {
  /// The names of bars, at their places.
  fileprivate var categories: [Axis.Tick]? {
    for case .bars(let categories, _) in layers {
      return categories.enumerated().map { Axis.Tick(Double($0), $1) }
    }
    return nil
  }

  /// Whether the heights are rows without a meaning.
  fileprivate var isBarcode: Bool {
    layers.contains { if case .barcode = $0 { true } else { false } }
  }
}
