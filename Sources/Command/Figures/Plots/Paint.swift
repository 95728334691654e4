import Foundation

/// A colour with its opacity.
struct Paint: Hashable {
  /// Red, green and blue, eight bits each.
  var rgb: UInt32
  var opacity = 1.0

  /// As gnuplot writes it: transparency, then the colour.
  var code: String {
    let clear = UInt32((255 * (1 - min(max(opacity, 0), 1))).rounded())
    return String(format: clear == 0 ? "'#%06x'" : "'#%08x'", clear << 24 | rgb)
  }

  /// The components.
  var channels: [Double] { [16, 8, 0].map { Double(rgb >> $0 & 255) } }

  static let frame = Paint(rgb: 0x666666)
  static let ink = Paint(rgb: 0x1A1A1A)
  /// Of cells without a value, on none of the palettes.
  static let missing = Paint(rgb: 0xC4C4C4)
  static let paper = Paint(rgb: 0xFFFFFF)

  /// The palette of Okabe, Ito 2008, safe for colour-blind readers; yellow, the faintest on paper, comes last.
  static let series: [UInt32] = [
    0x0072B2, 0xD55E00, 0x009E73, 0xCC79A7, 0xE69F00, 0x56B4E9, 0x000000, 0xF0E442,
  ]

  /// The colour of a series.
  static func series(_ index: Int, opacity: Double = 1) -> Paint {
    let n = series.count
    return Paint(rgb: series[(index % n + n) % n], opacity: opacity)
  }
}

extension Colour {
  /// The place among the series, where `turn` is that of the layer.
  func place(_ turn: Int) -> Int? {
    switch self {
    case .automatic: turn
    case .series(let index): abs(index % 1000)
    case .ink, .muted, .paper: nil
    }
  }

  func paint(_ turn: Int, opacity: Double = 1) -> Paint {
    switch self {
    case .automatic: .series(turn, opacity: opacity)
    case .series(let index): .series(index, opacity: opacity)
    case .ink: Paint(rgb: Paint.ink.rgb, opacity: opacity)
    case .muted: Paint(rgb: 0x8C8C8C, opacity: opacity)
    case .paper: Paint(rgb: Paint.paper.rgb, opacity: opacity)
    }
  }
}

/// A pen.
struct Stroke: Hashable {
  var paint: Paint
  var width: Double
  /// Lengths of strokes and gaps in points; none for a solid line.
  var dash: [Double] = []
}

extension LineStyle {
  func stroke(_ turn: Int) -> Stroke {
    Stroke(
      paint: colour.paint(turn, opacity: opacity), width: width,
      dash: dash.pattern(place: colour.place(turn)))
  }
}

extension LineStyle.Dash {
  /// Lengths of strokes and gaps in points.
  func pattern(place: Int?) -> [Double] {
    switch self {
    case .solid: []
    case .dashed: [5, 2]
    case .dotted: [1.2, 1.6]
    case .dashDotted: [6, 2, 1.2, 2]
    case .longDashed: [10, 2.5]
    case .automatic:
      [Self.solid, .dashed, .dashDotted, .dotted, .longDashed][(place ?? 0) % 5].pattern(place: 0)
    }
  }
}

extension PointStyle {
  /// The form for a series.
  func shape(_ turn: Int) -> Marker {
    let forms: [Marker] = [.circle, .square, .triangle, .diamond, .openCircle, .openSquare, .plus]
    return marker == .automatic ? forms[(colour.place(turn) ?? 0) % forms.count] : marker
  }
}
