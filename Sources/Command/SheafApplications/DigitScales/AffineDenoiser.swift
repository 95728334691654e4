import Foundation
import LinearAlgebra
import SheafCoarsening

/// Mean and covariance of images, the columns of a matrix.
struct ImageMoments: Sendable {
  let mean: [Double]
  let covariance: Matrix

  init(_ images: Matrix) {
    mean = (0..<images.rows).map { i in
      (0..<images.columns).reduce(0) { $0 + images[i, $1] } / Double(images.columns)
    }
    covariance = Moments.covariance(Self.shifted(images, by: mean, -1))
  }

  /// Images plus a multiple of one.
  static func shifted(_ images: Matrix, by mean: [Double], _ factor: Double) -> Matrix {
    var result = images
    for j in 0..<images.columns { for i in 0..<images.rows { result[i, j] += factor * mean[i] } }
    return result
  }
}

/// An affine estimate of images: x̂ = μ + K(y − μ).
struct AffineDenoiser: Sendable {
  let mean: [Double]
  let gain: Matrix

  /// - Parameters:
  ///   - mean: μ.
  ///   - gain: K.
  init(mean: [Double], gain: Matrix) { (self.mean, self.gain) = (mean, gain) }

  /// Wiener's estimate of each coefficient in an orthonormal basis: K = Σ_k s_k²/(s_k² + σ²) b_k b_kᵀ with s_k² = b_kᵀ S b_k, the
  /// variance of the coefficient in the images that S was learnt from.
  ///
  /// - Parameter basis: b_k, one a column.
  init(_ moments: ImageMoments, basis: Matrix, noise: Double) {
    mean = moments.mean
    gain = Self.gain(moments.covariance, basis, noise)
  }

  private static func gain(_ covariance: Matrix, _ basis: Matrix, _ noise: Double) -> Matrix {
    var variances = [Double](repeating: 0, count: basis.columns)
    (covariance * basis).addColumnDots(basis, into: &variances)
    var scaled = basis
    scaled.scaleColumns(by: variances.map { Shrinkage.wiener(variance: $0, noise: noise)(1) })
    return Moments.product(scaled, basis, .right)
  }

  /// The same in a basis of 8 × 8 pixels and its 64 cyclic shifts, the mean of all.
  static func spun(_ moments: ImageMoments, basis: Matrix, noise: Double) -> AffineDenoiser {
    var sum = Matrix(rows: 64, columns: 64)
    for order in CyclicShifts.orders {
      let gain = gain(moments.covariance[rows: order, columns: order], basis, noise)
      for j in 0..<64 { for i in 0..<64 { sum[order[i], order[j]] += gain[i, j] / 64 } }
    }
    return AffineDenoiser(mean: moments.mean, gain: sum)
  }

  /// A Gaussian filter of 8 × 8 pixels, separable, cut off at four standard deviations, pixels beyond the edge those at the edge: as
  /// `scipy.ndimage.gaussian_filter` with mode "nearest".
  static func gaussianFilter(width: Double) -> AffineDenoiser {
    let radius = Int(4 * width + 0.5)
    var line = Matrix(rows: 8, columns: 8)
    let weights = (-radius...radius).map { exp(-Double($0 * $0) / (2 * width * width)) }
    let total = weights.reduce(0, +)
    for i in 0..<8 {
      for (k, w) in weights.enumerated() {
        line[i, min(max(i + k - radius, 0), 7)] += w / total
      }
    }
    var gain = Matrix(rows: 64, columns: 64)
    for p in 0..<64 { for q in 0..<64 { gain[p, q] = line[p / 8, q / 8] * line[p % 8, q % 8] } }
    return AffineDenoiser(mean: [Double](repeating: 0, count: 64), gain: gain)
  }

  func callAsFunction(_ noisy: Matrix) -> Matrix {
    ImageMoments.shifted(gain * ImageMoments.shifted(noisy, by: mean, -1), by: mean, 1)
  }
}
