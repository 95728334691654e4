import LinearAlgebra
import SheafProbability

#if canImport(Glibc)
  import Glibc
#else
  import Foundation
#endif

/// Random residuals with the components that they were drawn from.
struct VarianceProblem {
  let components: [[Matrix]]
  /// τ; some are 0.
  let variances: [Double]
  let floor: Double
  let model: VarianceModel
  /// Where the draws stand.
  var generator: RandomGenerator

  init(
    seed: UInt64, order n: Int, samples: Int, count: Int, zeros: Double = 0.3,
    floor: Double = 0.05
  ) throws {
    var g = RandomGenerator(case: seed)
    let components = (0..<count).map { _ in
      (0..<samples).map { _ in
        let rank = g.integer(1...n)
        var p = Matrix(rows: n, columns: n)
        p.addGram(g.normalMatrix(rows: n, columns: rank), scale: exp(g.normal()))
        return p
      }
    }
    let variances = (0..<count).map { _ in g.uniform() < zeros ? 0 : exp(g.normal()) }
    let blank = try VarianceModel(
      residuals: Matrix(rows: n, columns: samples, repeating: 1), components: components,
      floor: floor)
    (self.components, self.variances, self.floor) = (components, variances, floor)
    model = try blank.replacing(try blank.sample(variances, using: &g))
    generator = g
  }

  /// S_i, summed matrix by matrix.
  func covariance(_ j: Int, _ variances: [Double]) -> Matrix {
    let n = model.residuals.rows
    var s = Matrix.diagonal([Double](repeating: floor, count: n))
    for (p, tau) in zip(components, variances) { s.add(p[j], scale: tau) }
    return s
  }

  /// The log-likelihood by dense Gaussians.
  func logLikelihood(_ variances: [Double]) throws -> Double {
    let (n, samples) = (model.residuals.rows, model.residuals.columns)
    var value = 0.0
    for j in 0..<samples {
      let factor = try CholeskyFactorization(covariance(j, variances))
      let r = model.residuals.columns(j..<j + 1)
      var lambda = r
      factor.solve(&lambda)
      value -= (factor.logDeterminant + dot(r, lambda) + Double(n) * log(2 * Double.pi)) / 2
    }
    return value
  }

  /// The maximum by golden sections along one coordinate after another, over the logarithms of the variances and 0.
  func directMaximum(cycles: Int) throws -> Double {
    let units = model.units
    let grid = [0, 0.05, 0.3, 1.5]
    var best = (value: -Double.infinity, at: [Double]())
    let starts = components.reduce([[Double]()]) { lists, _ in
      lists.flatMap { list in grid.map { list + [$0 * units[list.count]] } }
    }
    for start in starts {
      let value = try logLikelihood(start)
      if value > best.value { best = (value, start) }
    }
    var (tau, value) = (best.at, best.value)
    for _ in 0..<cycles {
      let before = value
      for c in tau.indices {
        func along(_ x: Double) throws -> Double {
          var other = tau
          other[c] = x
          return try logLikelihood(other)
        }
        let ratio = (5.0.squareRoot() - 1) / 2
        var (a, b) =
          tau[c] > 0 ? (log(tau[c]) - 1, log(tau[c]) + 1) : (log(units[c]) - 9, log(units[c]))
        var (p, q) = (b - ratio * (b - a), a + ratio * (b - a))
        var (fp, fq) = (try along(exp(p)), try along(exp(q)))
        while b - a > 1e-7 {
          if fp > fq {
            (b, q, fq) = (q, p, fp)
            p = b - ratio * (b - a)
            fp = try along(exp(p))
          } else {
            (a, p, fp) = (p, q, fq)
            q = a + ratio * (b - a)
            fq = try along(exp(q))
          }
        }
        for x in [0, exp((a + b) / 2)] {
          let found = try along(x)
          if found > value { (value, tau[c]) = (found, x) }
        }
      }
      if value - before < 1e-11 { break }
    }
    return value
  }
}
