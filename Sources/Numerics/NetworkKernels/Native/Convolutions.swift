import CKernels
import LinearAlgebra

/// A convolution of images with filters, in the sense of deep learning (a cross-correlation):
/// y[f, p, q] = Σ W[f, c, k, l] · x[c, place (p, q, k, l)] over the channels c of the filter's group;
/// of volumes likewise.
///
/// Weights are one column per filter, (channels / groups · kernel size, filters), so the bytes are
/// PyTorch's (filters, channels / groups, height, width).
///
/// With AVX-512 a kernel of our own sums over a padded copy of the image. Elsewhere, and for gradients,
/// each product works on a panel of a few output rows: the window elements laid out as a matrix that
/// stays in the cache, then one matrix product (im2col; Chellapilla et al. 2006). The window elements of
/// a volume are those of some of its images, one depth of the kernel after the other.
public struct Convolution: Sendable, Equatable {
  /// The window over the source.
  public let window: SlidingWindow
  /// The number of filters: channels of the target.
  public let filters: Int
  /// Groups of channels that do not mix.
  public let groups: Int
  /// Whether to work on panels even where the machine can do without; for tests.
  var usesPanels = false

  /// A convolution; channels and filters must divide into the groups.
  public init(window: SlidingWindow, filters: Int, groups: Int = 1) {
    precondition(window.channels % groups == 0 && filters % groups == 0 && filters > 0)
    self.window = window
    self.filters = filters
    self.groups = groups
  }

  /// The number of coordinates of the source.
  public var sourceSize: Int { window.imageSize }
  /// The number of coordinates of the target.
  public var targetSize: Int { filters * window.outputSize }
  /// The number of weights of one filter.
  public var filterSize: Int {
    window.channels / groups * window.kernel.size
  }
}

/// Products, sample by sample. Cost: 2 · targetSize · filterSize operations per sample each.
extension Convolution {
  /// y ← W x + b, where b is (filters, 1).
  public func apply(_ x: Matrix, weight: Matrix, bias: Matrix, into y: inout Matrix) {
    multiply(x, weight, bias: bias, scale: 1, keeping: 0, of: nil, into: &y)
  }

  /// ρ ← t − (W x + b).
  public func discrepancy(
    _ x: Matrix, _ t: Matrix, weight: Matrix, bias: Matrix, into rho: inout Matrix
  ) {
    precondition(t.count == rho.count)
    t.elements.withUnsafeBufferPointer {
      multiply(
        x, weight, bias: bias, scale: -1, keeping: 1, of: $0.baseAddress, into: &rho)
    }
  }

  /// y ← scale · W x + keep · y.
  public func addProduct(
    _ x: Matrix, weight: Matrix, scale: Double, keeping keep: Double, into y: inout Matrix
  ) {
    multiply(x, weight, bias: nil, scale: scale, keeping: keep, of: nil, into: &y)
  }

  /// u ← Wᵀ v + keep · u.
  public func addTransposedProduct(
    _ v: Matrix, weight: Matrix, keeping keep: Double, into u: inout Matrix
  ) {
    check(u, v, weight)
    if isDirect { return convolveTransposed(v, weight, keeping: keep, into: &u) }
    if keep != 1 { u.scale(by: keep) }
    let (n, k) = (window.outputSize, filterSize)
    let (columns, size) = (filters / groups, sourceSize / groups)
    v.elements.withUnsafeBufferPointer { v in
      weight.elements.withUnsafeBufferPointer { w in
        u.elements.withUnsafeMutableBufferPointer { u in
          forEachPanel(samples: v.count / max(targetSize, 1)) { sample, group, places, panel in
            let (first, count) = (places.lowerBound, places.count)
            let from = v.baseAddress! + sample * targetSize + group * columns * n + first
            let image = u.baseAddress! + sample * sourceSize + group * size
            // Where windows are points the panel is the image itself.
            let (to, ld) = window.isPointwise ? (image + first, n) : (panel, count)
            BLAS.multiply(
              (from, n), (w.baseAddress! + group * columns * k, k), transposing: .right, m: count,
              n: k, inner: columns, scale: 1, keeping: window.isPointwise ? 1 : 0, into: to,
              stride: ld)
            if !window.isPointwise { fold(panel, places, onto: image) }
          }
        }
      }
    }
  }

  /// g ← g + scale · (the derivative of ⟨v, W x⟩ in W), of the shape of the weight.
  public func addGradient(_ v: Matrix, _ x: Matrix, scale: Double, into g: inout Matrix) {
    check(x, v, g)
    let (n, k) = (window.outputSize, filterSize)
    let columns = filters / groups
    x.elements.withUnsafeBufferPointer { x in
      v.elements.withUnsafeBufferPointer { v in
        g.elements.withUnsafeMutableBufferPointer { g in
          forEachPanel(samples: v.count / max(targetSize, 1)) { sample, group, places, panel in
            let (first, count) = (places.lowerBound, places.count)
            let (p, ld) = unfold(x.baseAddress!, sample, group, places, panel)
            BLAS.multiply(
              (p, ld), (v.baseAddress! + sample * targetSize + group * columns * n + first, n),
              transposing: .left, m: k, n: columns, inner: count, scale: scale, keeping: 1,
              into: g.baseAddress! + group * columns * k, stride: k)
          }
        }
      }
    }
  }

  /// y ← scale · (W x + b) + keep · t, where t is y itself if nil.
  private func multiply(
    _ x: Matrix, _ weight: Matrix, bias: Matrix?, scale: Double, keeping keep: Double,
    of t: UnsafePointer<Double>?, into y: inout Matrix
  ) {
    check(x, y, weight)
    precondition(bias.map { $0.count == filters } ?? true)
    guard y.count > 0 else { return }
    let (n, k) = (window.outputSize, filterSize)
    let columns = filters / groups
    let size = targetSize
    x.elements.withUnsafeBufferPointer { x in
      weight.elements.withUnsafeBufferPointer { w in
        withPointer(bias) { bias in
          y.elements.withUnsafeMutableBufferPointer { y in
            let base = y.baseAddress!
            let t = t ?? UnsafePointer(base)
            if isDirect {
              return convolve(
                x.baseAddress!, w.baseAddress!, bias, scale, keep, t, base, samples: y.count / size)
            }
            forEachPanel(samples: y.count / size) { sample, group, places, panel in
              let (first, count) = (places.lowerBound, places.count)
              let (to, old) = (base + sample * size, t + sample * size)
              for f in group * columns..<(group + 1) * columns {
                ck_scale_and_shift(
                  count, keep, old + f * n + first, scale * (bias?[f] ?? 0), to + f * n + first)
              }
              let (p, ld) = unfold(x.baseAddress!, sample, group, places, panel)
              BLAS.multiply(
                (p, ld), (w.baseAddress! + group * columns * k, k), m: count, n: columns, inner: k,
                scale: scale, keeping: 1, into: to + group * columns * n + first, stride: n)
            }
          }
        }
      }
    }
  }

  private func withPointer(_ bias: Matrix?, _ body: (UnsafePointer<Double>?) -> Void) {
    guard let bias else { return body(nil) }
    bias.elements.withUnsafeBufferPointer { body($0.baseAddress) }
  }

  func check(_ x: Matrix, _ y: Matrix, _ weight: Matrix) {
    precondition(
      x.rows == sourceSize && y.rows == targetSize && x.columns == y.columns
        && weight.rows == filterSize && weight.columns == filters,
      "convolution of \(x.shape) with \(weight.shape) into \(y.shape)")
  }
}
