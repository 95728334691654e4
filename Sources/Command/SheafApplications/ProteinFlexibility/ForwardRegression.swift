import LinearAlgebra

/// Linear regression on a few of many features, chosen one after the other by the error of leaving samples out.
///
/// With orthonormal columns Q of the chosen features and the constant, residuals r = y − QQᵀy and leverages
/// h_i = Σ_k Q_ik², a sample predicted by the others is off by r_i/(1 − h_i).
struct ForwardRegression {
  /// The chosen features.
  private(set) var chosen: [Int] = []
  private var basis: [[Double]]
  private var residuals: [Double]
  private var leverages: [Double]

  /// Σ (r_i/(1 − h_i))².
  private(set) var error: Double

  /// The mean alone.
  init(_ y: [Double]) {
    let n = Double(y.count)
    let mean = ReportText.mean(y)
    basis = [[Double](repeating: 1 / n.squareRoot(), count: y.count)]
    residuals = y.map { $0 - mean }
    leverages = y.map { _ in 1 / n }
    error = Self.error(residuals, leverages)
  }

  /// Adds up to some features, at each step the one with which the error is least, as long as it falls by a thousandth.
  ///
  /// - Complexity: O(features · samples · most²).
  mutating func choose(from features: [[Double]], atMost most: Int) {
    while chosen.count < most {
      var best: (feature: Int, error: Double)?
      for k in features.indices where !chosen.contains(k) {
        guard let (_, r, h) = extended(by: features[k]) else { continue }
        let error = Self.error(r, h)
        if error < best?.error ?? .infinity { best = (k, error) }
      }
      guard let best, best.error < 0.999 * error else { return }
      add(best.feature, features[best.feature])
    }
  }

  /// Adds a feature, unless it is a combination of those there, or one that a single sample has: without that sample
  /// nothing is left of it, and 1 − h is 0 there.
  mutating func add(_ k: Int, _ feature: [Double]) {
    guard let (direction, r, h) = extended(by: feature) else { return }
    basis.append(direction)
    (residuals, leverages, error) = (r, h, Self.error(r, h))
    chosen.append(k)
  }

  /// r_i/(1 − h_i): every sample minus what the others predict of it, the choice of features being made with it.
  var leaveOneOut: [Double] { zip(residuals, leverages).map { $0 / (1 - $1) } }

  private func extended(by feature: [Double]) -> (direction: [Double], [Double], [Double])? {
    var v = feature
    let before = Self.dot(v, v)
    // Twice is enough (Kahan, Parlett).
    for _ in 0..<2 {
      for q in basis {
        let c = Self.dot(q, v)
        for i in v.indices { v[i] -= c * q[i] }
      }
    }
    let square = Self.dot(v, v)
    guard square > 1e-16 * before, square > 0 else { return nil }
    let scale = 1 / square.squareRoot()
    for i in v.indices { v[i] *= scale }
    let c = Self.dot(v, residuals)
    var (r, h) = (residuals, leverages)
    for i in v.indices {
      r[i] -= c * v[i]
      h[i] += v[i] * v[i]
      if h[i] > 1 - 1e-9 { return nil }
    }
    return (v, r, h)
  }

  private static func error(_ r: [Double], _ h: [Double]) -> Double {
    r.indices.reduce(0) {
      let e = r[$1] / (1 - h[$1])
      return $0 + e * e
    }
  }

  private static func dot(_ a: [Double], _ b: [Double]) -> Double {
    a.indices.reduce(0) { $0 + a[$1] * b[$1] }
  }

  /// Predictions of every sample by the others, the features chosen anew without it (nested leave-one-out).
  ///
  /// - Parameter features: a list of values for each.
  static func nested(_ features: [[Double]], _ y: [Double], atMost most: Int) -> [Double] {
    y.indices.map { held in
      func others(_ list: [Double]) -> [Double] {
        Array(list[..<held]) + Array(list[(held + 1)...])
      }
      var choice = ForwardRegression(others(y))
      choice.choose(from: features.map(others), atMost: most)
      // Fitted with all, a sample minus its error is what the others predict.
      return y[held] - fitted(choice.chosen.map { features[$0] }, y)[held]
    }
  }

  /// The errors of leave-one-out with given features.
  static func fitted(_ features: [[Double]], _ y: [Double]) -> [Double] {
    var model = ForwardRegression(y)
    for (k, feature) in features.enumerated() { model.add(k, feature) }
    return model.leaveOneOut
  }
}
