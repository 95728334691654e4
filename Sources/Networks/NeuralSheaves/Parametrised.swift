import LinearAlgebra

/// Something with trainable parameters; by default it has none.
public protocol Parametrised: Sendable {
  /// The trainable parameters, by name.
  var parameterNames: [String] { get }
  /// The trainable parameters, in the order of `parameterNames`.
  var parameters: [Matrix] { get set }
  /// Visits each parameter in place.
  mutating func updateParameters(_ update: (Int, inout Matrix) -> Void)
  /// gradients ← scale · (derivative of ⟨v, P(s)⟩ in the parameters) + keep · gradients.
  func addParameterGradients(
    _ v: Matrix, source: Matrix, scale: Double, keeping keep: Double,
    into gradients: inout [Matrix])
  /// gradients ← scale · (derivative of ⟨v, R_π s⟩ in the parameters) + keep · gradients, R_π the linear part of P
  /// on a given pattern.
  func addLinearPartGradients(
    _ v: Matrix, source: Matrix, at pattern: ActivationPattern, scale: Double, keeping keep: Double,
    into gradients: inout [Matrix])
  /// parameters ← parameters + scale · (derivative of ⟨v, P(s)⟩ in them), without a gradient in
  /// between.
  mutating func moveParameters(along v: Matrix, source: Matrix, scale: Double, threads: Int)
}

extension Parametrised {
  /// None.
  public var parameterNames: [String] { [] }
  /// None.
  public var parameters: [Matrix] {
    get { [] }
    set { precondition(newValue.isEmpty, "\(Self.self) has no parameters") }
  }
  /// Nothing to visit.
  public mutating func updateParameters(_ update: (Int, inout Matrix) -> Void) {}
  /// Nothing to add.
  public func addParameterGradients(
    _ v: Matrix, source: Matrix, scale: Double, keeping keep: Double,
    into gradients: inout [Matrix]
  ) {}
  /// Nothing to add.
  public func addLinearPartGradients(
    _ v: Matrix, source: Matrix, at pattern: ActivationPattern, scale: Double, keeping keep: Double,
    into gradients: inout [Matrix]
  ) { precondition(parameterNames.isEmpty, "\(Self.self) has parameters, and no gradients of R_π") }
  /// Nothing to move.
  public mutating func moveParameters(
    along v: Matrix, source: Matrix, scale: Double, threads: Int
  ) {}
}
