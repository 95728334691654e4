#if canImport(Glibc)
  import Glibc
#else
  import Foundation
#endif
import LinearAlgebra
import NeuralSheaves

/// A first-order update of parameters from gradients.
public struct Optimizer: Sendable {
  /// The rule.
  public enum Rule: String, Sendable, CaseIterable {
    /// W ← W − η g.
    case gradient
    /// m ← μ m + g, W ← W − η m, μ = 0.9 (Polyak 1964).
    case momentum
    /// Adam with β₁ = 0.9, β₂ = 0.999, ε = 10⁻⁸ (Kingma, Ba 2015).
    case adam
  }

  /// The rule.
  public let rule: Rule
  /// The rate η.
  public var rate: Double
  private var first: ParameterGradients
  private var second: ParameterGradients
  private var steps = 0

  /// An optimiser for the parameters of a network.
  public init(_ rule: Rule, rate: Double, for network: Network) {
    precondition(rate > 0, "rate \(rate), expected a positive number")
    self.rule = rule
    self.rate = rate
    first = ParameterGradients(of: network)
    second = first
  }

  /// Changes the parameters in place.
  public mutating func step(_ network: inout Network, _ gradients: ParameterGradients) {
    steps += 1
    let t = Double(steps)
    // m̂/(√v̂ + ε) = m·c/(√v + ε√(1−β₂ᵗ)) with c = √(1−β₂ᵗ)/(1−β₁ᵗ).
    let root = (1 - pow(0.999, t)).squareRoot()
    let (rate, rule) = (rate, rule)
    for e in gradients.edges.indices {
      network.updateParameters(of: e) { i, w in
        let g = gradients.edges[e][i]
        switch rule {
        case .gradient: w.add(g, scale: -rate)
        case .momentum:
          first.edges[e][i].add(g, keeping: 0.9)
          w.add(first.edges[e][i], scale: -rate)
        case .adam:
          w.adamStep(
            gradient: g, first: &first.edges[e][i], second: &second.edges[e][i],
            rate: rate * root / (1 - pow(0.9, t)), beta1: 0.9, beta2: 0.999, epsilon: 1e-8 * root)
        }
      }
    }
  }
}
