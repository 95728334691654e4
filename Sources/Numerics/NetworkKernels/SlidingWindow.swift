/// The geometry of a window that slides over images or volumes: channels × height × width or
/// channels × depth × height × width numbers in that order, as PyTorch and ONNX hold them.
///
/// Output (p, q) looks at the places (p·stride − top + k·dilation, q·stride − left + l·dilation) for
/// (k, l) in the kernel, and likewise with a depth; places outside the image are padding.
public struct SlidingWindow: Sendable, Equatable {
  /// The number of channels of the image.
  public let channels: Int
  /// The lengths of the image.
  public let image: Extent
  /// The lengths of the kernel.
  public let kernel: Extent
  /// The step from one window to the next.
  public let stride: Extent
  /// The step from one element of a window to the next.
  public let dilation: Extent
  /// Padding in front of, above and to the left of the image.
  public let paddingBefore: Extent
  /// Padding behind, below and to the right of the image.
  public let paddingAfter: Extent
  /// The number of windows in each direction.
  public let output: Extent
  /// Whether a window is one place and windows cover the image one to one.
  public let isPointwise: Bool

  /// A window. Image and kernel both lie in the plane or both in space, and so does what else is
  /// given.
  ///
  /// - Parameters:
  ///   - stride: 1 in each direction if nil.
  ///   - dilation: 1 in each direction if nil.
  ///   - paddingBefore: 0 in each direction if nil.
  ///   - paddingAfter: 0 in each direction if nil.
  ///   - roundsUp: whether a last window may hang over the padding, as long as it starts inside the
  ///     image or the padding before it (`ceil_mode` of PyTorch).
  ///   - output: the number of windows in each direction if it is less than fit.
  public init(
    channels: Int, image: Extent, kernel: Extent, stride: Extent? = nil, dilation: Extent? = nil,
    paddingBefore: Extent? = nil, paddingAfter: Extent? = nil, roundsUp: Bool = false,
    output: Extent? = nil
  ) {
    func all(_ n: Int) -> Extent { image.depth == nil ? Extent(n, n) : Extent(n, n, n) }
    self.channels = channels
    self.image = image
    self.kernel = kernel
    self.stride = stride ?? all(1)
    self.dilation = dilation ?? all(1)
    self.paddingBefore = paddingBefore ?? all(0)
    self.paddingAfter = paddingAfter ?? all(0)
    let given = [self.kernel, self.stride, self.dilation, self.paddingBefore, self.paddingAfter]
    precondition(
      given.allSatisfy { ($0.depth == nil) == (image.depth == nil) },
      "a window of the plane in space, or the other way round: \(image) and \(given)")
    func count(_ n: Int, _ k: Int, _ s: Int, _ d: Int, _ before: Int, _ after: Int) -> Int {
      precondition(n > 0 && k > 0 && s > 0 && d > 0 && before >= 0 && after >= 0)
      let room = n + before + after - (d * (k - 1) + 1)
      guard room >= 0 else { return 0 }
      let whole = room / s + 1
      return roundsUp && room % s != 0 && whole * s < n + before ? whole + 1 : whole
    }
    var counts: [Int] = []
    for i in image.lengths.indices {
      counts.append(
        count(
          image.lengths[i], kernel.lengths[i], self.stride.lengths[i], self.dilation.lengths[i],
          self.paddingBefore.lengths[i], self.paddingAfter.lengths[i]))
    }
    let most = Extent(counts, missing: 1)
    precondition(
      output.map { zip($0.lengths, counts).allSatisfy { $0 <= $1 } } ?? true,
      "\(output ?? most) windows, expected at most \(most)")
    self.output = output ?? most
    isPointwise =
      kernel.size == 1 && self.stride.size == 1 && self.output == image
      && self.paddingBefore.lengths.allSatisfy { $0 == 0 }
  }

  /// Its kernel, with stride and dilation where they are not 1, such as "3×3, stride 2×2".
  public var summary: String {
    "\(kernel)" + (stride.size == 1 ? "" : ", stride \(stride)")
      + (dilation.size == 1 ? "" : ", dilation \(dilation)")
  }

  /// The number of coordinates of the image.
  public var imageSize: Int { channels * image.size }
  /// The number of windows.
  public var outputSize: Int { output.size }

  /// The same windows with as much padding after the image as they reach into, so that none hangs
  /// over. (A mean that counts padding then counts more of it.)
  public var withoutOverhang: SlidingWindow {
    let reach = image.lengths.indices.map { i in
      max(
        0,
        (output.lengths[i] - 1) * stride.lengths[i] + dilation.lengths[i] * (kernel.lengths[i] - 1)
          + 1 - image.lengths[i] - paddingBefore.lengths[i])
    }
    return SlidingWindow(
      channels: channels, image: image, kernel: kernel, stride: stride, dilation: dilation,
      paddingBefore: paddingBefore, paddingAfter: Extent(reach, missing: 0))
  }
}

/// Places of windows, one by one.
extension SlidingWindow {
  /// Visits the elements of one window that lie in the image, as (place in a channel, element of the
  /// kernel).
  public func forEachElement(ofWindow window: Int, _ visit: (Int, Int) -> Void) {
    let (r, p, q) = (
      window / (output.height * output.width), window / output.width % output.height,
      window % output.width
    )
    for h in 0..<(kernel.depth ?? 1) {
      var front = 0
      if let depth = image.depth {
        front = r * stride.depth! - paddingBefore.depth! + h * dilation.depth!
        guard (0..<depth).contains(front) else { continue }
      }
      for k in 0..<kernel.height {
        let y = p * stride.height - paddingBefore.height + k * dilation.height
        guard (0..<image.height).contains(y) else { continue }
        for l in 0..<kernel.width {
          let x = q * stride.width - paddingBefore.width + l * dilation.width
          guard (0..<image.width).contains(x) else { continue }
          visit(
            (front * image.height + y) * image.width + x,
            (h * kernel.height + k) * kernel.width + l)
        }
      }
    }
  }

  /// The places of each window inside the image, channel by channel and window by window.
  public var windows: [[Int32]] {
    var result: [[Int32]] = []
    result.reserveCapacity(channels * outputSize)
    for c in 0..<channels {
      let first = c * image.size
      for window in 0..<outputSize {
        var places: [Int32] = []
        forEachElement(ofWindow: window) { place, _ in places.append(Int32(first + place)) }
        result.append(places)
      }
    }
    return result
  }

  /// How many places of each window of a channel lie in the image or its padding: all of the
  /// kernel's, but for windows that hang over.
  public var placesWithPadding: [Int] {
    let counts = image.lengths.indices.map { i in
      (0..<output.lengths[i]).map { p in
        (0..<kernel.lengths[i]).count {
          p * stride.lengths[i] - paddingBefore.lengths[i] + $0 * dilation.lengths[i]
            < image.lengths[i] + paddingAfter.lengths[i]
        }
      }
    }
    return counts.reduce([1]) { products, row in products.flatMap { n in row.map { n * $0 } } }
  }
}
