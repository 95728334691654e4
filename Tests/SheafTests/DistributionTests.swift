import Distributions
import Foundation
import LinearAlgebra
import Testing

/// Distribution functions against numbers of greater precision, and quantiles against distribution functions.
@Suite struct DistributionTests {
  /// |x − y| / |y|.
  static func error(_ x: Double, _ y: Double) -> Double { x == y ? 0 : abs(x - y) / abs(y) }

  @Test func normalTailsAreExact() {
    let normal = NormalDistribution()
    for (x, cdf) in DistributionTable.normal {
      #expect(Self.error(normal.cdf(x), cdf) < 1e-12, "Φ(\(x)) = \(normal.cdf(x))")
      #expect(Self.error(normal.upperTail(-x), cdf) < 1e-12)
      if cdf < 0.99 {
        // An error of the number in the table counts by the condition number.
        let q = normal.quantile(cdf)
        #expect(abs(q - x) < 1e-15 + 1e-13 * abs(x), "quantile of Φ(\(x)): \(q)")
        #expect(normal.quantile(upperTail: cdf) == -q)
      }
    }
    #expect(normal.quantile(0) == -.infinity && normal.quantile(1) == .infinity)
    #expect(normal.quantile(0.5) == 0 && normal.quantile(.nan).isNaN && normal.cdf(.nan).isNaN)
  }

  @Test func chiSquaredTailsAreExact() {
    for (degrees, x, cdf, upper) in DistributionTable.chiSquared {
      let law = ChiSquaredDistribution(degreesOfFreedom: degrees)
      let (p, q) = (law.cdf(x), law.upperTail(x))
      #expect(Self.error(p, cdf) < 1e-12, "P for \(degrees), \(x): \(p), not \(cdf)")
      #expect(Self.error(q, upper) < 1e-12, "Q for \(degrees), \(x): \(q), not \(upper)")
    }
    let law = ChiSquaredDistribution(degreesOfFreedom: 3)
    #expect(law.cdf(-1) == 0 && law.cdf(.infinity) == 1 && law.upperTail(.infinity) == 0)
    #expect(law.cdf(.nan).isNaN && law.quantile(0) == 0 && law.quantile(1) == .infinity)
  }

  @Test func fisherTailsAreExact() {
    for (d1, d2, f, cdf, upper) in DistributionTable.fisher {
      let law = FDistribution(d1, d2)
      let (p, q) = (law.cdf(f), law.upperTail(f))
      #expect(Self.error(p, cdf) < 1e-12, "P for \(d1), \(d2), \(f): \(p), not \(cdf)")
      #expect(Self.error(q, upper) < 1e-12, "Q for \(d1), \(d2), \(f): \(q), not \(upper)")
    }
    let law = FDistribution(2, 5)
    #expect(law.cdf(-1) == 0 && law.cdf(.infinity) == 1 && law.cdf(.nan).isNaN)
  }

  @Test func studentTailsAreExact() {
    for (degrees, t, upper) in DistributionTable.student {
      let law = StudentTDistribution(degreesOfFreedom: degrees)
      let q = law.upperTail(t)
      #expect(Self.error(q, upper) < 1e-12, "Q for \(degrees), \(t): \(q), not \(upper)")
      #expect(law.cdf(-t) == q && abs(law.cdf(t) + q - 1) < 1e-15)
      let x = law.quantile(upperTail: upper)
      #expect(Self.error(x, t) < 1e-12 + 1e-16 / t, "quantile for \(degrees), \(t): \(x)")
    }
    let law = StudentTDistribution(degreesOfFreedom: 4)
    #expect(law.cdf(0) == 0.5 && law.quantile(0.5) == 0 && law.cdf(.infinity) == 1)
    #expect(law.quantile(0) == -.infinity && law.cdf(.nan).isNaN && law.quantile(.nan).isNaN)
  }

  /// Quantiles undo distribution functions, for random degrees of freedom and probabilities of any magnitude.
  @Test func quantilesInvertDistributionFunctions() throws {
    try Tally.over((0..<200).map { $0 }) { seed, tally in
      var g = RandomGenerator(case: seed)
      let degrees = pow(10, g.uniform(-1, 4.5))
      let p = seed % 2 == 0 ? g.uniform() : pow(10, g.uniform(-290, 0))
      let (chi, student) = (
        ChiSquaredDistribution(degreesOfFreedom: degrees),
        StudentTDistribution(degreesOfFreedom: degrees)
      )
      let (normal, x, y) = (NormalDistribution(), chi.quantile(p), chi.quantile(upperTail: p))
      tally.expect(Self.error(normal.cdf(normal.quantile(p)), p) < 1e-12, "seed \(seed): normal")
      // x may be no normal number, and rounding of x = 1 + … counts by the condition number, up to 10³.
      let limit = 1e-12 + 1e-15 * max(degrees, 1e3).squareRoot()
      tally.expect(
        x < 1e-300 || Self.error(chi.cdf(x), p) < limit, "seed \(seed): χ², \(degrees), \(p), \(x)")
      tally.expect(
        y < 1e-300 || Self.error(chi.upperTail(y), p) < limit,
        "seed \(seed): χ² above, \(degrees), \(p), \(y)")
      let t = student.quantile(p)
      tally.expect(
        t.isInfinite || Self.error(student.cdf(t), p) < limit,
        "seed \(seed): t, \(degrees), \(p), \(t)")
    }.check(atLeast: 800)
  }

