import LinearAlgebra

/// The edge z_{k+1} — a_{k+1} of a smooth output activation or of a soft clamp.
///
/// With the squared energy its discord is κ‖φ(z) − a‖² and it pulls z by −κJ_φᵀ(φ(z) − a); with the
/// cross-entropy energy it contributes κ·CE(φ(z), a), pulls z by −κ(φ(z) − a) and does not saturate
/// (paper, Thm 4.2). A free a_{k+1} is pulled by κ(φ(z) − a) in both cases.
public struct OutputEdge: Sendable, Equatable {
  /// The energy on the edge.
  public enum Energy: String, Sendable, CaseIterable {
    /// ½κ‖φ(z) − a‖².
    case squared
    /// κ·CE(φ(z), a).
    case crossEntropy
  }

  /// φ.
  public var activation: OutputActivation
  /// Which energy.
  public var energy: Energy
  /// The weight κ.
  public var coupling: Double

  /// An output edge of weight κ > 0.
  public init(activation: OutputActivation, energy: Energy = .squared, coupling: Double = 1) {
    precondition(coupling > 0, "κ = \(coupling), expected a positive number")
    self.activation = activation
    self.energy = energy
    self.coupling = coupling
  }

  /// Adds the edge's force on z to `force` and, where a is free, sets the force on a.
  /// `residual` is a workspace of the shape of z.
  public func addForce(
    _ z: Matrix, _ a: Matrix, residual: inout Matrix, into force: inout Matrix,
    outputForce: inout Matrix?
  ) {
    activation.apply(z, into: &residual)
    let isSquared = energy == .squared && activation != .identity
    let prediction = isSquared ? residual : nil
    residual.add(a, scale: -1)
    outputForce?.set(residual, scale: coupling)
    if let prediction { activation.applyJacobian(at: prediction, to: &residual) }
    force.add(residual, scale: -coupling)
  }

  /// The energy of the edge for sample j: half its discord, or all of it where it is a
  /// cross-entropy.
  public func energy(_ z: Matrix, _ a: Matrix, isClamped: Bool, sample j: Int) -> Double {
    let d = discord(z.columns(j..<j + 1), a.columns(j..<j + 1), isClamped: isClamped)
    return hasCrossEntropy(isClamped: isClamped) ? d : d / 2
  }

  /// Whether the edge's discord is a cross-entropy, which counts wholly in the energy.
  public func hasCrossEntropy(isClamped: Bool) -> Bool {
    energy == .crossEntropy && isClamped && activation != .identity
  }

  /// The discord of the edge, summed over the batch: κ‖φ(z) − a‖², or κ·CE when a is the target
  /// of a cross-entropy clamp (a free a has no entropy to match: its squared discrepancy counts).
  public func discord(_ z: Matrix, _ a: Matrix, isClamped: Bool) -> Double {
    if hasCrossEntropy(isClamped: isClamped) {
      return (0..<z.columns).reduce(0) { $0 + coupling * activation.crossEntropy(z, a, sample: $1) }
    }
    var residual = activation(z)
    residual.add(a, scale: -1)
    return coupling * residual.sumOfSquares
  }
}
