import Foundation
import LinearAlgebra
import SheafProbability

/// How much of a difference is laid to each layer.
public struct LayerStiffness: Sendable {
  /// By layer the variance that its noise, added and multiplied, has in the output, as a share of the residuals' mean square: the
  /// largest is the suspect. (A soft layer has a large variance; γ = 1/τ is its stiffness.)
  public let scores: [Double]
  /// By layer the part that is added.
  public let additive: [Double]
  /// By layer the part that multiplies.
  public let gain: [Double]
}

/// A test of whether some layers differ from the others.
public struct FaultTest: Sendable {
  /// 2(ℓ − ℓ₀).
  public let statistic: Double
  /// The share of draws under the hypothesis, and of the data itself, whose statistic is not smaller.
  public let pValue: Double
}

extension VarianceModel {
  /// Learned stiffness: so many monotone updates from equal shares (`FaultProbes.varianceModel`).
  ///
  /// The updates are not run to their end. Where layers look alike the likelihood hardly tells a split between them from one of
  /// them alone, and the maximum picks at random; early on the shares are still spread by how well each layer explains the
  /// residuals on its own.
  ///
  /// - Parameter updates: how many; 60 was chosen on other faults than are reported (Docs/FaultLocation.md).
  public func layerStiffness(updates: Int = 60) throws(FaultError) -> LayerStiffness {
    let tau: [Double]
    do {
      tau = try updated(evenVariances, times: updates)
    } catch { throw .variance(error) }
    let shares = zip(tau, units).map { $0 / $1 }
    let half = shares.count / 2
    let (additive, gain) = (Array(shares[..<half]), Array(shares[half...]))
    return LayerStiffness(
      scores: zip(additive, gain).map(+), additive: additive, gain: gain)
  }

  /// Tests that no layer stands out: that every component has the same share of the residuals,
  ///
  ///     S_i = σ² (Σ_c P̃_{c,i}/C + ε I),   P̃_c = P_c scaled to the mean trace n,   σ² unknown.
  ///
  /// The statistic is twice the rise of the log-likelihood to its maximum over all components. Residuals are scaled to mean square 1
  /// first, so that its law under the hypothesis depends on nothing unknown, and the share of draws that reach it is an exact
  /// p-value (Barnard 1963; Dufour 2006), whatever the number of probes.
  ///
  /// - Parameter draws: p is at least 1/(draws + 1).
  public func faultTest(
    draws: Int = 99, using generator: inout RandomGenerator,
    threads: Int = ProcessInfo.processInfo.activeProcessorCount
  ) throws(FaultError) -> FaultTest {
    precondition(draws >= 0, "\(draws) draws")
    do {
      let own = try risen(residuals)
      var runs: [Draw] = []
      for _ in 0..<draws {
        runs.append(Draw(residuals: try sample(evenVariances, using: &generator)))
      }
      forEachInParallel(&runs, threads: threads) { run in
        run.result = Result { () throws(VarianceError) in try risen(run.residuals) }
      }
      var beyond = 1
      for run in runs where try run.result.get() >= own { beyond += 1 }
      return FaultTest(statistic: own, pValue: Double(beyond) / Double(draws + 1))
    } catch { throw .variance(error) }
  }

  private struct Draw: Sendable {
    let residuals: Matrix
    var result: Result<Double, VarianceError> = .success(0)

    init(residuals: Matrix) { self.residuals = residuals }
  }

  /// The statistic of some residuals, which are first scaled to the mean square of the model's own: floor and shares are
  /// relative to that.
  private func risen(_ r: Matrix) throws(VarianceError) -> Double {
    var scaled = r
    scaled.scale(by: (dot(residuals, residuals) / dot(r, r)).squareRoot())
    let model = try replacing(scaled)
    let start = try model.profile(evenVariances)
    let end = try model.fit(tolerance: 1e-4, stepLimit: 60, hasStandardErrors: false)
    return 2 * (end.logLikelihood - start)
  }

  /// The log-likelihood of σ² times the covariances of some variances, at its maximum over σ².
  private func profile(_ variances: [Double]) throws(VarianceError) -> Double {
    let n = Double(residuals.count)
    let value = logLikelihood(variances)
    let square = try misfit(variances)
    // ℓ(σ²) = ℓ(1) + q/2 − (n/2) log σ² − q/2σ², largest at σ² = q/n.
    return value + square / 2 - n / 2 * log(square / n) - n / 2
  }
}
