import Distributions
import Foundation

/// What a whitened residual of d coordinates costs, as a function of s = ‖r‖²; half of s for Gaussian errors.
public enum Loss: Sendable, Equatable {
  /// s / 2.
  case leastSquares
  /// s / 2 for s ≤ c² and c √s − c²/2 beyond, c² being the quantile of χ²_d at this probability (Huber 1964): 0.8214
  /// is the usual c = 1.345 for d = 1.
  case huber(quantile: Double)
  /// (ν + d)/2 · log(1 + s/ν), minus the logarithm of Student's density with ν degrees of freedom.
  case studentT(degreesOfFreedom: Double)

  /// Huber's with c = 1.345 in one dimension.
  public static let huber = Loss.huber(quantile: 0.8214)

  /// c² of Huber's loss.
  private func limit(_ quantile: Double, _ d: Int) -> Double {
    ChiSquaredDistribution(degreesOfFreedom: Double(max(d, 1))).quantile(quantile)
  }

  /// Weight and cost of residuals of d coordinates: the derivative of the cost by s/2, and the cost.
  func evaluator(_ d: Int) -> (_ s: Double) -> (weight: Double, cost: Double) {
    switch self {
    case .leastSquares: return { (1, $0 / 2) }
    case .huber(let quantile):
      let square = limit(quantile, d)
      let c = square.squareRoot()
      return { s in
        s <= square ? (1, s / 2) : (c / s.squareRoot(), c * s.squareRoot() - square / 2)
      }
    case .studentT(let nu):
      let n = Double(d)
      return { s in ((nu + n) / (nu + s), (nu + n) / 2 * log1p(s / nu)) }
    }
  }
}
