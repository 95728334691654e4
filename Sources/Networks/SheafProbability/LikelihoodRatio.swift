import Foundation
import LinearAlgebra

/// A test of a hypothesis about variance components against the model without it.
public struct LikelihoodRatio: Sendable {
  /// 2(ℓ − ℓ₀) ≥ 0.
  public let statistic: Double
  /// The share of draws under the hypothesis, and of the data itself, whose statistic is not smaller.
  public let pValue: Double
  /// The fit of the hypothesis, by group.
  public let null: VarianceFit
  /// The fit of the whole model.
  public let alternative: VarianceFit
}

extension VarianceModel {
  /// Tests that the components of each group have one variance and those of no group none.
  ///
  /// By a parametric bootstrap: residuals are drawn with the hypothesis' own variances, and both models fitted to each draw. The
  /// χ² law does not hold where the hypothesis puts variances on the boundary τ = 0, and its mixtures hold only where no other
  /// component is there (Self, Liang 1987). Where the ratio is 0, as for half of the draws then, the largest u_c ∂ℓ/∂τ_c < 0
  /// of the components left out takes its place, so that p is spread evenly over 1/(draws + 1), 2/(draws + 1), …, 1.
  /// Where the hypothesis has one variance and the floor is 0 this is exact, as the ratio does not depend on it; else it is so
  /// as data grow.
  ///
  /// - Parameters:
  ///   - groups: disjoint lists of components.
  ///   - draws: of the bootstrap; p is at least 1/(draws + 1).
  /// - Throws: `VarianceError` where a model cannot be fitted.
  /// - Complexity: two fits for each draw.
  public func likelihoodRatio(
    null groups: [[Int]], draws: Int = 99, using generator: inout RandomGenerator,
    threads: Int = ProcessInfo.processInfo.activeProcessorCount
  ) throws(VarianceError) -> LikelihoodRatio {
    precondition(draws >= 0, "\(draws) draws")
    let hypothesis = try merged(groups)
    let null = try hypothesis.fit()
    let start = spread(null.variances, groups)
    let alternative = try better(start)
    let outside = (0..<count).filter { c in !groups.contains { $0.contains(c) } }
    // Of the data as of the draws, so that they are alike.
    let statistic = try risen(residuals, hypothesis, groups, outside)
    let factors = try hypothesis.lowerFactors(null.variances)
    var runs = (0..<draws).map { _ in Draw(seed: generator.next()) }
    forEachInParallel(&runs, threads: threads) { run in
      var own = RandomGenerator(seed: run.seed)
      let residuals = sample(factors, using: &own)
      run.result = Result { () throws(VarianceError) in
        try risen(residuals, hypothesis, groups, outside)
      }
    }
    var beyond = 1
    for run in runs where try run.result.get() >= statistic { beyond += 1 }
    return LikelihoodRatio(
      statistic: max(0, 2 * (alternative.logLikelihood - null.logLikelihood)),
      pValue: Double(beyond) / Double(draws + 1), null: null,
      alternative: alternative)
  }

  private struct Draw: Sendable {
    let seed: UInt64
    var result: Result<Double, VarianceError> = .success(0)
  }

  /// The hypothesis' variances as variances of this model, those that it leaves out a little above 0.
  private func spread(_ variances: [Double], _ groups: [[Int]]) -> [Double] {
    var result = evenVariances.map { 0.01 * $0 }
    for (value, group) in zip(variances, groups) {
      for c in group { result[c] = max(value, 1e-3 * units[c]) }
    }
    return result
  }

  /// The better of the maxima from even shares and from the hypothesis.
  private func better(_ start: [Double]) throws(VarianceError) -> VarianceFit {
    let (even, other) = (try fit(), try fit(from: start))
    return even.logLikelihood >= other.logLikelihood ? even : other
  }

  /// The statistic of some residuals, by fits from even shares.
  private func risen(
    _ residuals: Matrix, _ hypothesis: VarianceModel, _ groups: [[Int]], _ outside: [Int]
  ) throws(VarianceError) -> Double {
    let h = try hypothesis.replacing(residuals).ascend(from: nil, tolerance: 1e-6).point
    let model = try replacing(residuals)
    let a = try model.ascend(from: nil, tolerance: 1e-6).point
    return try model.tied(
      max(0, 2 * (a.logLikelihood - h.logLikelihood)), h.variances, groups, outside)
  }

  /// A ratio, or where it is 0 a score below 0 of the components that the hypothesis leaves out.
  private func tied(
    _ ratio: Double, _ variances: [Double], _ groups: [[Int]], _ outside: [Int]
  ) throws(VarianceError) -> Double {
    guard ratio < 1e-4 && !outside.isEmpty else { return ratio }
    var full = [Double](repeating: 0, count: count)
    for (value, group) in zip(variances, groups) { for c in group { full[c] = value } }
    let gradient = try known(full).gradient
    return min(0, outside.map { units[$0] * gradient[$0] }.max()!)
  }
}
