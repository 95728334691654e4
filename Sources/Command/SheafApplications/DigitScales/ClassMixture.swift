import Foundation
import LinearAlgebra

/// The posterior mean of images under Σ_c π_c N(μ_c, C_c) seen with white noise: a weighted mean of affine estimates, the weights
/// those of the classes given the image, so that it is not linear.
struct ClassMixture {
  /// A class of images.
  struct Part {
    /// π_c, up to a factor.
    let share: Double
    let mean: [Double]
    /// C_c.
    let covariance: Matrix
  }

  private let estimates: [(log: Double, estimate: AffineDenoiser, precision: Matrix)]

  init(_ parts: [Part], noise: Double) throws {
    estimates = try parts.map { part in
      var total = part.covariance
      for i in 0..<total.rows { total[i, i] += noise * noise }
      let precision = try Moments.inverse(total)
      return (
        log(part.share) - (try CholeskyFactorization(total).logDeterminant) / 2,
        AffineDenoiser(mean: part.mean, gain: part.covariance * precision), precision
      )
    }
  }

  func callAsFunction(_ noisy: Matrix) -> Matrix {
    var logits = Matrix(rows: estimates.count, columns: noisy.columns)
    for (c, part) in estimates.enumerated() {
      let r = ImageMoments.shifted(noisy, by: part.estimate.mean, -1)
      for (j, energy) in Moments.energies(r, part.precision).enumerated() {
        logits[c, j] = part.log - energy / 2
      }
    }
    let shares = Self.shares(logits)
    var sum = Matrix(rows: noisy.rows, columns: noisy.columns)
    for (c, part) in estimates.enumerated() {
      sum.addScaledColumns(part.estimate(noisy), by: (0..<noisy.columns).map { shares[c, $0] })
    }
    return sum
  }

  private static func shares(_ logits: Matrix) -> Matrix {
    var result = logits
    for j in 0..<logits.columns {
      let top = logits.column(j).max() ?? 0
      for c in 0..<logits.rows { result[c, j] = exp(logits[c, j] - top) }
      let total = result.column(j).reduce(0, +)
      for c in 0..<logits.rows { result[c, j] /= total }
    }
    return result
  }
}
