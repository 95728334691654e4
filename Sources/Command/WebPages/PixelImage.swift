/// A small image, pixel by pixel.
public struct PixelImage: Sendable, Equatable {
  /// Pixels in a row.
  public let width: Int
  /// Rows.
  public let height: Int
  /// 1 for greys, 3 for red, green, blue.
  public let channels: Int
  /// Row by row from the top, `width · height · channels` numbers, those of one pixel together.
  public let pixels: [UInt8]

  /// An image of pixels.
  public init(width: Int, height: Int, channels: Int, pixels: [UInt8]) {
    precondition(width > 0 && height > 0, "\(width) × \(height) pixels")
    precondition(channels == 1 || channels == 3, "\(channels) channels")
    precondition(
      pixels.count == width * height * channels,
      "\(pixels.count) numbers of \(width) × \(height) pixels with \(channels) channels")
    (self.width, self.height, self.channels, self.pixels) = (width, height, channels, pixels)
  }

  /// An image of numbers in any range: pixel = round(255 (v − min) / (max − min)), limited to 0…255; what is not a
  /// number is 0, and so is all where the ends are equal.
  ///
  /// - Parameters:
  ///   - values: row by row from the top, `width · height · channels` of them, those of one pixel together.
  ///   - range: what black and white stand for; nil for the least and the greatest finite value.
  /// - Returns: nil where the sizes do not fit together or `channels` is neither 1 nor 3.
  public init?(
    values: [Double], width: Int, height: Int, channels: Int = 1,
    range: ClosedRange<Double>? = nil
  ) {
    guard width > 0, height > 0, channels == 1 || channels == 3,
      Double(width) * Double(height) * Double(channels) == Double(values.count)
    else { return nil }
    let finite = values.filter(\.isFinite)
    let low = range?.lowerBound ?? finite.min() ?? 0
    let high = range?.upperBound ?? finite.max() ?? 0
    // Halves, so that the difference is finite.
    let spread = high / 2 - low / 2
    let pixels = values.map { value in
      let place = spread > 0 ? (value / 2 - low / 2) / spread : 0
      return place.isNaN ? 0 : UInt8((255 * min(max(place, 0), 1)).rounded())
    }
    self.init(width: width, height: height, channels: channels, pixels: pixels)
  }
}
