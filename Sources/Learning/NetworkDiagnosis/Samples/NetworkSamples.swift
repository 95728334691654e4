import LinearAlgebra
import NeuralSheaves
import SheafTraining

/// A network with the samples that it is looked at on: its forward pass and, where they are known, what its outputs should be.
public struct NetworkSamples: Sendable {
  /// The network.
  public let network: Network
  /// The forward pass; the input is its first stalk.
  public let state: SheafState
  /// What the outputs should be, (n_{k+1}, samples).
  public let target: Matrix?
  /// The class of each sample by its target, where outputs stand for classes and every target is one of them.
  public let classes: [Int]?

  /// Samples of a network. Cost: a forward pass; memory for all of its stalks.
  ///
  /// - Parameter names: what errors call input and target.
  /// - Throws: `NetworkError` for shapes that do not fit and numbers that are not finite, those of the forward pass as well.
  public init(
    _ network: Network, input: Matrix, target: Matrix? = nil,
    named names: (input: String, target: String) = ("the input", "the target")
  ) throws(NetworkError) {
    // A target that fits anything, to have the input checked.
    let blank = Matrix(
      rows: network.outputDimension, columns: input.columns,
      repeating: 1 / Double(network.outputDimension))
    _ = try TrainingData(input: input, target: target ?? blank, for: network, named: names)
    self.network = network
    state = NeuralSheaf(network).forwardPass(input)
    if let (v, i, j) = state.firstNonFinite {
      throw .notFinite(array: network.vertices[v].name, index: " [sample \(j), coordinate \(i)]")
    }
    self.target = target
    classes = target.flatMap { network.classes(ofTargets: $0) }
  }

  private init(_ other: NetworkSamples, _ indices: [Int]) {
    (network, state) = (other.network, other.state.samples(indices))
    target = other.target?.columns(indices)
    classes = other.classes.map { classes in indices.map { classes[$0] } }
  }

  /// Samples that are known to fit, without targets.
  init(unchecked network: Network, input: Matrix) {
    (self.network, target, classes) = (network, nil, nil)
    state = NeuralSheaf(network).forwardPass(input)
  }

  /// The number of samples.
  public var count: Int { state.batch }
  /// Their numbers.
  var range: Range<Int> { 0..<count }
  /// x, (n₀, samples).
  public var input: Matrix { state.stalks[0] }
  /// z_{k+1}, (n_{k+1}, samples).
  public var logits: Matrix { state.stalks[network.lastVertex] }

  /// The samples with the given indices.
  public func samples(_ indices: [Int]) -> NetworkSamples { NetworkSamples(self, indices) }

  /// At most so many samples, evenly spaced: their indices.
  public func spread(_ most: Int) -> [Int] {
    let n = min(most, count)
    return (0..<n).map { $0 * count / n }
  }
}
