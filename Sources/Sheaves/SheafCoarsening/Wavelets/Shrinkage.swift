import Foundation
import LinearAlgebra

/// A rule by which coefficients become smaller: white noise spreads over all of an orthonormal basis, a signal that the
/// basis suits over few of its elements (Donoho, Johnstone 1994).
public enum Shrinkage: Sendable, Equatable {
  /// c where |c| > t, else 0.
  case hard(threshold: Double)
  /// sign(c) (|c| − t)₊.
  case soft(threshold: Double)
  /// c · v/(v + σ²), the linear estimate of a coefficient of variance v.
  case wiener(variance: Double, noise: Double)

  /// A coefficient, shrunk.
  public func callAsFunction(_ c: Double) -> Double {
    switch self {
    case .hard(let t): abs(c) > t ? c : 0
    case .soft(let t): c > t ? c - t : c < -t ? c + t : 0
    case .wiener(let v, let noise): v > 0 ? c * v / (v + noise * noise) : 0
    }
  }

  /// σ √(2 log n): no coefficient of n that are pure noise is above it, with a probability that tends to 1 (ibid.).
  public static func universalThreshold(noise: Double, count: Int) -> Double {
    noise * (2 * log(Double(max(count, 1)))).squareRoot()
  }

  /// σ²/σ_x with σ_x² = (mean c² − σ²)₊: the soft threshold that is nearly best for coefficients of Laplace's
  /// distribution (Chang, Yu, Vetterli 2000); ∞ where nothing but noise is seen.
  public static func bayesThreshold(_ coefficients: [Double], noise: Double) -> Double {
    let mean = coefficients.reduce(0) { $0 + $1 * $1 } / Double(max(coefficients.count, 1))
    let variance = mean - noise * noise
    return variance > 0 ? noise * noise / variance.squareRoot() : .infinity
  }

  /// The deviation of noise from coefficients that are mostly noise, the finest: median |c| / 0.6745 (Donoho, Johnstone
  /// 1994, §4).
  public static func noise(of coefficients: [Double]) -> Double {
    guard !coefficients.isEmpty else { return 0 }
    let sorted = coefficients.map { abs($0) }.sorted()
    let half = sorted.count / 2
    let median = sorted.count % 2 == 1 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2
    return median / 0.6744897501960817
  }
}

extension SheafWavelets {
  /// Which rule a denoising follows.
  public enum Rule: Sendable, Equatable {
    /// The universal threshold for all wavelets.
    case universal(isSoft: Bool)
    /// Soft thresholds of each level by `Shrinkage.bayesThreshold`.
    case bayes
  }

  /// The deviation of noise in a cochain, by `Shrinkage.noise` from the wavelets of the finest level that has at least so
  /// many.
  ///
  /// - Parameter least: fewer coefficients say nothing.
  /// - Returns: the deviation, and from how many coefficients of which level it comes; nil where no level has so many.
  public func noise(
    of cochain: Matrix, least: Int = 8
  ) -> (deviation: Double, coefficients: Int, level: Int)? {
    precondition(cochain.columns == 1, "one cochain, found \(cochain.shape)")
    return noise(ofCoefficients: analyse(cochain).elements, least: least)
  }

  private func noise(
    ofCoefficients coefficients: [Double], least: Int = 8
  ) -> (deviation: Double, coefficients: Int, level: Int)? {
    for level in 1..<max(levelCount + 1, 1) {
      let places = elements.indices.filter {
        !elements[$0].isScaling && elements[$0].level == level
      }
      if places.count >= least {
        return (Shrinkage.noise(of: places.map { coefficients[$0] }), places.count, level)
      }
    }
    return nil
  }

  /// Cochains whose wavelet coefficients are shrunk; scaling coefficients stay.
  ///
  /// - Parameters:
  ///   - cochains: of degree 0, one per column, each by itself.
  ///   - noise: the deviation of the noise in orthonormal coordinates; by `noise(of:)` if nil.
  ///   - rule: by what they are shrunk.
  /// - Throws: `CoarseningError.quantity` where the noise is to be found and no level has wavelets enough.
  public func denoise(
    _ cochains: Matrix, noise given: Double? = nil, by rule: Rule = .bayes
  ) throws(CoarseningError) -> Matrix {
    var coefficients = analyse(cochains)
    let levels = Dictionary(
      grouping: elements.indices.filter { !elements[$0].isScaling }, by: { elements[$0].level })
    for j in 0..<cochains.columns {
      guard let sigma = given ?? noise(ofCoefficients: coefficients.column(j))?.deviation else {
        throw .quantity(
          name: "the noise", found: "no level with 8 wavelets to find it from",
          expected: "its deviation")
      }
      for places in levels.values {
        let values = places.map { coefficients[$0, j] }
        let shrinkage =
          switch rule {
          case .universal(let isSoft):
            isSoft
              ? Shrinkage.soft(
                threshold: Shrinkage.universalThreshold(noise: sigma, count: elements.count))
              : Shrinkage.hard(
                threshold: Shrinkage.universalThreshold(noise: sigma, count: elements.count))
          case .bayes: Shrinkage.soft(threshold: Shrinkage.bayesThreshold(values, noise: sigma))
          }
        for i in places { coefficients[i, j] = shrinkage(coefficients[i, j]) }
      }
    }
    return synthesise(coefficients)
  }
}
