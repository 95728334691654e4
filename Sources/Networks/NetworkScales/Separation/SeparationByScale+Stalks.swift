import LinearAlgebra
import NeuralSheaves
import SheafProbability

extension SeparationByScale.Stalk {
  /// The scatter of a stalk between and within classes, in the metric of the mean covariance of some samples.
  init(
    _ v: Int, _ model: GaussianSheaf, _ state: SheafState, _ classes: [Int], _ n: Int,
    some: SheafState, limit: Int, threads: Int
  ) throws(ScaleError) {
    let network = model.network
    let coarse = try CoarseNetwork.coarsen(
      model.sheaf, keeping: [v], at: some, stiffness: model.stiffness, limit: limit,
      threads: threads)
    let d = network.vertices[v].dimension
    var covariance = Matrix(rows: d, columns: d)
    for sample in coarse {
      covariance.add(sample.noises[0].covariance, scale: 1 / Double(coarse.count))
    }
    let metric: CholeskyFactorization
    do throws(FactorizationError) {
      metric = try CholeskyFactorization(covariance)
    } catch {
      throw .factorization(error)
    }
    let scatter = Scatter(state.stalks[v], classes, n)
    (vertex, name, dimension) = (v, network.vertices[v].name, d)
    between = scatter.between(metric)
    within = scatter.within(metric)
    plain = scatter.between(nil) / scatter.within(nil)
  }
}

/// Samples as their class means and what is left.
private struct Scatter {
  /// √π_c (μ_c − μ), a column for each class.
  var means: Matrix
  /// x − μ_c, divided by the root of the number of samples.
  var residuals: Matrix

  init(_ x: Matrix, _ classes: [Int], _ n: Int) {
    let total = Double(classes.count)
    var sums = Matrix(rows: x.rows, columns: n)
    var mean = [Double](repeating: 0, count: x.rows)
    var counts = [Double](repeating: 0, count: n)
    for (j, c) in classes.enumerated() {
      counts[c] += 1
      for i in 0..<x.rows {
        sums[i, c] += x[i, j]
        mean[i] += x[i, j] / total
      }
    }
    (means, residuals) = (sums, x)
    for c in 0..<n {
      for i in 0..<x.rows {
        sums[i, c] = counts[c] > 0 ? sums[i, c] / counts[c] : 0
        means[i, c] = counts[c] > 0 ? (sums[i, c] - mean[i]) * (counts[c] / total).squareRoot() : 0
      }
    }
    for (j, c) in classes.enumerated() {
      for i in 0..<x.rows { residuals[i, j] = (x[i, j] - sums[i, c]) / total.squareRoot() }
    }
  }

  func between(_ metric: CholeskyFactorization?) -> Double { Self.sum(means, metric) }
  func within(_ metric: CholeskyFactorization?) -> Double { Self.sum(residuals, metric) }

  private static func sum(_ x: Matrix, _ metric: CholeskyFactorization?) -> Double {
    guard let metric else { return x.sumOfSquares }
    var solved = x
    metric.solve(&solved)
    return dot(x, solved)
  }
}
