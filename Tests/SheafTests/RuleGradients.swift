import LinearAlgebra
import NeuralSheaves

@testable import SheafTraining

extension GradientRule {
  /// The sum over a batch of what the rule hands over, times a weight, as gradients.
  func gradients(
    _ sheaf: NeuralSheaf, input: Matrix, target: Matrix, weight: Double, progress: Double = 0,
    signs: Matrix? = nil
  ) throws -> ParameterGradients {
    var rule = self
    var gradients = ParameterGradients(of: sheaf.network)
    var batch = RuleBatch(input: input, target: target, progress: progress)
    if let signs { batch.signs = signs }
    _ = try rule.visitEdges(ofWhole: &batch, sheaf) { part in
      part.add(of: sheaf.network, weight: weight, keeping: 1, into: &gradients.edges[part.edge])
    }
    return gradients
  }
}

/// Targets with a 1 at a random place of each sample, which suit every output activation.
func oneHotTargets(_ network: Network, batch: Int, using g: inout RandomGenerator) -> Matrix {
  var y = Matrix(rows: network.outputDimension, columns: batch)
  for j in 0..<batch { y[g.integer(0...y.rows - 1), j] = 1 }
  return y
}

/// The parameters of a network in order.
func parameters(_ network: Network) -> [Matrix] {
  network.edges.flatMap { $0.operation.parameters }
}

/// The largest difference relative to the largest magnitude of all, at least `floor`.
func relativeError(_ a: [Matrix], _ b: [Matrix], floor: Double = .leastNormalMagnitude) -> Double {
  var (worst, scale) = (0.0, floor)
  for (p, q) in zip(a, b) {
    var d = p
    d.add(q, scale: -1)
    worst = max(worst, d.maximumMagnitude)
    scale = max(scale, q.maximumMagnitude)
  }
  return worst / scale
}
