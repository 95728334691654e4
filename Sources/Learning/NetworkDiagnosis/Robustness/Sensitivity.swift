import LinearAlgebra
import NeuralSheaves

/// How strongly outputs answer to small changes of the input.
public struct Sensitivity: Sendable {
  /// The singular values of ∂z_{k+1}/∂x of each sample, descending.
  public let singularValues: [[Double]]
  /// The norm of the gradient of each sample's loss in the input; empty without targets.
  public let gradientNorms: [Double]

  /// Of samples. Cost: n_{k+1} reverse sweeps.
  public init(_ samples: NetworkSamples) throws(FactorizationError) {
    let network = samples.network
    let residuals = samples.target.map { target in
      var r = network.outputActivation(samples.logits)
      r.add(target, scale: -1)
      r.scale(
        by: network.outputActivation == .softmax
          ? 1
          : network.outputActivation == .sigmoid
            ? 1 / Double(r.rows) : 2 / Double(r.rows))
      return r
    }
    let parts = InputJacobians.map(network, at: samples.state) { j, transpose in
      var gram = Matrix(rows: transpose.columns, columns: transpose.columns)
      gram.addGram(transpose, transposed: true, keeping: 0)
      let norm = residuals.map { (transpose * $0.columns(j..<j + 1)).sumOfSquares.squareRoot() }
      return (gram, norm)
    }
    var values: [[Double]] = []
    for (gram, _) in parts {
      values.append(
        try SymmetricEigendecomposition(gram, vectors: false).values.reversed()
          .map { max($0, 0).squareRoot() })
    }
    singularValues = values
    gradientNorms = parts.compactMap(\.1)
  }
}
