import Foundation
import LinearAlgebra
import NeuralSheaves

/// The stalks of a `GaussianSheaf` given an observed output y, by Laplace's approximation at an equilibrium:
///
///     p(ω | x, y) ≈ N(ω*, Σ),   Σ = (L + E₀ᵀ∇²V E₀)⁻¹ = L⁻¹ − L⁻¹E₀ᵀB (I + BᵀCB)⁻¹ BᵀE₀L⁻¹,
///
/// with L = δ_ΩᵀΓδ_Ω on the pattern of ω*, E₀ selecting z_{k+1}, C = E₀L⁻¹E₀ᵀ and BBᵀ = ∇²V the curvature of the output's
/// energy at ω*: κI or, for cross-entropies, κ diag φ(1 − φ) and κ(diag φ − φφᵀ). For networks without
/// state-dependent operations and with identity output it is exact. Where coordinates rest on kinks or are tied for a maximum E is no
/// quadratic around ω*, and Σ is that of the branches read there (Docs/Probability.md).
public struct SheafPosterior: Sendable {
  /// The model.
  public let model: GaussianSheaf
  /// κ.
  public let coupling: Double
  /// ω*, the mode, with y as its `output`.
  public let state: SheafState
  /// The pattern of ω*, one per edge.
  public let patterns: [ActivationPattern]
  /// E* of each sample, the output's energy included.
  public let energies: [Double]
  /// How the search for each sample's mode ended.
  public let statuses: [SolutionStatus]
  /// How many coordinates of each sample rest on a kink.
  public var kinkCoordinates: [Int] { kinks.map(\.count) }
  /// How many coordinates of each sample are tied with the maximum of a window.
  public let tiedCoordinates: [Int]
  /// C on the pattern of ω*.
  public let predictive: PredictiveCovariance
  let kinks: [[RestingKink]]
  /// B of each sample.
  let factors: [Matrix]
  /// I + BᵀCB of each sample, factored.
  let inner: [CholeskyFactorization]
  let logNormaliser: Double

  /// log det(I + C∇²V) of each sample, which is log det(L + E₀ᵀ∇²V E₀) − log det Γ.
  public var logDeterminants: [Double] { inner.map(\.logDeterminant) }
}
