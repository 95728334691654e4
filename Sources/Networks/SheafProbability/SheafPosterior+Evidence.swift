import Foundation
import LinearAlgebra
import NeuralSheaves

extension SheafPosterior {
  /// The logarithm of the density of what is known of each sample, log p(y | x) for an output, by Laplace's method:
  ///
  ///     −log p(y | x) = E* + ½ log det(D + BᵀGB) + log Z − Σ_c log s_c.
  ///
  /// log Z = (n/2) log(2π/κ) for the squared energy; for a linear network p(y | x) is then the density of N(ŷ, C + I/κ) at y,
  /// and exact. For a cross-entropy log Z = 0: exp(−κ·CE) sums to one over the classes if κ = 1. A soft pin
  /// of stiffness w adds ½ log(2π/w) to log Z, a hard one ½ log 2π. Of the coordinates
  /// c that rest on a kink, where E rises by l_c and r_c per unit to its sides, s_c ≤ 1 is what is left of a Gaussian integral: with Σ = TTᵀ on
  /// these coordinates, T lower triangular,
  ///
  ///     s_c = ½ f(l_c T_cc/√2) + ½ f(r_c T_cc/√2),   f(x) = exp(x²) erfc(x).
  ///
  /// Ties count for nothing. Cost: reverse sweeps for the coordinates on kinks and the outputs of each sample that has any.
  ///
  /// - Throws: `ProbabilityError.indefinite` where Σ has no Cholesky factor on the coordinates on kinks.
  public func logEvidence(
    threads: Int = ProcessInfo.processInfo.activeProcessorCount
  ) throws(ProbabilityError) -> [Double] {
    var values: [Double] = []
    for (j, kinks) in kinks.enumerated() {
      var value = -(energies[j] + inner[j].logDeterminant / 2 + observations.logNormaliser)
      if !kinks.isEmpty {
        let sigma = covariances(of: kinks.map(\.coordinate), samples: [j], threads: threads)[0]
        let factor: CholeskyFactorization
        do {
          factor = try CholeskyFactorization(sigma)
        } catch { throw .indefinite(sample: j) }
        for (c, kink) in kinks.enumerated() {
          let deviation = factor.lowerTriangle[c, c]
          value += log(kink.share(variance: deviation * deviation))
        }
      }
      values.append(value)
    }
    return values
  }
}
