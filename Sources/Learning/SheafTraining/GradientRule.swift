import LinearAlgebra
import NeuralSheaves

/// A way to get a direction for the parameters from a batch, such as backpropagation or equilibrium.
///
/// A rule is a value with its own workspace; each thread has one. Only `visitEdges`, `sweeps` and `energyScales` have
/// no defaults.
public protocol GradientRule: Sendable {
  /// Works on a batch and hands over, edge by edge, what its gradient is the sum of. The sum over
  /// edges is this rule's gradient of the loss of `Evaluation`, times the samples.
  ///
  /// - Parameters:
  ///   - batch: the samples, where training is and what it wants to know.
  ///   - body: called with each part.
  mutating func visitEdges(
    _ sheaf: NeuralSheaf, _ batch: inout RuleBatch, _ body: (EdgeGradient) -> Void
  ) throws -> RelaxationReport
  /// How many sweeps a gradient costs, roughly; to decide about threads.
  func sweeps(_ network: Network) -> Int
  /// For each edge the weight κ/(γ · the loss's scale) that turns the gradient into that of its own
  /// ½‖ρ‖², where there is one: 1 for backpropagation.
  func energyScales(_ network: Network, at progress: Double) -> [Double]
  /// The coupling κ, where there is one.
  func coupling(at progress: Double) -> Double?
  /// Whether it asks for random signs.
  func needsSigns(_ network: Network) -> Bool
  /// How many lists of sums over all samples of a batch it asks for before it visits edges.
  var sumCount: Int { get }
  /// A share's part of the k-th list. Those before it are in `batch.sums`.
  mutating func sums(_ k: Int, _ sheaf: NeuralSheaf, _ batch: RuleBatch) -> [Double]
}

extension GradientRule {
  /// None.
  public func coupling(at progress: Double) -> Double? { nil }
  /// No.
  public func needsSigns(_ network: Network) -> Bool { false }
  /// None.
  public var sumCount: Int { 0 }
  /// Empty.
  public mutating func sums(_ k: Int, _ sheaf: NeuralSheaf, _ batch: RuleBatch) -> [Double] { [] }

  /// Visits the edges with a batch that is not shared out.
  public mutating func visitEdges(
    ofWhole batch: inout RuleBatch, _ sheaf: NeuralSheaf, _ body: (EdgeGradient) -> Void
  ) throws -> RelaxationReport {
    batch.sums = []
    for k in 0..<sumCount { batch.sums.append(sums(k, sheaf, batch)) }
    return try visitEdges(sheaf, &batch, body)
  }
}

/// What a rule works on: a batch, or a thread's share of one.
public struct RuleBatch: Sendable {
  /// (n₀, samples).
  public var input: Matrix
  /// (n_{k+1}, samples).
  public var target: Matrix
  /// From 0 at the start of the run to 1 at its end.
  public var progress = 0.0
  /// Whether the report counts, so that its residuals are worth working out.
  public var isMeasured = false
  /// The stalks to start from, where those of an earlier visit are kept; on return where they ended.
  public var stalks: SheafState?
  /// Random signs ±1, (n_{k+1}, samples), for rules that ask for them.
  public var signs = Matrix(rows: 0, columns: 0)
  /// How many samples the whole batch has.
  public var size: Int
  /// The lists of sums over the whole batch that the rule has asked for.
  public var sums: [[Double]] = []

  /// Samples and their targets, of one number of columns; a whole batch.
  public init(input: Matrix, target: Matrix, progress: Double = 0, stalks: SheafState? = nil) {
    (self.input, self.target, size) = (input, target, input.columns)
    (self.progress, self.stalks) = (progress, stalks)
  }
}

extension Network {
  /// c in ∂(loss of one sample)/∂z_{k+1} = c (φ(z_{k+1}) − y): 2/n for the mean squared error, 1/n
  /// for sigmoid, 1 for softmax.
  var lossGradientScale: Double {
    switch outputActivation {
    case .identity: 2 / Double(outputDimension)
    case .sigmoid: 1 / Double(outputDimension)
    case .softmax: 1
    }
  }
}
