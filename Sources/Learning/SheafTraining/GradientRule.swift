import LinearAlgebra
import NeuralSheaves

/// A way to get a direction for the parameters from a batch: backpropagation or equilibrium.
///
/// A rule is a value with its own workspace; each thread has one.
public protocol GradientRule: Sendable {
  /// Works on a batch and hands over, for each edge with parameters, the v and the source s of its
  /// gradient: the derivative of scale · Σ ⟨v, P(s)⟩ in the edge's own parameters. The sum over
  /// edges is this rule's gradient of the loss of `Evaluation`, times the samples.
  ///
  /// - Parameters:
  ///   - batch: the samples, where training is and what it wants to know.
  ///   - body: called with edge, v, s and scale.
  mutating func visitEdges(
    _ sheaf: NeuralSheaf, _ batch: inout RuleBatch, _ body: (Int, Matrix, Matrix, Double) -> Void
  ) throws -> RelaxationReport
  /// How many sweeps a gradient costs, roughly; to decide about threads.
  func sweeps(_ network: Network) -> Int
  /// For each edge the weight κ/(γ · the loss's scale) that turns the gradient into that of its own
  /// ½‖ρ‖², where there is one: 1 for backpropagation.
  func energyScales(_ network: Network, at progress: Double) -> [Double]
}

/// What a rule works on.
public struct RuleBatch: Sendable {
  /// (n₀, batch).
  public var input: Matrix
  /// (n_{k+1}, batch).
  public var target: Matrix
  /// From 0 at the start of the run to 1 at its end.
  public var progress = 0.0
  /// Whether the report counts, so that its residuals are worth working out.
  public var isMeasured = false
  /// The stalks to start from, where those of an earlier visit are kept; on return where they ended.
  public var stalks: SheafState?

  /// Samples and their targets, of one number of columns.
  public init(input: Matrix, target: Matrix, progress: Double = 0, stalks: SheafState? = nil) {
    (self.input, self.target) = (input, target)
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
