import LinearAlgebra
import NeuralSheaves

/// The mean and the standard deviation of each coordinate of samples.
public struct Standardization: Sendable, Equatable {
  /// The means μ.
  public let means: [Double]
  /// The deviations σ = √(Σ(x − μ)²/n); 0 where all values are equal.
  public let deviations: [Double]

  /// Measures samples (dim, n). Cost: three passes over them.
  public init(_ samples: Matrix) {
    let n = Double(samples.columns)
    let rows = 0..<samples.rows
    var (means, spans, squares) = (
      rows.map { _ in 0.0 }, rows.map { _ in 0.0 }, rows.map { _ in 0.0 }
    )
    for j in 0..<samples.columns {
      for i in rows { means[i] += samples[i, j] / n }
    }
    // Of equal values the mean is one, to the last bit.
    for i in rows
    where (1..<max(1, samples.columns)).allSatisfy({ samples[i, $0] == samples[i, 0] }) {
      means[i] = samples.columns > 0 ? samples[i, 0] : 0
    }
    // Relative to the largest, so that no square overflows.
    for j in 0..<samples.columns {
      for i in rows { spans[i] = max(spans[i], abs(samples[i, j] - means[i])) }
    }
    for j in 0..<samples.columns {
      for i in rows where spans[i] > 0 {
        let d = (samples[i, j] - means[i]) / spans[i]
        squares[i] += d * d / n
      }
    }
    self.means = means
    deviations = zip(spans, squares).map { $0 * $1.squareRoot() }
  }

  /// z = (x − μ)/σ as an operation that is not trained; x − μ where σ is 0 or 1/σ is no number.
  public var operation: ChannelAffine {
    let scale = deviations.map { $0 > 0 && (1 / $0).isFinite ? 1 / $0 : 1 }
    return ChannelAffine(
      scale: scale, shift: zip(means, scale).map { -$0 * $1 }, extent: 1, isTrained: false)
  }

  /// The coordinates of the smallest and the largest deviation that is not 0, with their ratio; nil for
  /// fewer than two such.
  public var extremes: (least: Int, largest: Int, ratio: Double)? {
    let varying = deviations.indices.filter { deviations[$0] > 0 }
    guard varying.count > 1, let a = varying.min(by: { deviations[$0] < deviations[$1] }),
      let b = varying.max(by: { deviations[$0] < deviations[$1] })
    else { return nil }
    return (a, b, deviations[b] / deviations[a])
  }
}
