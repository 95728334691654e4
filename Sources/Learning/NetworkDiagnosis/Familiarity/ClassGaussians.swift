import LinearAlgebra

/// Normal distributions of a quantity by class, with one covariance for all (as in Lee et al. 2018).
public struct ClassGaussians: Sendable {
  /// How the covariance S of the samples about the means of their classes is made one with an inverse, however few samples there are.
  public enum Shrinkage: Sendable, Equatable {
    /// (1 − s)S + s (tr S/d) I, s by the rule of Ledoit, Wolf (2004).
    case ledoitWolf
    /// S + s (tr S/d) I.
    case ridge(Double)
  }

  /// The means, (dimension, classes); those of classes without samples are not read.
  public let means: Matrix
  /// How many samples each class had.
  public let counts: [Int]
  /// Σ̂.
  public let covariance: Matrix
  private let factor: CholeskyFactorization

  /// The distributions of samples, (dimension, samples), by class.
  ///
  /// - Throws: `FactorizationError` for samples that are all alike in each class.
  /// - Complexity: d² for each sample and d³/3.
  public init(
    _ samples: Matrix, classes: [Int], count: Int, shrinkage: Shrinkage
  ) throws(FactorizationError) {
    let (d, n) = (samples.rows, samples.columns)
    var means = Matrix(rows: d, columns: count)
    var counts = [Int](repeating: 0, count: count)
    for c in classes { counts[c] += 1 }
    means.addColumns(samples, at: classes)
    means.scaleColumns(by: counts.map { $0 > 0 ? 1 / Double($0) : 0 })
    var centred = samples
    centred.add(means.columns(classes), scale: -1)
    var s = Matrix(rows: d, columns: d)
    s.addGram(centred, scale: 1 / Double(n), keeping: 0)
    let mean = (0..<d).reduce(0) { $0 + s[$1, $1] } / Double(d)
    // Of samples that are all alike rounding is left.
    guard mean * Double(d * n) > 1e-26 * samples.sumOfSquares else {
      throw .notPositiveDefinite(order: 1)
    }
    let ridge: Double
    switch shrinkage {
    case .ridge(let share): ridge = share * mean
    case .ledoitWolf:
      let share = Self.ledoitWolf(s, centred, mean)
      s.scale(by: 1 - share)
      // At least rounding's part, or coordinates that never vary would have no inverse.
      ridge = max(share, 1e-6) * mean
    }
    for i in 0..<d { s[i, i] += ridge }
    try self.init(means: means, counts: counts, covariance: s)
  }

  /// From moments.
  init(means: Matrix, counts: [Int], covariance: Matrix) throws(FactorizationError) {
    (self.means, self.counts, self.covariance) = (means, counts, covariance)
    factor = try CholeskyFactorization(covariance)
  }

  /// s = min(1, β/δ), δ = ‖S − μI‖² and β = Σ_j ‖x_jx_jᵀ − S‖²/n², in Frobenius norms.
  private static func ledoitWolf(_ s: Matrix, _ centred: Matrix, _ mean: Double) -> Double {
    let n = Double(centred.columns)
    let total = s.sumOfSquares - Double(s.rows) * mean * mean
    let fourth = (0..<centred.columns).reduce(0) { sum, j in
      let square = centred.sumOfSquares(column: j)
      return sum + square * square
    }
    let noise = (fourth / n - s.sumOfSquares) / n
    return total > 0 ? min(1, max(0, noise / total)) : 1
  }

  /// The squared Mahalanobis distances (x − μ_c)ᵀΣ̂⁻¹(x − μ_c), (classes, samples); infinite for classes without samples.
  public func squaredDistances(_ x: Matrix) -> Matrix {
    // ‖L⁻¹x‖² + ‖L⁻¹μ‖² − 2⟨x, Σ̂⁻¹μ⟩ about the mean of the means, so that little cancels.
    let known = counts.indices.filter { counts[$0] > 0 }
    var centre = Matrix(rows: means.rows, columns: 1)
    centre.addRowSums(of: means.columns(known), scale: 1 / Double(known.count))
    var (points, middles) = (x, means)
    points.addToEachColumn(centre, scale: -1)
    middles.addToEachColumn(centre, scale: -1)
    var (solvedPoints, solvedMiddles) = (points, middles)
    factor.solve(&solvedPoints)
    factor.solve(&solvedMiddles)
    func squares(_ a: Matrix, _ b: Matrix) -> [Double] {
      (0..<a.columns).map { j in (0..<a.rows).reduce(0) { $0 + a[$1, j] * b[$1, j] } }
    }
    let (own, offsets) = (squares(points, solvedPoints), squares(middles, solvedMiddles))
    var result = Matrix(rows: means.columns, columns: x.columns)
    result.setProduct(solvedMiddles, points, transposing: .left, scale: -2)
    for j in 0..<x.columns {
      for c in counts.indices {
        result[c, j] =
          counts[c] > 0 ? max(0, own[j] + offsets[c] + result[c, j]) : .infinity
      }
    }
    return result
  }
}
