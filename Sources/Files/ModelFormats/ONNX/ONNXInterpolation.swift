import ArrayFiles

/// The interpolation of an operator Resize or Upsample along one axis: which places of the source a place of the
/// result takes, and with what weights.
///
/// Coordinates are worked out in single precision, as runtimes do: which place is nearest depends on it.
struct ONNXInterpolation {
  enum Mode: Equatable {
    case nearest(String)
    case linear
    case cubic(Float, excludesOutside: Bool)
  }

  let mode: Mode
  /// How a place of the result becomes one of the source: `coordinate_transformation_mode`.
  let transformation: String
  /// The source's extent, the result's, and the factor between them.
  let source: Int
  let result: Int
  let scale: Float
  /// The region of interest, of tf_crop_and_resize.
  var region: (start: Float, end: Float) = (0, 1)

  /// The taps of each place; none of one that lies outside the source and takes the extrapolation value.
  func taps() -> [[(column: Int, value: Double)]] {
    (0..<result).map { taps(at: coordinate(of: $0)) }
  }

  private func coordinate(of place: Int) -> Float {
    let p = Float(place)
    let (n, m) = (Float(source), Float(result))
    if source == result, transformation == "tf_crop_and_resize" ? region == (0, 1) : scale == 1 {
      return p
    }
    switch transformation {
    case "asymmetric": return p / scale
    case "pytorch_half_pixel": return result > 1 ? (p + 0.5) / scale - 0.5 : 0
    case "tf_half_pixel_for_nn": return (p + 0.5) / scale
    case "align_corners": return result == 1 ? 0 : p * (n - 1) / (m - 1)
    case "tf_crop_and_resize":
      return result > 1
        ? region.start * (n - 1) + p * (region.end - region.start) * (n - 1) / (m - 1)
        : 0.5 * (region.start + region.end) * (n - 1)
    case "half_pixel_symmetric":
      let adjustment = m / (scale * n)
      return n / 2 * (1 - adjustment) + (p + 0.5) / scale - 0.5
    default: return (p + 0.5) / scale - 0.5
    }
  }

  private func taps(at x: Float) -> [(column: Int, value: Double)] {
    if transformation == "tf_crop_and_resize", x < 0 || x > Float(source - 1) { return [] }
    func clamped(_ i: Int) -> Int { min(max(i, 0), source - 1) }
    switch mode {
    case .nearest(let rule): return [(clamped(Self.nearest(x, rule, isDown: scale < 1)), 1)]
    case .linear:
      let x = min(max(x, 0), Float(source - 1))
      let low = Int(x)
      let share = Double(x - Float(low))
      return share == 0 ? [(low, 1)] : [(low, 1 - share), (clamped(low + 1), share)]
    case .cubic(let a, let excludesOutside):
      let first = Int(x.rounded(.down)) - 1
      let s = x - x.rounded(.down)
      // Keys 1981.
      func near(_ t: Float) -> Float { ((a + 2) * t - (a + 3)) * t * t + 1 }
      func far(_ t: Float) -> Float { ((a * t - 5 * a) * t + 8 * a) * t - 4 * a }
      var weights = [far(s + 1), near(s), near(1 - s), far(2 - s)].map { Double($0) }
      if excludesOutside {
        for k in 0..<4 where !(0..<source).contains(first + k) { weights[k] = 0 }
        let sum = weights.reduce(0, +)
        weights = weights.map { $0 / sum }
      }
      var result: [(column: Int, value: Double)] = []
      for k in 0..<4 where weights[k] != 0 {
        let place = clamped(first + k)
        if let own = result.firstIndex(where: { $0.column == place }) {
          result[own].value += weights[k]
        } else {
          result.append((place, weights[k]))
        }
      }
      return result
    }
  }

  private static func nearest(_ x: Float, _ rule: String, isDown: Bool) -> Int {
    switch rule {
    case "floor": return Int(x.rounded(.down))
    case "ceil": return Int(x.rounded(.up))
    case "round_prefer_ceil": return Int((x + 0.5).rounded(.down))
    // Before operator set 11.
    case "simple": return Int(x.rounded(isDown ? .up : .towardZero))
    default: return Int((x - 0.5).rounded(.up))
    }
  }
}
