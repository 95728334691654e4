import LinearAlgebra
import NeuralSheaves

/// Loss and accuracy of a network on data.
public struct Evaluation: Sendable, Equatable, Codable {
  /// The mean over samples and coordinates of the squared error for identity output and of the
  /// binary cross-entropy for sigmoid; the mean over samples of the cross-entropy for softmax.
  public let loss: Double
  /// The share of samples whose largest output is that of the target (on the same side of ½ for a
  /// single sigmoid output); nil for identity output.
  public let accuracy: Double?

  /// Evaluates the forward pass. Cost: one sweep.
  public init(_ network: Network, on data: TrainingData) {
    let z = network.logits(data.input)
    let (n, m) = (z.columns, z.rows)
    let activation = network.outputActivation
    let total = (0..<n).reduce(0) {
      $0 + activation.crossEntropy(z, data.target, sample: $1)
    }
    // crossEntropy gives ½‖z − y‖² for the identity.
    switch activation {
    case .identity: loss = 2 * total / Double(n * m)
    case .sigmoid: loss = total / Double(n * m)
    case .softmax: loss = total / Double(n)
    }
    guard activation != .identity else {
      accuracy = nil
      return
    }
    var right = 0
    for j in 0..<n {
      if m == 1 {
        right += (z[0, j] >= 0) == (data.target[0, j] >= 0.5) ? 1 : 0
      } else {
        right += z.largestRow(ofColumn: j) == data.target.largestRow(ofColumn: j) ? 1 : 0
      }
    }
    accuracy = Double(right) / Double(n)
  }
}