  /// t² with ν degrees of freedom is F with 1 and ν; χ² with 2 is exponential; F's reciprocal exchanges its degrees.
  @Test func distributionsAreRelated() {
    for degrees in [0.7, 1, 4, 33, 1e4] {
      for t in [0.3, 1, 2.5, 8] {
        let twice = 2 * StudentTDistribution(degreesOfFreedom: degrees).upperTail(t)
        #expect(Self.error(FDistribution(1, degrees).upperTail(t * t), twice) < 1e-11)
        let f = FDistribution(3, degrees)
        #expect(Self.error(FDistribution(degrees, 3).upperTail(1 / t), f.cdf(t)) < 1e-11)
        let half = ChiSquaredDistribution(degreesOfFreedom: 2).upperTail(2 * t * degrees)
        #expect(half == 0 || Self.error(half, exp(-t * degrees)) < 1e-12)
      }
    }
  }

  // MARK: False discovery rates

  /// Numbers of scipy.stats.false_discovery_control, scipy 1.17.1.
  @Test func adjustedPValuesAgree() {
    let p = [0.01, 0.02, 0.03, 0.04, 0.05, 0.5, 1, 0.0001, 0.3, 0.02]
    let hochberg = [
      0.05, 0.05, 0.06, 0.06666666666666667, 0.07142857142857144, 0.5555555555555556, 1.0, 0.001,
      0.375, 0.05,
    ]
    let yekutieli = [
      0.1464484126984127, 0.1464484126984127, 0.17573809523809522, 0.19526455026455025,
      0.2092120181405896, 1.0, 1.0, 0.0029289682539682537, 1.0, 0.1464484126984127,
    ]
    for (result, expected) in [
      (FalseDiscoveryRate.benjaminiHochberg(p), hochberg),
      (FalseDiscoveryRate.benjaminiYekutieli(p), yekutieli),
    ] {
      #expect(zip(result, expected).allSatisfy { Self.error($0, $1) < 1e-14 }, "\(result)")
    }
    #expect(FalseDiscoveryRate.benjaminiHochberg([]) == [])
  }

  /// What is not a number is not counted, and the others keep their places.
  @Test func missingTestsAreNotCounted() {
    let p = [0.01, 0.2, 0.04]
    for adjust in [FalseDiscoveryRate.benjaminiHochberg, FalseDiscoveryRate.benjaminiYekutieli] {
      let (all, some) = (adjust(p), adjust([.nan, 0.01, 0.2, .nan, 0.04]))
      #expect(some[0].isNaN && some[3].isNaN)
      #expect([some[1], some[2], some[4]] == all)
      #expect(adjust([.nan])[0].isNaN)
    }
  }

  // MARK: Kolmogorov and Smirnov

  @Test func kolmogorovsPValueIsNearTheExactOne() {
    for (n, d, p) in DistributionTable.kolmogorov {
      // A sample with this distance: the middle of the steps, moved up and held within the unit interval.
      let sample = (0..<Int(n)).map { min(1, Double($0) / n + d) }
      let value = KolmogorovSmirnov.uniformPValue(sample)
      #expect(abs(value - p) < (n < 100 ? 1e-3 : 2e-4), "n = \(n), D = \(d): \(value), not \(p)")
    }
    #expect(KolmogorovSmirnov.uniformPValue([.nan, 0.5]).isNaN)
    #expect(KolmogorovSmirnov.uniformPValue([]).isNaN)
  }

  /// p-values of uniform samples are uniform themselves.
  @Test func pValuesOfUniformSamplesAreUniform() {
    var g = RandomGenerator(case: 7)
    let values = (0..<400).map { _ in
      KolmogorovSmirnov.uniformPValue((0..<150).map { _ in g.uniform() })
    }
    let p = KolmogorovSmirnov.uniformPValue(values)
    #expect(p > 1e-4, "SHEAF_SEED=\(Seeds.shift): p = \(p)")
    let skewed = (0..<200).map { _ in g.uniform() * g.uniform() }
    #expect(KolmogorovSmirnov.uniformPValue(skewed) < 1e-6)
  }
}
