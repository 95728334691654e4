import Foundation
import LinearAlgebra
import NeuralSheaves

/// β and the matrix Q of labels y with P(y) = Σ_c p_c Q_cy, p = softmax(βs), with a prior.
struct ConfusionNoise {
  let beta: Double
  /// Q, (class, label).
  let transitions: Matrix
  /// The share of wrong labels.
  let rate: Double
  /// The log-likelihood less the weighted divergence of the prior from Q.
  let value: Double

  /// The best of thirteen β about that of the two-number model, each with forty steps of expectation and maximisation.
  init?(_ scores: Matrix, _ classes: [Int], from start: UniformNoise, priorWeight: Double) {
    var best: ConfusionNoise?
    for step in -6...6 {
      let beta = start.beta * pow(3, Double(step) / 6)
      var scaled = scores
      scaled.scale(by: beta)
      let fit = ConfusionNoise(
        OutputActivation.softmax(scaled), classes, beta, max(start.rate, 1e-6), priorWeight)
      if fit.value > best?.value ?? -.infinity { best = fit }
    }
    guard let best else { return nil }
    self = best
  }

  private init(
    _ p: Matrix, _ classes: [Int], _ beta: Double, _ start: Double, _ weight: Double
  ) {
    let k = p.rows
    let n = Double(classes.count)
    func prior(_ eta: Double) -> Matrix {
      var m = Matrix(rows: k, columns: k, repeating: eta / Double(k - 1))
      for c in 0..<k { m[c, c] = 1 - eta }
      return m
    }
    var eta = min(start, Double(k - 1) / Double(k))
    var q = prior(eta)
    for _ in 0..<40 {
      var counts = Matrix(rows: k, columns: k)
      for (j, y) in classes.enumerated() {
        var sum = 0.0
        for c in 0..<k { sum += p[c, j] * q[c, y] }
        guard sum > 0 else { continue }
        for c in 0..<k { counts[c, y] += p[c, j] * q[c, y] / sum }
      }
      var right = 0.0
      for c in 0..<k { right += counts[c, c] }
      eta = min(max(1 - right / n, 1e-9), Double(k - 1) / Double(k))
      let usual = prior(eta)
      for c in 0..<k {
        let all = (0..<k).reduce(weight) { $0 + counts[c, $1] }
        for y in 0..<k { q[c, y] = (counts[c, y] + weight * usual[c, y]) / all }
      }
    }
    let usual = prior(eta)
    var value = 0.0
    for (j, y) in classes.enumerated() {
      value += log(max((0..<k).reduce(0) { $0 + p[$1, j] * q[$1, y] }, .leastNormalMagnitude))
    }
    for c in 0..<k {
      for y in 0..<k where usual[c, y] > 0 {
        value += weight * usual[c, y] * log(q[c, y] / usual[c, y])
      }
    }
    (self.beta, transitions, rate, self.value) = (beta, q, eta, value)
  }
}
