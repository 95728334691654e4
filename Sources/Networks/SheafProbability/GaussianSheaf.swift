import Foundation
import LinearAlgebra
import NeuralSheaves

/// A neural sheaf as a probability model of its stalks: every edge e has independent noise ρ_e ~ N(0, γ_e⁻¹ I), so that
///
///     p(ω | x) = (2π)^(−N/2) (det Γ)^(½) exp(−½⟨ρ, ρ⟩_Γ),   ρ = δω − b,   N = dim Ω.
///
/// ω ↦ ρ is a bijection with Jacobian determinant 1, as δ_Ω is unit triangular on every activation pattern; so the density is
/// normalised, and its constant depends neither on the weights nor on the pattern (Docs/Probability.md).
public struct GaussianSheaf: Sendable {
  /// The sheaf.
  public let sheaf: NeuralSheaf
  /// The noise of its edges.
  public let noise: EdgeNoise
  /// Γ.
  public let stiffness: Stiffness

  /// The model of a network with noise on its edges.
  public init(_ network: Network, noise: EdgeNoise) {
    (sheaf, self.noise) = (NeuralSheaf(network), noise)
    stiffness = Stiffness(noise.stiffness, of: network)
  }

  /// The model with γ = 1 on every edge.
  public init(_ network: Network) {
    sheaf = NeuralSheaf(network)
    noise = EdgeNoise(unit: network.edges.count)
    stiffness = .uniform
  }

  /// The network.
  public var network: Network { sheaf.network }

  /// log det Γ = Σ_e n_e log γ_e, n_e the dimension of an edge's stalk: also log det δ_ΩᵀΓδ_Ω, on every pattern.
  public var logDeterminant: Double {
    zip(network.edges, noise.stiffness).reduce(0) {
      $0 + Double($1.0.operation.targetRows.count) * log($1.1)
    }
  }

  /// log p(ω | x) of each sample of a state. Cost: one sweep.
  public func logDensities(_ state: SheafState) -> [Double] {
    let rho = sheaf.discrepancy(state)
    let constant = (logDeterminant - Double(network.freeDimension) * log(2 * .pi)) / 2
    return (0..<state.batch).map { constant - stiffness.energy(rho, sample: $0) }
  }
}

extension EdgeNoise {
  /// γ = 1 on so many edges.
  init(unit count: Int) { stiffness = [Double](repeating: 1, count: count) }
}
