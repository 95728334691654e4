import LinearAlgebra

/// A differentiable map between stalks, f : ℝⁿ → ℝᵐ, some coordinates of ℝᵐ being angles.
public protocol SmoothMap: Sendable {
  /// n, or nil for a map that goes with any stalk.
  var sourceDimension: Int? { get }
  /// m for a source of dimension n.
  func targetDimension(from n: Int) -> Int
  /// f(x), whatever is not finite included.
  func value(_ x: [Double]) -> [Double]
  /// The matrix ∂f/∂x of shape (m, n).
  func jacobian(_ x: [Double]) -> Matrix
  /// Whether f is affine, so that its derivative is the same everywhere.
  var isAffine: Bool { get }
  /// The periods of the coordinates of the target that are angles, such as 2π; nil where none is.
  var targetPeriods: [Double?]? { get }
  /// A point that the map is about, such as a beacon: where a search may begin.
  var landmark: [Double]? { get }
}

extension SmoothMap {
  /// Not unless a map says so.
  public var isAffine: Bool { false }
  /// None.
  public var targetPeriods: [Double?]? { nil }
  /// None.
  public var landmark: [Double]? { nil }

  /// How far the Jacobian is from central differences of the values, at a point: the largest difference over the larger
  /// of 1 and the largest entry of the Jacobian.
  public func jacobianDefect(at x: [Double], step: Double = 1e-5) -> Double {
    let exact = jacobian(x)
    var defect = 0.0
    for j in x.indices {
      let h = step * max(1, abs(x[j]))
      var (up, down) = (x, x)
      up[j] += h
      down[j] -= h
      let periods = targetPeriods ?? []
      let difference = zip(value(up), value(down)).enumerated().map { i, pair in
        Angle.difference(pair.0, pair.1, period: i < periods.count ? periods[i] : nil)
      }
      for i in difference.indices {
        defect = max(defect, abs(difference[i] / (2 * h) - exact[i, j]))
      }
    }
    return defect / max(1, exact.maximumMagnitude)
  }
}

/// Differences on the line and on circles.
enum Angle {
  /// a − b, on a circle of a period the representative in [−period/2, period/2].
  static func difference(_ a: Double, _ b: Double, period: Double?) -> Double {
    guard let period else { return a - b }
    return (a - b).remainder(dividingBy: period)
  }
}
