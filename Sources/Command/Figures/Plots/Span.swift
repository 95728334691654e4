import Foundation

/// The least and the greatest of some values.
struct Extent: Hashable {
  var low = Double.infinity
  var high = -Double.infinity

  var isEmpty: Bool { low > high }

  mutating func include(_ value: Double) {
    low = min(low, value)
    high = max(high, value)
  }
}

/// What an axis shows: two different ends and the map of values to fractions of its length.
struct Span: Hashable {
  let low: Double
  let high: Double
  let scale: Axis.Scale

  /// Whether a value has a place on an axis of a scale. The bounds keep differences and ratios finite.
  static func admits(_ value: Double, _ scale: Axis.Scale) -> Bool {
    scale == .linear ? abs(value) <= 1e100 : value >= 1e-100 && value <= 1e100
  }

  /// The range, where it is given and can be shown, or the extent, widened by a share of itself at both ends.
  init(
    _ extent: Extent, range: ClosedRange<Double>?, scale: Axis.Scale, padding: Double
  ) {
    self.scale = scale
    if let range, Self.admits(range.lowerBound, scale), Self.admits(range.upperBound, scale) {
      (low, high) = Self.apart(range.lowerBound, range.upperBound, scale)
      return
    }
    guard !extent.isEmpty else {
      (low, high) = scale == .linear ? (0, 1) : (0.1, 1)
      return
    }
    let (a, b) = Self.apart(extent.low, extent.high, scale)
    guard scale == .logarithmic else {
      let margin = padding * (b - a)
      (low, high) = (extent.low == 0 && b > 0 ? 0 : a - margin, b + margin)
      return
    }
    let margin = pow(b / a, padding)
    (low, high) = (a / margin, b * margin)
  }

  /// Ends that differ enough to be labelled.
  private static func apart(_ low: Double, _ high: Double, _ scale: Axis.Scale) -> (Double, Double)
  {
    if scale == .logarithmic { return high / low > 1.001 ? (low, high) : (low / 2, high * 2) }
    let size = max(abs(low), abs(high))
    guard high - low <= 1e-9 * size || size == 0 else { return (low, high) }
    let half = size == 0 ? 1 : 0.1 * size
    return (low - half, high + half)
  }

  /// 0 at the lower end, 1 at the upper one. The value must be admitted by the scale.
  func fraction(_ value: Double) -> Double {
    scale == .linear ? (value - low) / (high - low) : log(value / low) / log(high / low)
  }

  /// The value at a fraction.
  func value(_ fraction: Double) -> Double {
    scale == .linear ? low + fraction * (high - low) : low * pow(high / low, fraction)
  }

  /// Whether a value lies between the ends, up to rounding.
  func contains(_ value: Double) -> Bool {
    Self.admits(value, scale) && abs(fraction(value) - 0.5) <= 0.5 + 1e-9
  }
}
