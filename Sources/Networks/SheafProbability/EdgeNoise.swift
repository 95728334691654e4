import NeuralSheaves

/// Independent Gaussian noise on the edges of a network's sheaf: ρ_e ~ N(0, γ_e⁻¹ I) with one stiffness
/// γ_e > 0 for each edge.
///
/// γ_e is the inner product of the edge's stalk (`Stiffness`) and the precision of its noise: a coordinate of
/// the edge's target strays from its prediction with the deviation γ_e^(−½), in units of that coordinate.
public struct EdgeNoise: Sendable, Equatable {
  /// γ_e by edge.
  public let stiffness: [Double]

  /// The same stiffness, by default 1, on every edge.
  ///
  /// - Throws: `ProbabilityError.stiffness` unless γ is positive and finite.
  public init(_ gamma: Double = 1, of network: Network) throws(ProbabilityError) {
    try self.init([Double](repeating: gamma, count: network.edges.count), of: network)
  }

  /// One stiffness for each edge of a network, in the order of `network.edges`.
  ///
  /// - Throws: `ProbabilityError` for another number of them or the first that is not positive and finite.
  public init(_ gamma: [Double], of network: Network) throws(ProbabilityError) {
    guard gamma.count == network.edges.count else {
      throw .stiffnessCount(found: gamma.count, expected: network.edges.count)
    }
    if let e = gamma.firstIndex(where: { !($0 > 0 && $0.isFinite && (1 / $0).isFinite) }) {
      throw .stiffness(edge: network.edgeName(e), found: gamma[e])
    }
    stiffness = gamma
  }

  /// γ_e⁻¹, the variance of each coordinate of an edge's noise.
  public func variance(ofEdge e: Int) -> Double { 1 / stiffness[e] }
}
