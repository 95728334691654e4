import Foundation
import LinearAlgebra
import SheafCoarsening

/// Noise taken off images of digits, 0 … 16, by what was learnt from others, and how far off the estimates are at three scales.
///
/// Test images are 500 of 8 × 8 pixels. Their noise is σ times `SplitMix64.normal`, image after image, pixels row by row, the same
/// for every σ. All but the Gaussian filter, whose width is the best on the last 297 training images with noise of seed 1000003,
/// learn means, covariances, bases and maps from all 1,297 training images.
struct DigitScalesExperiment {
  /// A way to take noise off.
  enum Method: Hashable, CaseIterable {
    case noisy, gaussianFilter, haarBayes, haarWiener, haarWienerSpun
    case sections(Int)
    case covariance, field, fieldMixture, mixture

    static let allCases: [Method] =
      [.noisy, .gaussianFilter, .haarBayes, .haarWiener, .haarWienerSpun]
      + [1, 2, 4, 8].map { .sections($0) } + [.field, .covariance, .fieldMixture, .mixture]

    /// As it is called in tables.
    var name: String {
      switch self {
      case .noisy: "noisy"
      case .gaussianFilter: "Gaussian filter"
      case .haarBayes: "Haar, BayesShrink, 64 shifts"
      case .haarWiener: "Haar, Wiener"
      case .haarWienerSpun: "Haar, Wiener, 64 shifts"
      case .sections(let k): "quadtree, learned sections, stalk ℝ\(Self.exponents[k]!)"
      case .covariance: "full covariance (linear optimum)"
      case .field: "sheaf field"
      case .fieldMixture: "ten sheaf fields, one a class (not linear)"
      case .mixture: "ten Gaussians, one a class (not linear)"
      }
    }

    private static let exponents = [1: "", 2: "²", 4: "⁴", 8: "⁸"]
  }

  /// One column an image.
  let training: Matrix
  let test: Matrix
  let moments: ImageMoments
  let haar: QuadtreeHaar
  /// By the dimension of the stalks.
  let sections: [Int: LearnedSections]
  let field: SheafField
  private let principal: Matrix
  private let gaussians: [ClassMixture.Part]
  private let fields: [ClassMixture.Part]

  init() throws {
    let split = DigitSplit(seed: 0)
    var (training, test) = (split.training, split.test)
    training.scale(by: 16)
    test.scale(by: 16)
    let moments = ImageMoments(training)
    (self.training, self.test, self.moments) = (training, test, moments)
    haar = try QuadtreeHaar()
    let tree = haar.hierarchy
    sections = try Dictionary(
      uniqueKeysWithValues: [1, 2, 4, 8].map {
        ($0, try LearnedSections(moments.covariance, tree, stalk: $0))
      })
    principal = try SymmetricEigendecomposition(moments.covariance).vectors
    field = SheafField(learntFrom: Self.regular(moments.covariance))
    gaussians = (0..<10).map { c in
      let images = training.columns(
        split.trainingClasses.indices.filter { split.trainingClasses[$0] == c })
      let own = ImageMoments(images)
      return .init(
        share: Double(images.columns), mean: own.mean, covariance: Self.regular(own.covariance))
    }
    fields = try gaussians.map { part in
      let field = SheafField(learntFrom: part.covariance, steps: 200)
      return .init(
        share: part.share, mean: part.mean, covariance: try Moments.inverse(field.precision))
    }
  }

  /// S + ½: as if pixels had a deviation of .7 of their own.
  private static func regular(_ covariance: Matrix) -> Matrix {
    var result = covariance
    for i in 0..<result.rows { result[i, i] += 0.5 }
    return result
  }

  /// Images with noise.
  static func noisy(_ images: Matrix, noise: Double, seed: UInt64) -> Matrix {
    var generator = SplitMix64(seed: seed)
    return Matrix(
      rows: images.rows, columns: images.columns,
      columnMajor: images.elements.map { $0 + noise * generator.normal() })
  }

