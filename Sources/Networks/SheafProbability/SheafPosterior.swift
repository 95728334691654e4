import Foundation
import LinearAlgebra
import NeuralSheaves

/// The stalks of a `GaussianSheaf` given an observed output y, pinned coordinates, or both, by Laplace's approximation at an equilibrium:
///
///     p(ω | x, y) ≈ N(ω*, Σ),   Σ = L⁻¹ − L⁻¹EᵀB (D + BᵀGB)⁻¹ BᵀEL⁻¹,   G = EL⁻¹Eᵀ,
///
/// with L = δ_ΩᵀΓδ_Ω on the pattern of ω* and E selecting what is known. For an output D = I and BBᵀ = ∇²V is the curvature of the output's
/// energy at ω*: κI or, for cross-entropies, κ diag φ(1 − φ) and κ(diag φ − φφᵀ), so that Σ = (L + Eᵀ∇²V E)⁻¹. A soft pin of stiffness w adds a row
/// √w to B; a hard one 1, and 0 to D, so that its variance is 0. For networks without
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
  let observations: Observations
  /// B of each sample.
  let factors: [Matrix]
  /// D + BᵀGB of each sample, factored.
  let inner: [CholeskyFactorization]

  /// log det(D + BᵀGB) of each sample; for an output log det(I + C∇²V), which is log det(L + E₀ᵀ∇²V E₀) − log det Γ.
  public var logDeterminants: [Double] { inner.map(\.logDeterminant) }
}
