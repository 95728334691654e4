import Distributions
import Foundation
import LinearAlgebra
import SheafProbability
import Testing

/// Variance components against likelihoods of dense Gaussians, other ways to a maximum, and draws.
@Suite struct VarianceModelTests {
  @Test func likelihoodIsThatOfDenseGaussians() throws {
    for seed in 0..<40 as Range<UInt64> {
      // 30 coordinates take the other way to an inverse.
      let n = seed % 10 == 9 ? 30 : Int(seed % 5) + 1
      let problem = try VarianceProblem(seed: seed, order: n, samples: 6, count: 3)
      let tau = problem.variances.map { $0 + 0.1 }
      let expected = try problem.logLikelihood(tau)
      let found = problem.model.logLikelihood(tau)
      #expect(abs(found - expected) < 1e-10 * abs(expected), "seed \(seed)")
    }
  }

  /// A known part of the covariances counts as it is: K = Σ σ_c P_c moves the likelihood by σ.
  @Test func knownPartsAreAdded() throws {
    for seed in 60..<80 as Range<UInt64> {
      let problem = try VarianceProblem(
        seed: seed, order: seed % 4 == 3 ? 30 : 4, samples: 6, count: 3)
      let tau = problem.variances.map { $0 + 0.1 }
      let known = (0..<problem.model.residuals.columns).map { j in
        zip(problem.components, [0.3, 0, 0.7]).reduce(into: Matrix(rows: 0, columns: 0)) {
          sum, part in
          var term = part.0[j]
          term.scale(by: part.1)
          if sum.count == 0 { sum = term } else { sum.add(term) }
        }
      }
      let model = try VarianceModel(
        residuals: problem.model.residuals, components: problem.components, known: known,
        floor: problem.floor)
      let expected = problem.model.logLikelihood(zip(tau, [0.3, 0, 0.7]).map { $0 + $1 })
      let found = model.logLikelihood(tau)
      #expect(abs(found - expected) < 1e-10 * abs(expected), "seed \(seed): \(found), \(expected)")
    }
  }

  /// In other units, however far away, the likelihood is shifted by their logarithm.
  @Test(arguments: [1e-70, 1e70]) func unitsShiftTheLikelihood(unit: Double) throws {
    for (seed, n) in [(1, 4), (2, 12), (3, 30)] as [(UInt64, Int)] {
      let problem = try VarianceProblem(seed: seed, order: n, samples: 6, count: 3)
      let tau = problem.variances.map { $0 + 0.1 }
      var scaled = problem.model.residuals
      scaled.scale(by: unit)
      let model = try VarianceModel(
        residuals: scaled, components: problem.components, floor: problem.floor * unit * unit)
      let expected =
        problem.model.logLikelihood(tau) - Double(scaled.count) * log(unit)
      let found = model.logLikelihood(tau.map { $0 * unit * unit })
      #expect(abs(found - expected) < 1e-9 * abs(expected), "order \(n): \(found), \(expected)")
    }
  }

