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
  ///
  /// - Parameter names: what errors call input and target.
  public init(
    input: Matrix, target: Matrix, for network: Network,
    named names: (input: String, target: String) = ("the input", "the target")
  ) throws(NetworkError) {
    let shape = { (m: Matrix) in "(\(m.columns) samples, \(m.rows))" }
    guard input.rows == network.inputDimension, input.columns > 0 else {
      throw .quantity(
        name: names.input, found: shape(input),
        expected: "(at least 1 sample, \(network.inputDimension))")
    }
    guard target.rows == network.outputDimension, target.columns == input.columns else {
      throw .quantity(
        name: names.target, found: shape(target),
        expected: "(\(input.columns) samples, \(network.outputDimension))")
    }
    for (name, m) in [(names.input, input), (names.target, target)] {
      if let (i, j) = m.firstNonFinite {
        throw .notFinite(array: name, index: " [sample \(j), coordinate \(i)]")
      }
    }
    if network.outputActivation != .identity {
      try network.outputActivation.checkTarget(target, named: names.target)
    }
    self.input = input
    self.target = target
  }

  private init(_ data: TrainingData, _ indices: [Int]) {
    (input, target) = (data.input.columns(indices), data.target.columns(indices))
  }

  /// Two parts, drawn at random: all but a share of the samples, and that share.
  ///
  /// - Parameter name: the setting that errors name.
  /// - Throws: `TrainingError.setting` where one of the parts would be empty.
  public func split(
    holdingOut share: Double, named name: String = "validation",
    using generator: inout RandomGenerator
  ) throws(TrainingError) -> (training: TrainingData, held: TrainingData) {
    let size = share > 0 && share < 1 ? Int((share * Double(count)).rounded()) : 0
    guard size > 0 && size < count else {
      throw .setting(
        name: name, found: "\(share)",
        expected: "a share between 0 and 1 that leaves samples of \(count) on either side")
    }
    let order = generator.permutation(count)
    return (
      TrainingData(self, order.dropFirst(size).sorted()),
      TrainingData(self, order.prefix(size).sorted())
    )
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
