import LinearAlgebra

/// How a way of learning does on signals that were held out.
///
/// For a sample s, e_s is the mean square over all coordinates of the error of imputation, each vertex's values hidden in
/// turn and recovered from the others, and t_s the same where the means of the learning samples are predicted. Standard
/// errors are those of means over the held-out samples, taken for independent; folds share samples to learn from, so for
/// K folds they are somewhat too small (Bengio, Grandvalet 2004).
public struct MapValidation: Sendable {
  /// The mean normalised discrepancy of the held-out signals of each set (`LearnedSheaf.discrepancy`); nil where no edge was
  /// kept.
  public internal(set) var discrepancies: [Double?] = []
  /// The held-out samples, set after set.
  public internal(set) var samples: [Int] = []
  /// e_s for each of them.
  public internal(set) var errors: [Double] = []
  /// t_s for each of them.
  public internal(set) var meanErrors: [Double] = []

  /// √(mean of e).
  public var rootMeanSquare: Double { SampleMean(errors).value.squareRoot() }

  /// Its standard error, sd(e)/√n/(2 · root mean square); ∞ for fewer than two samples.
  public var rootMeanSquareError: Double {
    let mean = SampleMean(errors)
    return mean.value > 0 ? mean.standardError / (2 * mean.value.squareRoot()) : 0
  }

  /// R² = 1 − Σe/Σt: the share of the variance about the means that is explained; −∞ where there is none to explain but
  /// an error.
  public var explained: Double {
    let (e, t) = (errors.reduce(0, +), meanErrors.reduce(0, +))
    return t > 0 ? 1 - e / t : e > 0 ? -.infinity : 0
  }

  /// Its standard error, that of the mean of e_s − (1 − R²) t_s over the mean of t.
  public var explainedError: Double {
    let ratio = 1 - explained
    guard ratio.isFinite else { return .infinity }
    let mean = SampleMean(meanErrors).value
    guard mean > 0 else { return .infinity }
    return SampleMean(zip(errors, meanErrors).map { $0 - ratio * $1 }).standardError / mean
  }
}

/// A mean with its standard error.
struct SampleMean {
  let value: Double
  /// sd/√n, ∞ for fewer than two.
  let standardError: Double

  init(_ list: [Double]) {
    let n = Double(list.count)
    let mean = list.reduce(0, +) / max(n, 1)
    value = mean
    standardError =
      list.count < 2
      ? .infinity
      : (list.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / (n - 1) / n).squareRoot()
  }
}

extension MapLearning {
  /// Learns without each held-out set and tries the sheaf on it.
  ///
  /// - Throws: What `fit` throws; `split`.
  /// - Complexity: for each set learning, and an extension for each vertex.
  public func validate(
    _ signals: VertexSignals, _ split: SampleSplit
  ) throws(LearningError) -> MapValidation {
    var result = MapValidation()
    for heldOut in try split.heldOut(of: signals.count) {
      let isOut = Set(heldOut)
      let known = signals.samples((0..<signals.count).filter { !isOut.contains($0) })
      let sheaf = try fit(known)
      let test = signals.samples(heldOut)
      result.discrepancies.append(sheaf.discrepancy(of: test))
      result.samples += heldOut
      result.errors += Self.meanSquares(test.values, try sheaf.imputedInTurn(test))
      let means = known.means.map { mean in
        mean.columns([Int](repeating: 0, count: test.count))
      }
      result.meanErrors += Self.meanSquares(test.values, means)
    }
    return result
  }

  /// The mean square of the difference over all coordinates, for each sample.
  private static func meanSquares(_ a: [Matrix], _ b: [Matrix]) -> [Double] {
    let coordinates = a.reduce(0) { $0 + $1.rows }
    return (0..<(a.first?.columns ?? 0)).map { j in
      zip(a, b).reduce(0) { sum, pair in
        (0..<pair.0.rows).reduce(sum) {
          let d = pair.0[$1, j] - pair.1[$1, j]
          return $0 + d * d
        }
      } / Double(max(coordinates, 1))
    }
  }
}
