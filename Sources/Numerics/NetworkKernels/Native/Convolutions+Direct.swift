import CKernels
import LinearAlgebra

/// Convolutions without panels, where the machine has the instructions.
///
/// Measured on 3×3 convolutions of 32×32 images with 16 to 64 channels, whole forward passes: 1.6
/// times the rate of panels and OpenBLAS, whose kernels want wider products than 16 filters give and
/// whose panel of nine copies of the image costs as much as the arithmetic.
extension Convolution {
  var isDirect: Bool {
    // Where windows are points the image is its own panel. Images as narrow as 4 places, half a
    // vector, still gain.
    window.image.depth == nil && !window.isPointwise && window.outputSize > 0 && !usesPanels
      && hasSmallCopies && ck_has_direct_convolution() != 0
  }

  /// Whether the padded copies are no larger than a few images: dilation, stride and padding may spread
  /// few places over any distance.
  private var hasSmallCopies: Bool {
    func extent(_ outputs: Int, _ stride: Int, _ kernel: Int, _ dilation: Int) -> Double {
      Double(outputs - 1) * Double(stride) + Double(kernel - 1) * Double(dilation) + 1
    }
    let (w, k, s, d) = (window, window.kernel, window.stride, window.dilation)
    let area =
      extent(w.output.height, s.height, k.height, d.height)
      * (extent(w.output.width + 8, s.width, k.width, d.width) + Double(s.width))
    let outputArea =
      (Double(w.output.height) + extent(1, 1, k.height, d.height) + Double(w.image.height))
      * (Double(w.output.width) + extent(1, 1, k.width, d.width) + Double(w.image.width) + 8)
    let size = max(area * Double(w.channels), outputArea * Double(filters)) / Double(groups)
    return size < 65_536 + 64 * Double(sourceSize + targetSize)
  }

  /// y ← scale · (W x + b) + keep · t.
  func convolve(
    _ x: UnsafePointer<Double>, _ w: UnsafePointer<Double>, _ bias: UnsafePointer<Double>?,
    _ scale: Double, _ keep: Double, _ t: UnsafePointer<Double>,
    _ y: UnsafeMutablePointer<Double>, samples: Int
  ) {
    var geometry = geometry
    let (columns, n) = (filters / groups, window.outputSize)
    for i in 0..<samples * groups {
      let first = i % groups * columns
      ck_convolve(
        &geometry, window.channels / groups, columns, w + first * filterSize, scale,
        bias.map { $0 + first }, keep, t + i * columns * n, x + i * (sourceSize / groups),
        y + i * columns * n)
    }
  }

  /// u ← Wᵀ v + keep · u.
  func convolveTransposed(
    _ v: Matrix, _ weight: Matrix, keeping keep: Double, into u: inout Matrix
  ) {
    var geometry = geometry
    let (columns, n) = (filters / groups, window.outputSize)
    v.elements.withUnsafeBufferPointer { v in
      weight.elements.withUnsafeBufferPointer { w in
        u.elements.withUnsafeMutableBufferPointer { u in
          for i in 0..<v.count / (columns * n) {
            ck_convolve_transposed(
              &geometry, window.channels / groups, columns,
              w.baseAddress! + i % groups * columns * filterSize, keep,
              v.baseAddress! + i * columns * n, u.baseAddress! + i * (sourceSize / groups))
          }
        }
      }
    }
  }
}
