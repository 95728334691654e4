import LinearAlgebra

/// A part of a gradient: the derivative of scale · Σ ⟨v, P(s)⟩, or of scale · Σ ⟨v, R_π s⟩, in the parameters of one
/// edge, the sum over columns. They may be more than the samples.
public struct EdgeGradient: Sendable {
  /// The edge, with parameters.
  public let edge: Int
  /// v, (target dimension, columns).
  public let cotangent: Matrix
  /// s, (source dimension, columns).
  public let source: Matrix
  /// The factor.
  public let scale: Double
  /// π of R_π; nil for P.
  public let pattern: ActivationPattern?

  /// A part; with a pattern, one of the operation's linear part.
  public init(
    edge: Int, cotangent: Matrix, source: Matrix, scale: Double = 1,
    pattern: ActivationPattern? = nil
  ) {
    (self.edge, self.cotangent, self.source) = (edge, cotangent, source)
    (self.scale, self.pattern) = (scale, pattern)
  }

  /// gradients ← weight · this part + keep · gradients.
  public func add(
    of network: Network, weight: Double = 1, keeping keep: Double,
    into gradients: inout [Matrix]
  ) {
    let operation = network.edges[edge].operation
    if let pattern {
      operation.addLinearPartGradients(
        cotangent, source: source, at: pattern, scale: scale * weight, keeping: keep,
        into: &gradients)
    } else {
      operation.addParameterGradients(
        cotangent, source: source, scale: scale * weight, keeping: keep, into: &gradients)
    }
  }
}
