import LinearAlgebra
import SheafTraining

/// (x − μ_i)/3s_i of some samples, cut off at ±5/3.
///
/// Coordinates of one unit, such as pixels, have one s, the root mean square of their deviations; where the largest deviation is more than ten times the median
/// they are of several, and each has its own. A deviation of 1/3 instead of 1 lets networks train more slowly, and hold out longer against wrong labels.
struct InputScaling {
  private let means, scales: [Double]

  /// The scaling of samples, (dimension, count).
  init(_ samples: Matrix) {
    let found = Standardization(samples)
    means = found.means
    let varying = found.deviations.filter { $0 > 0 && (1 / $0).isFinite }.sorted()
    let isOneUnit = varying.isEmpty || varying.last! <= 10 * varying[varying.count / 2]
    let square = varying.reduce(0) { $0 + $1 * $1 } / Double(max(varying.count, 1))
    let common = square > 0 && square.isFinite ? 1 / square.squareRoot() : 1
    scales = found.deviations.map {
      (isOneUnit ? common : $0 > 0 && (1 / $0).isFinite ? 1 / $0 : 1) / 3
    }
  }

  /// x ← the scaled x.
  func apply(to x: inout Matrix) {
    for j in 0..<x.columns {
      for i in 0..<x.rows {
        x[i, j] = min(max((x[i, j] - means[i]) * scales[i], -5.0 / 3), 5.0 / 3)
      }
    }
  }
}
