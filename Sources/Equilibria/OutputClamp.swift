import LinearAlgebra
import NeuralSheaves

/// A clamp of the output to targets: an edge from z_{k+1} to y of weight κ, or a hard pin.
public struct OutputClamp: Sendable {
  /// y, (n_{k+1}, batch).
  public var target: Matrix
  /// The coupling κ; infinity holds z_{k+1} = y exactly (squared energy only).
  public var coupling: Double
  /// nil for the squared energy ½κ‖z − y‖²; φ for the cross-entropy energy κ·CE(φ(z), y).
  public var crossEntropy: OutputActivation?

  /// A clamp of weight κ > 0.
  public init(target: Matrix, coupling: Double, crossEntropy: OutputActivation? = nil) {
    precondition(coupling > 0, "κ = \(coupling), expected a positive number")
    self.target = target
    self.coupling = coupling
    self.crossEntropy = crossEntropy == .identity ? nil : crossEntropy
    precondition(
      coupling.isFinite || self.crossEntropy == nil, "a cross-entropy clamp needs a finite κ")
  }
}

/// The end of a relaxation against an output clamp.
public struct ClampedEquilibrium: Sendable {
  /// The stalks.
  public let state: SheafState
  /// ρ of every edge at the state, one matrix per vertex.
  public let discrepancy: [Matrix]
  /// The tensions λ = forces of the clamp, (n_{k+1}, batch).
  public let tensions: Matrix
  /// E of each sample.
  public let energies: [Double]
  /// Whether the pattern read from the final state is the one it was solved on.
  public let isSettled: [Bool]
  /// ‖∇E‖∞ / max(1, ‖y − ŷ‖∞) of each sample, with the pattern of the final state, ŷ = φ of the
  /// forward pass (the forward pass itself for the squared energy).
  public let residuals: [Double]
  /// The number of Schur solves.
  public let solves: Int

  /// The share of the samples that are not settled.
  public var unsettledFraction: Double {
    isSettled.isEmpty ? 0 : Double(isSettled.lazy.filter { !$0 }.count) / Double(isSettled.count)
  }
}
