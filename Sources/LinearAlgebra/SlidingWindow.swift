/// Two lengths, or a place, in the plane.
public struct Extent: Sendable, Equatable {
  /// Along the rows of an image, downwards.
  public var height: Int
  /// Along a row.
  public var width: Int

  /// The pair (height, width).
  public init(_ height: Int, _ width: Int) {
    self.height = height
    self.width = width
  }
}

/// The geometry of a window that slides over images: channels × height × width numbers in that
/// order, as PyTorch and ONNX hold them.
///
/// Output (p, q) looks at the places (p·stride − top + k·dilation, q·stride − left + l·dilation) for
/// (k, l) in the kernel; places outside the image are padding.
public struct SlidingWindow: Sendable, Equatable {
  /// The number of channels of the image.
  public let channels: Int
  /// Height and width of the image.
  public let image: Extent
  /// Height and width of the kernel.
  public let kernel: Extent
  /// The step from one window to the next.
  public let stride: Extent
  /// The step from one element of a window to the next.
  public let dilation: Extent
  /// Padding above and to the left of the image.
  public let paddingBefore: Extent
  /// Padding below and to the right of the image.
  public let paddingAfter: Extent
  /// The number of windows in each direction.
  public let output: Extent

  /// A window.
  ///
  /// - Parameter roundsUp: whether a last window may hang over the padding, as long as it starts
  ///   inside the image or the padding before it (`ceil_mode` of PyTorch).
  public init(
    channels: Int, image: Extent, kernel: Extent, stride: Extent = Extent(1, 1),
    dilation: Extent = Extent(1, 1), paddingBefore: Extent = Extent(0, 0),
    paddingAfter: Extent = Extent(0, 0), roundsUp: Bool = false
  ) {
    self.channels = channels
    self.image = image
    self.kernel = kernel
    self.stride = stride
    self.dilation = dilation
    self.paddingBefore = paddingBefore
    self.paddingAfter = paddingAfter
    func count(_ n: Int, _ k: Int, _ s: Int, _ d: Int, _ before: Int, _ after: Int) -> Int {
      precondition(n > 0 && k > 0 && s > 0 && d > 0 && before >= 0 && after >= 0)
      let room = n + before + after - (d * (k - 1) + 1)
      guard room >= 0 else { return 0 }
      let whole = room / s + 1
      return roundsUp && room % s != 0 && whole * s < n + before ? whole + 1 : whole
    }
    output = Extent(
      count(
        image.height, kernel.height, stride.height, dilation.height, paddingBefore.height,
        paddingAfter.height),
      count(
        image.width, kernel.width, stride.width, dilation.width, paddingBefore.width,
        paddingAfter.width))
  }

  /// The number of coordinates of the image.
  public var imageSize: Int { channels * image.height * image.width }
  /// The number of windows.
  public var outputSize: Int { output.height * output.width }
  /// Whether a window is one place and windows cover the image one to one.
  public var isPointwise: Bool {
    kernel == Extent(1, 1) && stride == Extent(1, 1) && output == image
      && paddingBefore == Extent(0, 0)
  }

  /// The same windows with as much padding after the image as they reach into, so that none hangs
  /// over. (A mean that counts padding then counts more of it.)
  public var withoutOverhang: SlidingWindow {
    func padding(_ n: Int, _ k: Int, _ s: Int, _ d: Int, _ before: Int, _ outputs: Int) -> Int {
      max(0, (outputs - 1) * s + d * (k - 1) + 1 - n - before)
    }
    return SlidingWindow(
      channels: channels, image: image, kernel: kernel, stride: stride, dilation: dilation,
      paddingBefore: paddingBefore,
      paddingAfter: Extent(
        padding(
          image.height, kernel.height, stride.height, dilation.height, paddingBefore.height,
          output.height),
        padding(
          image.width, kernel.width, stride.width, dilation.width, paddingBefore.width,
          output.width)))
  }

  /// Visits the elements of one window that lie in the image, as (place in a channel, element of the
  /// kernel).
  public func forEachElement(ofWindow window: Int, _ visit: (Int, Int) -> Void) {
    let (p, q) = (window / output.width, window % output.width)
    for k in 0..<kernel.height {
      let y = p * stride.height - paddingBefore.height + k * dilation.height
      guard (0..<image.height).contains(y) else { continue }
      for l in 0..<kernel.width {
        let x = q * stride.width - paddingBefore.width + l * dilation.width
        guard (0..<image.width).contains(x) else { continue }
        visit(y * image.width + x, k * kernel.width + l)
      }
    }
  }

  /// The places of each window inside the image, channel by channel and window by window.
  public var windows: [[Int32]] {
    var result: [[Int32]] = []
    result.reserveCapacity(channels * outputSize)
    for c in 0..<channels {
      for p in 0..<output.height {
        for q in 0..<output.width {
          var window: [Int32] = []
          for k in 0..<kernel.height {
            let y = p * stride.height - paddingBefore.height + k * dilation.height
            guard (0..<image.height).contains(y) else { continue }
            for l in 0..<kernel.width {
              let x = q * stride.width - paddingBefore.width + l * dilation.width
              guard (0..<image.width).contains(x) else { continue }
              window.append(Int32((c * image.height + y) * image.width + x))
            }
          }
          result.append(window)
        }
      }
    }
    return result
  }

  /// How many places of each window of a channel lie in the image or its padding: all of the
  /// kernel's, but for windows that hang over.
  public var placesWithPadding: [Int] {
    func count(_ p: Int, _ n: Int, _ k: Int, _ s: Int, _ d: Int, _ before: Int, _ after: Int)
      -> Int
    { (0..<k).count { p * s - before + $0 * d < n + after } }
    var result: [Int] = []
    for p in 0..<output.height {
      let rows = count(
        p, image.height, kernel.height, stride.height, dilation.height, paddingBefore.height,
        paddingAfter.height)
      for q in 0..<output.width {
        result.append(
          rows
            * count(
              q, image.width, kernel.width, stride.width, dilation.width, paddingBefore.width,
              paddingAfter.width))
      }
    }
    return result
  }
}
