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

  /// Cochains whose wavelet coefficients are shrunk; scaling coefficients stay.
  ///
  /// - Parameters:
  ///   - cochains: of degree 0, one per column, each by itself.
  ///   - noise: the deviation of the noise in orthonormal coordinates; from the wavelets of level 1 if nil.
  ///   - rule: by what they are shrunk.
  public func denoise(_ cochains: Matrix, noise: Double? = nil, by rule: Rule = .bayes) -> Matrix {
    var coefficients = analyse(cochains)
    let levels = Dictionary(
      grouping: elements.indices.filter { !elements[$0].isScaling }, by: { elements[$0].level })
    for j in 0..<cochains.columns {
      let values = { (places: [Int]) in places.map { coefficients[$0, j] } }
      let sigma = noise ?? Shrinkage.noise(of: values(levels[1] ?? []))
      let rules = levels.mapValues { places -> Shrinkage in
        switch rule {
        case .universal(let isSoft):
          let t = Shrinkage.universalThreshold(noise: sigma, count: elements.count)
          return isSoft ? .soft(threshold: t) : .hard(threshold: t)
        case .bayes: return .soft(threshold: Shrinkage.bayesThreshold(values(places), noise: sigma))
        }
      }
      for (level, places) in levels {
        for i in places { coefficients[i, j] = rules[level]!(coefficients[i, j]) }
      }
    }
    return synthesise(coefficients)
  }
}
