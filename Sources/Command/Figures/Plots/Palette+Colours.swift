import Foundation

extension Layer.Palette {
  /// Colours at equal distances, interpolated linearly between them.
  private var anchors: [UInt32] {
    switch self {
    // Of matplotlib's viridis (van der Walt, Smith 2015), at its eighths.
    case .sequential:
      [
        0x440154, 0x472D7B, 0x3B528B, 0x2C728E, 0x21918C, 0x28AE80, 0x5EC962, 0xADDC30, 0xFDE725,
      ]
    case .diverging: [0x123F73, 0x3C78B4, 0x9CC1E0, 0xF7F7F7, 0xF3C08C, 0xD97F26, 0x8A4303]
    case .categorical: Paint.series
    }
  }

  /// The colour of a value in a span.
  func paint(_ value: Double, in span: Span) -> Paint {
    guard self != .categorical else { return .series(Int(min(max(value.rounded(), 0), 1e6))) }
    let place = span.fraction(min(max(value, span.low), span.high)) * Double(anchors.count - 1)
    let k = min(Int(place), anchors.count - 2)
    let (low, high) = (Paint(rgb: anchors[k]).channels, Paint(rgb: anchors[k + 1]).channels)
    let rgb = zip(low, high).reduce(UInt32(0)) { sum, ends in
      sum << 8 | UInt32((ends.0 + (place - Double(k)) * (ends.1 - ends.0)).rounded())
    }
    return Paint(rgb: rgb)
  }

  /// What the palette spans of values, some of which may not be finite.
  func span(of values: [Double], range: ClosedRange<Double>?, scale: Axis.Scale) -> Span {
    switch self {
    case .sequential:
      var extent = Extent()
      for value in values where Span.admits(value, scale) { extent.include(value) }
      return Span(extent, range: range, scale: scale, padding: 0)
    case .diverging:
      let drawable = values.filter { Span.admits($0, .linear) }
      let size = drawable.reduce(0) { max($0, abs($1)) }
      return Span(
        Extent(low: -size, high: size), range: range, scale: .linear, padding: 0)
    case .categorical:
      let last = values.filter { Span.admits($0, .linear) && $0 < 1e3 }.max() ?? 0
      return Span(
        Extent(low: -0.5, high: max(last.rounded(), 0) + 0.5), range: nil, scale: .linear,
        padding: 0)
    }
  }
}
