import Foundation
import LinearAlgebra
import NeuralSheaves

/// β and η of the greatest likelihood of labels y with P(y) = (1 − η) p_y + η (1 − p_y)/(K − 1), p = softmax(βs).
struct UniformNoise {
  let beta: Double
  /// η.
  let rate: Double
  /// The log-likelihood.
  let value: Double

  /// For each β of a grid, then between its neighbours by golden section, the best η, in which the likelihood is concave.
  ///
  /// - Parameter rate: η, where it is given.
  init(
    _ scores: Matrix, _ classes: [Int], in range: ClosedRange<Double>, rate given: Double? = nil
  ) {
    let (low, high) = (log(range.lowerBound), log(range.upperBound))
    let steps = 40
    let grid = (0...steps).map { low + (high - low) * Double($0) / Double(steps) }
    func profile(_ logBeta: Double) -> (rate: Double, value: Double) {
      Self.profile(
        Self.probabilities(scores, classes, exp(logBeta)), classes: scores.rows, given)
    }
    let values = grid.map { profile($0).value }
    let best = values.indices.max { values[$0] < values[$1] }!
    var (a, b) = (grid[max(best - 1, 0)], grid[min(best + 1, steps)])
    let golden = (5.0.squareRoot() - 1) / 2
    for _ in 0..<24 {
      let (left, right) = (b - golden * (b - a), a + golden * (b - a))
      if profile(left).value >= profile(right).value { b = right } else { a = left }
    }
    // The grid's own point where that is better, as at an end.
    let middle = (a + b) / 2
    let logBeta = profile(middle).value >= values[best] ? middle : grid[best]
    (rate, value) = profile(logBeta)
    beta = exp(logBeta)
  }

  /// p_y of each sample.
  private static func probabilities(
    _ scores: Matrix, _ classes: [Int], _ beta: Double
  ) -> [Double] {
    classes.enumerated().map { j, y in
      var sum = 0.0
      for i in 0..<scores.rows { sum += exp(beta * (scores[i, j] - scores[y, j])) }
      return 1 / sum
    }
  }

  private static func profile(
    _ p: [Double], classes: Int, _ given: Double?
  ) -> (rate: Double, value: Double) {
    let k = Double(classes)
    func slope(_ eta: Double) -> Double {
      p.reduce(0) { sum, p in
        let other = (1 - p) / (k - 1)
        return sum + (other - p) / max((1 - eta) * p + eta * other, .leastNormalMagnitude)
      }
    }
    // Beyond (K − 1)/K labels would say what a sample is not.
    var (low, high) = (0.0, (k - 1) / k)
    if let given {
      (low, high) = (given, given)
    } else if slope(0) <= 0 {
      high = 0
    } else {
      for _ in 0..<50 {
        let middle = (low + high) / 2
        if slope(middle) > 0 { low = middle } else { high = middle }
      }
    }
    let eta = (low + high) / 2
    let value = p.reduce(0) {
      $0 + log(max((1 - eta) * $1 + eta * (1 - $1) / (k - 1), .leastNormalMagnitude))
    }
    return (eta, value)
  }
}
