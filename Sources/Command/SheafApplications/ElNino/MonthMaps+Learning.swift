import Foundation

extension MonthMaps {
  /// By how many years the maps may be drawn to the pooled one.
  static let pseudoYears: [Double] = [3, 10, 30, 100, 1e6]

  /// Learns the maps from the neighbouring months of a series that both have readings.
  ///
  /// With ρ̄ = Σ x_{t−1} x_t / Σ x²_{t−1} over all months, v̄ the mean of its squared residuals, and for each month m of the year the
  /// mean square of what it begins with times κ, λ = κ · mean x²_{t−1},
  ///
  ///     ρ_m = (Σ x_{t−1} x_t + λ ρ̄) / (Σ x²_{t−1} + λ),   v_m = (Σ r² + κ v̄) / (n_m + κ),
  ///
  /// as if each map had been seen for κ more years in which it was the pooled one. κ has the largest likelihood of
  /// years held out.
  init(learningFrom series: MonthlySeries, pseudoYears: Double? = nil) {
    let kappa = pseudoYears ?? Self.bestPseudoYears(series)
    (transport, variances) = Self.shrunk(series, series.pairs, kappa)
    rootVariance = series.variance
  }

  private static func shrunk(
    _ series: MonthlySeries, _ pairs: [Int], _ kappa: Double
  ) -> (transport: [Double], variances: [Double]) {
    let x = series.anomalies
    var (squares, products, counts) = (
      [Double](repeating: 0, count: 12), [Double](repeating: 0, count: 12),
      [Double](repeating: 0, count: 12)
    )
    for t in pairs {
      squares[t % 12] += x[t - 1] * x[t - 1]
      products[t % 12] += x[t - 1] * x[t]
      counts[t % 12] += 1
    }
    let pooled = products.reduce(0, +) / squares.reduce(0, +)
    let pooledVariance = ReportText.mean(
      pairs.map { (x[$0] - pooled * x[$0 - 1]) * (x[$0] - pooled * x[$0 - 1]) })
    let transport = (0..<12).map { m in
      let lambda = kappa * squares[m] / counts[m]
      return (products[m] + lambda * pooled) / (squares[m] + lambda)
    }
    var residuals = [Double](repeating: 0, count: 12)
    for t in pairs {
      let r = x[t] - transport[t % 12] * x[t - 1]
      residuals[t % 12] += r * r
    }
    let variances = (0..<12).map { (residuals[$0] + kappa * pooledVariance) / (counts[$0] + kappa) }
    return (transport, variances)
  }

  /// κ by five folds, each of every fifth block of three years: the largest likelihood of one step in the years held out.
  static func bestPseudoYears(_ series: MonthlySeries) -> Double {
    let (x, pairs) = (series.anomalies, series.pairs)
    let fold = { (t: Int) in (t / 12 / 3) % 5 }
    func cost(_ kappa: Double) -> Double {
      (0..<5).reduce(0) { sum, f in
        // Neither month of a training pair is held out; a pair is tested if its second month is.
        let train = pairs.filter { fold($0) != f && fold($0 - 1) != f }
        let (rho, v) = shrunk(series, train, kappa)
        return pairs.reduce(sum) { sum, t in
          guard fold(t) == f else { return sum }
          let r = x[t] - rho[t % 12] * x[t - 1]
          return sum + (log(v[t % 12]) + r * r / v[t % 12]) / 2
        }
      }
    }
    return pseudoYears.map { (cost($0), $0) }.min { $0.0 < $1.0 }!.1
  }
}
