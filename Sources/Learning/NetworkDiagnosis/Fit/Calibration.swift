import Foundation
import LinearAlgebra
import NeuralSheaves

/// Whether probabilities are those that come true: of the samples to which a classifier gives its class with confidence q, a share q should
/// be of that class.
public struct Calibration: Sendable {
  /// The samples of like confidence.
  public struct Bin: Sendable, Equatable {
    /// The confidences.
    public let range: Range<Double>
    /// How many samples there are.
    public let count: Int
    /// Their mean confidence; NaN for none.
    public let confidence: Double
    /// The share whose class is right; NaN for none.
    public let accuracy: Double
  }

  /// Bins of equal width over 0…1, ascending.
  public let bins: [Bin]
  /// The expected calibration error Σ_b (n_b/n) |accuracy_b − confidence_b| (Guo et al. 2017).
  public let expectedError: Double
  /// The mean confidence less the accuracy: positive for overconfidence.
  public let overconfidence: Double
  /// The share of sets of labels drawn from the network's own probabilities, and of the labels given, whose expected error is not smaller
  /// (consistency resampling; Bröcker, Smith 2007).
  public let pValue: Double
  /// T for which softmax(z/T) has the least cross-entropy; more than 1 for overconfidence (Guo et al. 2017).
  public let temperature: Double

  /// The calibration of class logits, (classes, samples), against the classes given. Cost: the draws.
  public init(
    _ logits: Matrix, _ classes: [Int], bins count: Int = 15, draws: Int = 199,
    using generator: inout RandomGenerator
  ) {
    let p = OutputActivation.softmax(logits)
    let n = classes.count
    let predicted = (0..<n).map { p.largestRow(ofColumn: $0) }
    let confidences = (0..<n).map { p[predicted[$0], $0] }
    let places = confidences.map { min(count - 1, Int($0 * Double(count))) }
    func error(_ right: (Int) -> Bool) -> (error: Double, right: [Double], sums: [Double]) {
      var (hits, sums) = (
        [Double](repeating: 0, count: count), [Double](repeating: 0, count: count)
      )
      for j in 0..<n {
        sums[places[j]] += confidences[j]
        if right(j) { hits[places[j]] += 1 }
      }
      return (zip(hits, sums).reduce(0) { $0 + abs($1.0 - $1.1) } / Double(n), hits, sums)
    }
    let own = error { predicted[$0] == classes[$0] }
    var counts = [Int](repeating: 0, count: count)
    for b in places { counts[b] += 1 }
    bins = (0..<count).map { b in
      let size = Double(counts[b])
      return Bin(
        range: Double(b) / Double(count)..<Double(b + 1) / Double(count), count: counts[b],
        confidence: own.sums[b] / size, accuracy: own.right[b] / size)
    }
    expectedError = own.error
    overconfidence = (own.sums.reduce(0, +) - own.right.reduce(0, +)) / Double(n)
    // Whether a label drawn from p is the predicted class is a draw of its confidence.
    var larger = 1
    for _ in 0..<draws {
      let drawn = confidences.map { generator.uniform() < $0 }
      if error({ drawn[$0] }).error >= own.error { larger += 1 }
    }
    pValue = Double(larger) / Double(draws + 1)
    temperature = 1 / Self.inverseTemperature(logits, classes)
  }

  /// β for which the cross-entropy of softmax(βz), convex in β, is least; between 10⁻³ and 10³.
  private static func inverseTemperature(_ logits: Matrix, _ classes: [Int]) -> Double {
    /// The derivative in β: E_p[z] − z_y.
    func slope(_ beta: Double) -> Double {
      var scaled = logits
      scaled.scale(by: beta)
      let p = OutputActivation.softmax(scaled)
      return classes.enumerated().reduce(0) { sum, sample in
        let (j, y) = sample
        let mean = (0..<p.rows).reduce(0) { $0 + p[$1, j] * logits[$1, j] }
        return sum + mean - logits[y, j]
      }
    }
    var (low, high) = (log(1e-3), log(1e3))
    if slope(exp(high)) <= 0 { return exp(high) }
    if slope(exp(low)) >= 0 { return exp(low) }
    for _ in 0..<40 {
      let middle = (low + high) / 2
      if slope(exp(middle)) > 0 { high = middle } else { low = middle }
    }
    return exp((low + high) / 2)
  }
}
