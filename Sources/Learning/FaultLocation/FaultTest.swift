import Foundation
import LinearAlgebra
import NeuralSheaves
import SheafProbability

/// A test of whether some layer is off by more than the others.
public struct FaultTest: Sendable {
  /// 2(ℓ − ℓ₀): ℓ with variances of its own for each layer, ℓ₀ with those that are usual without a fault, up to a factor.
  public let statistic: Double
  /// The share of networks without a fault, and of the deployed one itself, whose statistic is not smaller.
  public let pValue: Double
  /// The relative change of the weights in these networks.
  public let noise: Double
}

extension FaultProbes {
  /// Tests that no layer is off by more than the others: that all weights differ from the reference's by independent normal
  /// numbers of the same size relative to their layer's root mean square.
  ///
  /// Such networks are drawn around the deployed one, so many as `draws`, their weights changed so much that outputs differ about as
  /// the reference's do. To the differences of each, and of the reference, the components of the layers are fitted; the mean of all
  /// these fits, up to a factor, is what is usual without a fault. The statistic is twice the rise of the log-likelihood from there to the
  /// fit. As it treats the reference and the draws alike and no size enters, p is exact under the hypothesis (Barnard 1963; Dufour 2006)
  /// as long as changes are so small that outputs are linear in them.
  ///
  /// - Parameters:
  ///   - model: `varianceModel()`.
  ///   - draws: p is at least 1/(draws + 1).
  /// - Complexity: a forward pass and a fit for each draw.
  public func test(
    _ model: VarianceModel, draws: Int = 99, using generator: inout RandomGenerator,
    threads: Int = ProcessInfo.processInfo.activeProcessorCount
  ) throws(FaultError) -> FaultTest {
    precondition(draws >= 1, "\(draws) draws")
    let logits = state.stalks[network.lastVertex]
    let own = model.residuals
    let size = (dot(own, own) / Double(own.count)).squareRoot()
    // A small change first, to see how much the outputs take up.
    let small = 1e-4
    let response = changes(by: small, logits, using: &generator)
    let unit = (dot(response, response) / Double(response.count)).squareRoot() / small
    guard unit > 0 && unit.isFinite else {
      throw .notFinite(name: "the output with changed weights", sample: 0)
    }
    let noise = min(size / unit, 0.5)
    var runs = [Run(residuals: own)]
    for _ in 0..<draws {
      runs.append(Run(residuals: changes(by: noise, logits, using: &generator)))
    }
    do {
      forEachInParallel(&runs, threads: threads) { run in
        run.result = Result { () throws(VarianceError) in try Fitted(run.residuals, model) }
      }
      var fits: [Fitted] = []
      for run in runs { fits.append(try run.result!.get()) }
      let usual = (0..<model.count).map { c in
        fits.reduce(0) { $0 + $1.fit.variances[c] } / Double(fits.count)
      }
      var statistics: [Double] = []
      for fitted in fits {
        let start = try fitted.model.profiledLikelihood(usual)
        statistics.append(2 * (fitted.fit.logLikelihood - start))
      }
      return FaultTest(
        statistic: statistics[0],
        pValue: Double(statistics.count { $0 >= statistics[0] }) / Double(statistics.count),
        noise: noise)
    } catch { throw .variance(error) }
  }

  /// How the outputs change with changed weights, in the coordinates of the residuals.
  private func changes(
    by noise: Double, _ logits: Matrix, using generator: inout RandomGenerator
  ) -> Matrix {
    var changed = network
    for layer in layers {
      changed.updateParameters(of: layer.edge) { i, w in
        guard i == 0 else { return }
        let size = (dot(w, w) / Double(w.count)).squareRoot()
        w.add(
          generator.normalMatrix(rows: w.rows, columns: w.columns, deviation: noise * size))
      }
    }
    var difference = changed.logits(input)
    difference.add(logits, scale: -1)
    return self.difference.reduced(difference: difference)
  }

  private struct Run: Sendable {
    let residuals: Matrix
    var result: Result<Fitted, VarianceError>?

    init(residuals: Matrix) { self.residuals = residuals }
  }

  /// Residuals scaled to the mean square of a model's own, to which its floor is relative, and the fit to them.
  private struct Fitted: Sendable {
    let model: VarianceModel
    let fit: VarianceFit

    init(_ r: Matrix, _ model: VarianceModel) throws(VarianceError) {
      let own = model.residuals
      var scaled = r
      scaled.scale(by: (dot(own, own) / dot(r, r)).squareRoot())
      self.model = try model.replacing(scaled)
      fit = try self.model.fit(tolerance: 1e-4, stepLimit: 60, hasStandardErrors: false)
    }
  }
}

extension VarianceModel {
  /// The log-likelihood of σ² times the covariances of some variances, at its maximum over σ².
  fileprivate func profiledLikelihood(_ variances: [Double]) throws(VarianceError) -> Double {
    let n = Double(residuals.count)
    let square = try misfit(variances)
    // ℓ(σ²) = ℓ(1) + q/2 − (n/2) log σ² − q/2σ², largest at σ² = q/n.
    return logLikelihood(variances) + square / 2 - n / 2 * log(square / n) - n / 2
  }
}
