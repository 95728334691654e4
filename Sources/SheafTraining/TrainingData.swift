import LinearAlgebra
import NeuralSheaves

/// Samples with their targets.
public struct TrainingData: Sendable {
  /// (n₀, samples).
  public let input: Matrix
  /// (n_{k+1}, samples): values, or one-hot classes.
  public let target: Matrix

  /// Checks that there are as many targets as inputs, of the network's dimensions, all finite.
  ///
  /// Shapes must agree exactly; nothing is broadcast.
  public init(input: Matrix, target: Matrix, for network: Network) throws(NetworkError) {
    let shape = { (m: Matrix) in "(\(m.columns) samples, \(m.rows))" }
    guard input.rows == network.inputDimension, input.columns > 0 else {
      throw .quantity(
        name: "the input", found: shape(input),
        expected: "(at least 1 sample, \(network.inputDimension))")
    }
    guard target.rows == network.outputDimension, target.columns == input.columns else {
      throw .quantity(
        name: "the target", found: shape(target),
        expected: "(\(input.columns) samples, \(network.outputDimension))")
    }
    for (name, m) in [("the input", input), ("the target", target)] {
      if let (i, j) = m.firstNonFinite {
        throw .notFinite(array: name, index: "[sample \(j), coordinate \(i)]")
      }
    }
    if network.outputActivation != .identity {
      try network.outputActivation.checkTarget(target, named: "the target")
    }
    self.input = input
    self.target = target
  }

  /// The number of samples.
  public var count: Int { input.columns }

  /// One-hot targets (classes, samples) from labels.
  public static func oneHot(_ labels: [Double], classes: Int) throws(NetworkError) -> Matrix {
    var target = Matrix(rows: classes, columns: labels.count)
    for (j, label) in labels.enumerated() {
      guard let c = Int(exactly: label), (0..<classes).contains(c) else {
        throw .value(
          name: "label \(j)", found: "\(label)", expected: "a whole number in 0..<\(classes)")
      }
      target[c, j] = 1
    }
    return target
  }
}

/// Loss and accuracy of a network on data.
public struct Evaluation: Sendable, Equatable {
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
        let largest = { (a: Matrix) in (0..<m).max { a[$0, j] < a[$1, j] } }
        right += largest(z) == largest(data.target) ? 1 : 0
      }
    }
    accuracy = Double(right) / Double(n)
  }
}