  @Test func derivativesAreThoseOfDifferences() throws {
    for seed in 100..<120 as Range<UInt64> {
      let problem = try VarianceProblem(seed: seed, order: 3, samples: 12, count: 4)
      let model = problem.model
      let tau = problem.variances.map { $0 + 0.2 }
      let gradient = try model.gradient(tau)
      let information = try model.observedInformation(tau)
      let h = 1e-5
      for c in tau.indices {
        func moved(_ step: Double) -> [Double] {
          var other = tau
          other[c] += step
          return other
        }
        let slope = (model.logLikelihood(moved(h)) - model.logLikelihood(moved(-h))) / (2 * h)
        #expect(abs(slope - gradient[c]) < 1e-6 * max(1, abs(slope)), "seed \(seed)")
        let (right, left) = (try model.gradient(moved(h)), try model.gradient(moved(-h)))
        for d in tau.indices {
          let curvature = -(right[d] - left[d]) / (2 * h)
          #expect(
            abs(curvature - information[c, d]) < 1e-6 * max(1, abs(curvature)), "seed \(seed)")
        }
      }
    }
  }

  @Test func updatesNeverLowerTheLikelihood() throws {
    let seeds = (200..<1200).map { UInt64($0) }
    try Tally.over(seeds) { seed, tally in
      var g = RandomGenerator(case: seed)
      let model = try VarianceProblem(
        seed: seed, order: g.integer(1...4), samples: g.integer(3...12), count: g.integer(1...2)
      ).model
      var tau = model.units.map { $0 * exp(3 * g.normal()) }
      var value = model.logLikelihood(tau)
      for _ in 0..<20 {
        tau = try model.updated(tau)
        let next = model.logLikelihood(tau)
        tally.expect(next >= value - 1e-11 * max(1, abs(value)), "seed \(seed)")
        value = next
      }
    }.check(atLeast: 20_000)
  }

  @Test func fitIsTheMaximumByAnotherMethod() throws {
    try Tally.over((2000..<2050).map { UInt64($0) }) { seed, tally in
      let problem = try VarianceProblem(
        seed: seed, order: 2, samples: 15, count: Int(seed % 2) + 2)
      let fit = try problem.model.fit()
      let direct = try problem.directMaximum(cycles: 300)
      tally.expect(fit.status == .converged, "seed \(seed): \(fit.violation)")
      // Where components look alike single coordinates stop a little short.
      let gain = fit.logLikelihood - direct
      tally.expect(gain > -1e-6 && gain < 1e-3, "seed \(seed): \(gain)")
    }.check(atLeast: 100)
  }

  @Test func certificateHolds() throws {
    for seed in 2100..<2140 as Range<UInt64> {
      let model = try VarianceProblem(seed: seed, order: 4, samples: 40, count: 5).model
      let fit = try model.fit()
      #expect(fit.status == .converged, "seed \(seed): \(fit.violation), \(fit.steps) steps")
      let gradient = try model.gradient(fit.variances)
      for c in gradient.indices {
        let scale = 1e-6 * Double(model.residuals.count) / model.units[c]
        let isZero = fit.variances[c] == 0
        #expect(gradient[c] < scale, "seed \(seed)")
        #expect(fit.variances[c] >= 0)
        #expect((fit.standardErrors[c] == nil) == isZero, "seed \(seed)")
        #expect(
          abs(gradient[c]) * fit.variances[c] < 1e-6 * Double(model.residuals.count),
          "seed \(seed)")
      }
    }
  }

  @Test func standardErrorsAreTheSpreadOfDraws() throws {
    var problem = try VarianceProblem(
      seed: 31, order: 3, samples: 150, count: 3, zeros: 0)
    let draws = 300
    var (sums, squares, errors) = ([0.0, 0, 0], [0.0, 0, 0], [0.0, 0, 0])
    for _ in 0..<draws {
      let r = try problem.model.sample(problem.variances, using: &problem.generator)
      let fit = try problem.model.replacing(r).fit()
      for c in 0..<3 {
        sums[c] += fit.variances[c]
        squares[c] += fit.variances[c] * fit.variances[c]
        errors[c] += try #require(fit.standardErrors[c])
      }
    }
    let count = Double(draws)
    for c in 0..<3 {
      let mean = sums[c] / count
      let spread = (squares[c] / count - mean * mean).squareRoot()
      let ratio = errors[c] / count / spread
      #expect(abs(ratio - 1) < 0.15, "component \(c): \(ratio)")
      #expect(abs(mean - problem.variances[c]) < 5 * spread / count.squareRoot())
    }
  }

  /// Two variances and a third that is 0; three that are equal; one that is not 0.
  @Test(arguments: [
    ([[0], [1]], [1, 0.7, 0]), ([[0, 1, 2]], [1, 1, 1]), ([[0]], [0.5, 0, 0]),
  ])
  func pValuesAreUniformUnderTheHypothesis(_ groups: [[Int]], _ variances: [Double]) throws {
    struct Run: Sendable {
      let seed: UInt64
      var p = Double.nan
    }
    var runs = (0..<1000).map { Run(seed: UInt64($0) + 5000) }
    let models = try (0..<7).map {
      try VarianceProblem(seed: 40 + $0, order: 2, samples: 25, count: 3).model
    }
    forEachInParallel(&runs, threads: 2) { run in
      var g = RandomGenerator(case: run.seed)
      let model = models[Int(run.seed % 7)]
      guard let r = try? model.sample(variances, using: &g),
        let test = try? model.replacing(r).likelihoodRatio(
          null: groups, draws: 19, using: &g, threads: 1)
      else { return }
      // p is one of 1/20, …, 1.
      run.p = test.pValue - g.uniform() / 20
    }
    let p = KolmogorovSmirnov.uniformPValue(runs.map(\.p))
    #expect(p > 0.001, "\(groups): \(p)")
  }

  @Test func falseHypothesesAreRejected() throws {
    var problem = try VarianceProblem(seed: 77, order: 3, samples: 80, count: 3, zeros: 0)
    let r = try problem.model.sample([1, 0, 3], using: &problem.generator)
    let model = try problem.model.replacing(r)
    for groups in [[[0], [1]], [[0, 1, 2]], []] {
      let test = try model.likelihoodRatio(null: groups, draws: 49, using: &problem.generator)
      #expect(test.pValue == 0.02 && test.statistic > 10, "\(groups)")
    }
    let test = try model.likelihoodRatio(
      null: [[0], [2]], draws: 49, using: &problem.generator)
    #expect(test.pValue > 0.02)
    #expect(test.null.logLikelihood <= test.alternative.logLikelihood + 1e-9)
  }

  @Test func mergedComponentsHaveOneVariance() throws {
    let problem = try VarianceProblem(seed: 50, order: 3, samples: 10, count: 4)
    let merged = try problem.model.merged([[0, 2], [3]])
    let found = merged.logLikelihood([0.7, 0.2])
    let expected = try problem.logLikelihood([0.7, 0, 0.7, 0.2])
    #expect(abs(found - expected) < 1e-11 * abs(expected))
  }

  @Test func whatHasNoVariancesIsRefused() throws {
    let r = Matrix([[1, 2], [3, 4]])
    let one = [Matrix.identity(2), .identity(2)]
    func error(_ residuals: Matrix, _ components: [[Matrix]], _ floor: Double = 0) -> VarianceError?
    {
      do {
        _ = try VarianceModel(residuals: residuals, components: components, floor: floor)
        return nil
      } catch { return error }
    }
    #expect(error(r, [one]) == nil)
    #expect(error(Matrix(rows: 0, columns: 0), []) == .noData)
    #expect(error(Matrix(rows: 2, columns: 2), [one]) == .zeroResiduals)
    #expect(error(r, [one, one, one, one]) == .tooManyComponents(found: 4, data: 4))
    #expect(error(r, [one], -1) == .floor(found: -1))
    #expect(
      error(Matrix([[1, .nan], [3, 4]]), [one]) == .notFinite(name: "the residual", sample: 1))
    #expect(
      error(r, [[.identity(2), Matrix([[1, 0], [0, .infinity]])]])
        == .notFinite(name: "component 0", sample: 1))
    #expect(
      error(r, [one, [.identity(2)]])
        == .component(1, found: "1 matrices", expected: "one for each of 2 samples"))
    #expect(
      error(r, [[.identity(2), .identity(3)]])
        == .component(0, found: "a matrix of shape (3, 3)", expected: "(2, 2)"))
    // Rank one and no floor.
    let flat = try VarianceModel(
      residuals: r,
      components: [[Matrix]](
        repeating: [Matrix([[1, 1], [1, 1]]), Matrix([[1, 1], [1, 1]])], count: 1))
    #expect(throws: VarianceError.indefinite(sample: 0)) { try flat.fit() }
    #expect(flat.logLikelihood([1]) == -.infinity)
  }
}
