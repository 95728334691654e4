import Foundation
import LinearAlgebra

/// A model of labels some of which are wrong: a sample's label is drawn from p = softmax(βz), z the logits of a network that has not seen it, or with
/// probability η replaced by another class, all others alike:
///
///     P(y | z) = (1 − η) p_y + η (1 − p_y)/(K − 1).
///
/// η, the rate of wrong labels, and β, the inverse temperature that makes the network as sure as it is right on the rest, are those of the
/// greatest likelihood. The chance that a label is wrong is then
///
///     w = η (1 − p_y)/(K − 1) / P(y | z),
///
/// a local false discovery rate (Efron et al. 2001) turned round.
public struct LabelNoise: Sendable {
  /// η.
  public let rate: Double
  /// β.
  public let inverseTemperature: Double
  /// w of each sample.
  public let chances: [Double]
  /// By sample the probability that a label drawn from p is no likelier than its own: Σ of p_c over the classes with p_c ≤ p_y.
  public let pValues: [Double]
  /// By sample −log p_y.
  public let crossEntropies: [Double]
  /// By sample the likeliest class.
  public let proposed: [Int]

  /// Fits the model to logits, (classes, samples), of samples that were not trained on. Cost: about a hundred passes over them.
  public init(_ logits: Matrix, _ classes: [Int]) {
    let k = Double(logits.rows)
    precondition(logits.rows > 1 && logits.columns == classes.count)
    /// p_y of each sample.
    func probabilities(_ beta: Double) -> [Double] {
      classes.enumerated().map { j, y in
        var sum = 0.0
        for i in 0..<logits.rows { sum += exp(beta * (logits[i, j] - logits[y, j])) }
        return 1 / sum
      }
    }
    /// The η of greatest likelihood, which is concave in it, and −log-likelihood.
    func profile(_ p: [Double]) -> (rate: Double, value: Double) {
      func slope(_ eta: Double) -> Double {
        p.reduce(0) { sum, p in
          let other = (1 - p) / (k - 1)
          return sum + (other - p) / max((1 - eta) * p + eta * other, .leastNormalMagnitude)
        }
      }
      // Beyond (K − 1)/K the labels would say what a sample is not.
      var (low, high) = (0.0, (k - 1) / k)
      if slope(low) <= 0 {
        high = 0
      } else {
        for _ in 0..<50 {
          let middle = (low + high) / 2
          if slope(middle) > 0 { low = middle } else { high = middle }
        }
      }
      let eta = (low + high) / 2
      let value = p.reduce(0) {
        $0 - log(max((1 - eta) * $1 + eta * (1 - $1) / (k - 1), .leastNormalMagnitude))
      }
      return (eta, value)
    }
    // Golden sections in log β, from a grid: the profile may have more than one minimum.
    let grid = stride(from: -3.0, through: 2.0, by: 0.5).map { $0 }
    let values = grid.map { profile(probabilities(exp($0))).value }
    let best = values.indices.min { values[$0] < values[$1] }!
    var (low, high) = (grid[max(best - 1, 0)], grid[min(best + 1, grid.count - 1)])
    let golden = (5.0.squareRoot() - 1) / 2
    for _ in 0..<24 {
      let (a, b) = (high - golden * (high - low), low + golden * (high - low))
      if profile(probabilities(exp(a))).value <= profile(probabilities(exp(b))).value {
        high = b
      } else {
        low = a
      }
    }
    let beta = exp((low + high) / 2)
    let own = probabilities(beta)
    let eta = profile(own).rate
    (rate, inverseTemperature) = (eta, beta)
    chances = own.map { p in
      let wrong = eta * (1 - p) / (k - 1)
      return wrong / max((1 - eta) * p + wrong, .leastNormalMagnitude)
    }
    var scaled = logits
    scaled.scale(by: beta)
    let logs = logSoftmax(scaled)
    crossEntropies = classes.enumerated().map { -logs[$1, $0] }
    pValues = classes.enumerated().map { j, y in
      min(1, (0..<logs.rows).reduce(0) { $0 + (logs[$1, j] <= logs[y, j] ? exp(logs[$1, j]) : 0) })
    }
    proposed = classes.indices.map { logits.largestRow(ofColumn: $0) }
  }

  /// The samples whose labels are taken for wrong: the most, likeliest first, of which on average no more than a share are right after all, as
  /// the model has it; none whose own label is the likeliest class.
  public func suspects(falseDiscoveryRate share: Double) -> [Int] {
    let order = chances.indices.sorted { chances[$0] > chances[$1] }
    var (right, count, chosen) = (0.0, 0, 0)
    for j in order where chances[j] > 0.5 {
      right += 1 - chances[j]
      count += 1
      if right <= share * Double(count) { chosen = count }
    }
    return Array(order.prefix(chosen))
  }
}