  /// The width of the Gaussian filter, of .2, .25, …, 1 the best for the last training images.
  func filterWidth(noise: Double) -> Double {
    let images = training.columns(1000..<1297)
    let noisy = Self.noisy(images, noise: noise, seed: 1_000_003)
    return (4...20).map { Double($0) / 20 }.map { width in
      let estimate = Self.clipped(AffineDenoiser.gaussianFilter(width: width)(noisy))
      return (error: Self.meanSquare(estimate, images), width: width)
    }.min { $0.error < $1.error }!.width
  }

  /// What a method makes of noisy images.
  func denoiser(_ method: Method, noise: Double) throws -> (Matrix) -> Matrix {
    func affine(_ denoiser: AffineDenoiser) -> (Matrix) -> Matrix { { denoiser($0) } }
    switch method {
    case .noisy: return { $0 }
    case .gaussianFilter:
      return affine(.gaussianFilter(width: filterWidth(noise: noise)))
    case .haarBayes: return { [haar] in haar.spun($0, noise: noise) }
    case .haarWiener:
      return affine(AffineDenoiser(moments, basis: haar.vectors, noise: noise))
    case .haarWienerSpun: return affine(.spun(moments, basis: haar.vectors, noise: noise))
    case .sections(let k):
      return affine(AffineDenoiser(moments, basis: sections[k]!.vectors, noise: noise))
    case .covariance: return affine(AffineDenoiser(moments, basis: principal, noise: noise))
    case .field: return affine(try field.denoiser(mean: moments.mean, noise: noise))
    case .fieldMixture:
      let mixture = try ClassMixture(fields, noise: noise)
      return { mixture($0) }
    case .mixture:
      let mixture = try ClassMixture(gaussians, noise: noise)
      return { mixture($0) }
    }
  }

  /// Values cut off at 0 and 16.
  static func clipped(_ images: Matrix) -> Matrix {
    Matrix(
      rows: images.rows, columns: images.columns,
      columnMajor: images.elements.map { min(max($0, 0), 16) })
  }

  /// Means of blocks, `size` × `size` of them in an image of 8 × 8.
  static func blocks(_ images: Matrix, size: Int) -> Matrix {
    let side = 8 / size
    var result = Matrix(rows: size * size, columns: images.columns)
    for j in 0..<images.columns {
      for p in 0..<64 {
        result[p / 8 / side * size + p % 8 / side, j] += images[p, j] / Double(side * side)
      }
    }
    return result
  }

  /// The mean square of differences.
  static func meanSquare(_ a: Matrix, _ b: Matrix) -> Double {
    zip(a.elements, b.elements).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) } / Double(a.count)
  }

  /// PSNR in dB with the peak 16 as "σ = 4: name", and root mean square errors of means of blocks as "σ = 4, 2 × 2: name", of
  /// estimates cut off at 0 and 16.
  func scores(
    seeds: Int, levels: [Double] = [2, 4, 6], methods: [Method] = Method.allCases
  ) throws -> ScoreSheet {
    var sheet = ScoreSheet()
    for noise in levels {
      let denoisers = try methods.map { ($0.name, try denoiser($0, noise: noise)) }
      for seed in 0..<seeds {
        let noisy = Self.noisy(test, noise: noise, seed: UInt64(seed))
        for (name, denoise) in denoisers {
          let estimate = Self.clipped(denoise(noisy))
          sheet.add(
            "σ = \(Int(noise)): \(name)", 10 * log10(256 / Self.meanSquare(estimate, test)))
          for size in [8, 4, 2] {
            let error = Self.meanSquare(
              Self.blocks(estimate, size: size), Self.blocks(test, size: size))
            sheet.add("σ = \(Int(noise)), \(size) × \(size): \(name)", error.squareRoot())
          }
        }
      }
    }
    return sheet
  }
}
