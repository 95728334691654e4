import NeuralSheaves

/// The noise of a network as variances of components, such as those that were fitted to its residuals.
public struct ComponentNoise: Sendable, Equatable {
  /// The components.
  public let components: [NoiseComponent]
  /// τ of each.
  public let variances: [Double]
  /// The variance that is added to each coordinate of z_{k+1}.
  let constant: Double
  /// The variance of the input's coordinates.
  let input: Double
  /// By edge the variance of what is added, and of what multiplies.
  let additive, gain: [Double]

  /// Components with their variances.
  ///
  /// - Throws: `VarianceError.noise` for another number of variances, one that is negative or not finite, or an edge that the network
  ///   does not have.
  public init(
    _ components: [NoiseComponent], variances: [Double], of network: Network
  ) throws(VarianceError) {
    guard components.count == variances.count else {
      throw .noise(
        found: "\(variances.count) variances",
        expected: "one for each of \(components.count) components")
    }
    if let c = variances.firstIndex(where: { !($0 >= 0 && $0.isFinite) }) {
      throw .noise(
        found: "the variance of component \(c) is \(variances[c])",
        expected: "0 or a positive finite number")
    }
    var (constant, input) = (0.0, 0.0)
    var additive = [Double](repeating: 0, count: network.edges.count)
    var gain = additive
    for (component, variance) in zip(components, variances) {
      switch component.source {
      case .constant: constant += variance
      case .input: input += variance
      case .edge, .kind:
        for e in component.edges(of: network) {
          guard network.edges.indices.contains(e) else {
            throw .noise(
              found: "a component on edge \(e)", expected: "one of \(network.edges.count) edges")
          }
          if component.isGain { gain[e] += variance } else { additive[e] += variance }
        }
      }
    }
    (self.components, self.variances) = (components, variances)
    (self.constant, self.input, self.additive, self.gain) = (constant, input, additive, gain)
  }

  /// γ = 1 on every edge.
  public init(unitOn network: Network) {
    components = network.edgeComponents()
    variances = components.map { _ in 1 }
    (constant, input) = (0, 0)
    additive = variances
    gain = [Double](repeating: 0, count: variances.count)
  }
}
