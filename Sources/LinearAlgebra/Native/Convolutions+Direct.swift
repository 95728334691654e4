import CKernels

/// Convolutions without panels, where the machine has the instructions.
///
/// Measured on 3×3 convolutions of 32×32 images with 16 to 64 channels, whole forward passes: 1.6
/// times the rate of panels and OpenBLAS, whose kernels want wider products than 16 filters give and
/// whose panel of nine copies of the image costs as much as the arithmetic.
extension Convolution {
  var isDirect: Bool {
    // Where windows are points the image is its own panel. Images as narrow as 4 places, half a
    // vector, still gain.
    !window.isPointwise && window.outputSize > 0 && !usesPanels
      && ck_has_direct_convolution() != 0
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
