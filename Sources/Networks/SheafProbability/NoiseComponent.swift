import NeuralSheaves

/// A part of a network's noise that has one variance: which edges it is on, and whether it is added to what they
/// determine or multiplies it.
public struct NoiseComponent: Sendable, Hashable {
  /// Where the noise is.
  public enum Source: Sendable, Hashable {
    /// On z_{k+1}: its covariance is the identity for every sample. It is what the edges into z_{k+1} add.
    case constant
    /// On the input.
    case input
    /// On an edge.
    case edge(Int)
    /// On all edges of a kind; if added, on those that do not end at z_{k+1}, which are `constant`.
    case kind(OperationKind)
  }

  /// Where the noise is.
  public let source: Source
  /// Whether the noise multiplies the value t of each coordinate, with covariance J diag(t²) Jᵀ, instead of being added, J Jᵀ.
  public let isGain: Bool

  /// A component; gains are of edges and kinds.
  public init(_ source: Source, isGain: Bool = false) {
    precondition(
      !isGain || source != .constant && source != .input, "a gain on \(source)")
    (self.source, self.isGain) = (source, isGain)
  }

  /// The edges that a component is on, ascending.
  public func edges(of network: Network) -> [Int] {
    switch source {
    case .constant, .input: []
    case .edge(let e): [e]
    case .kind(let kind):
      network.edges.indices.filter { e in
        network.edges[e].operation.kind == kind
          && (isGain || network.edges[e].target != network.lastVertex)
      }
    }
  }
}

extension Network {
  /// One component for each edge, and with gains a second; those that are added first, in the order of `edges`.
  ///
  /// The edge into z_{k+1} is the constant part.
  public func edgeComponents(gains: Bool = false) -> [NoiseComponent] {
    edges.indices.map { NoiseComponent(.edge($0)) }
      + (gains ? edges.indices.map { NoiseComponent(.edge($0), isGain: true) } : [])
  }

  /// The constant component, the input's, one for each kind of edge, and with gains a second for each kind.
  public func kindComponents(gains: Bool = false) -> [NoiseComponent] {
    let parts = OperationKind.allCases.flatMap { kind in
      [false, true].map { NoiseComponent(.kind(kind), isGain: $0) }
    }.filter { (gains || !$0.isGain) && !$0.edges(of: self).isEmpty }
    return [NoiseComponent(.constant), NoiseComponent(.input)]
      + parts.filter { !$0.isGain } + parts.filter(\.isGain)
  }
}
