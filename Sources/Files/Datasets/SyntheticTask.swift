#if canImport(Glibc)
  import Glibc
#else
  import Foundation
#endif
import LinearAlgebra

/// The four synthetic tasks of the paper (Bosca, Ghrist 2026, §5), in two input dimensions.
public enum SyntheticTask: String, Sendable, CaseIterable {
  /// f = x₁² + x₂² − 2/3 on [−2, 2]², normal noise of deviation 0.02.
  case paraboloid
  /// f = x₁² − x₂² + ½ sin 2x₁ on [0, 2]², normal noise of deviation 0.02.
  case saddle
  /// Class 0 in the unit disk, class 1 in the annulus 1.5–2.5, both uniform by area, normal noise
  /// of deviation 0.1 on the radius; one output in {0, 1}.
  case circular
  /// Four anisotropic, overlapping normal classes; one-hot targets.
  case blobs

  /// The dimension of the target.
  public var outputDimension: Int { self == .blobs ? 4 : 1 }

  /// Draws training and test samples.
  public func generate(
    train: Int = 300, test: Int = 100, using generator: inout RandomGenerator
  ) -> Dataset {
    let (x, y) = draw(train, &generator)
    let (u, v) = draw(test, &generator)
    return Dataset(trainInput: x, trainTarget: y, testInput: u, testTarget: v)
  }

  /// The function f that a regression is to learn, without noise; nil for classes.
  public func value(_ x1: Double, _ x2: Double) -> Double? {
    switch self {
    case .paraboloid: x1 * x1 + x2 * x2 - 2.0 / 3
    case .saddle: x1 * x1 - x2 * x2 + sin(2 * x1) / 2
    case .circular, .blobs: nil
    }
  }

  private func draw(_ n: Int, _ g: inout RandomGenerator) -> (Matrix, Matrix) {
    var x = Matrix(rows: 2, columns: n)
    var y = Matrix(rows: outputDimension, columns: n)
    for j in 0..<n {
      switch self {
      case .paraboloid:
        (x[0, j], x[1, j]) = (g.uniform(-2, 2), g.uniform(-2, 2))
        y[0, j] = value(x[0, j], x[1, j])! + 0.02 * g.normal()
      case .saddle:
        (x[0, j], x[1, j]) = (g.uniform(0, 2), g.uniform(0, 2))
        y[0, j] = value(x[0, j], x[1, j])! + 0.02 * g.normal()
      case .circular:
        let isOuter = g.uniform() < 0.5
        let area = isOuter ? g.uniform(1.5 * 1.5, 2.5 * 2.5) : g.uniform()
        let radius = area.squareRoot() + 0.1 * g.normal()
        let angle = g.uniform(0, 2 * .pi)
        (x[0, j], x[1, j]) = (radius * cos(angle), radius * sin(angle))
        y[0, j] = isOuter ? 1 : 0
      case .blobs:
        let c = Int(g.uniform(0, 4))
        let (a, b) = (g.normal(), g.normal())
        let (mean, root) = Self.blobShapes[c]
        x[0, j] = mean.0 + root.0 * a
        x[1, j] = mean.1 + root.1 * a + root.2 * b
        y[c, j] = 1
      }
    }
    return (x, y)
  }

  /// The mean of each blob and the lower triangle (ℓ₁₁, ℓ₂₁, ℓ₂₂) of the Cholesky factor of its
  /// covariance.
  private static let blobShapes: [((Double, Double), (Double, Double, Double))] = [
    ((-1.5, -1.5), (0.9, 0.35, 0.6)), ((1.8, -1.2), (0.5, -0.25, 0.85)),
    ((1.5, 1.8), (1.1, 0.45, 0.6)), ((-1.8, 1.5), (0.7, -0.15, 0.9)),
  ]
}
