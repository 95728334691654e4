import LinearAlgebra

/// The discord ‖ρ_e‖² of one edge in the norm of its stalk, mean over the batch.
public struct EdgeDiscord: Sendable, Equatable {
  /// The edge, named after the vertex it determines.
  public let edge: String
  /// What kind of operation it carries.
  public let kind: OperationKind
  /// Its layer ℓ.
  public let layer: Int
  /// ‖ρ_e‖², γ‖ρ_e‖² where the edge has a stiffness, mean over the batch; on a clamp κ‖z − y‖² or κ·CE.
  public let discord: Double
}

/// The discords of all edges of a state.
public struct DiscordReport: Sendable, Equatable {
  /// Edge by edge, in topological order; the output edge last.
  public let edges: [EdgeDiscord]
  /// Whether the output edge carries a cross-entropy, which counts wholly in the energy.
  private let hasCrossEntropy: Bool

  init(edges: [EdgeDiscord], hasCrossEntropy: Bool) {
    self.edges = edges
    self.hasCrossEntropy = hasCrossEntropy
  }

  /// The sum over the edges.
  public var total: Double { edges.reduce(0) { $0 + $1.discord } }

  /// E = ½ Σ ‖ρ_e‖² (+ κ·CE), mean over the batch, without soft pins.
  public var energy: Double {
    edges.reduce(0) {
      $0 + (hasCrossEntropy && $1.kind == .output ? $1.discord : $1.discord / 2)
    }
  }

  /// The sums by layer, layer 1 first.
  public var byLayer: [(layer: Int, discord: Double)] {
    Dictionary(grouping: edges, by: \.layer).sorted { $0.key < $1.key }
      .map { ($0.key, $0.value.reduce(0) { $0 + $1.discord }) }
  }

  /// The sums by kind, in the order of `OperationKind`.
  public var byKind: [(kind: OperationKind, discord: Double)] {
    OperationKind.allCases.compactMap { kind in
      let these = edges.filter { $0.kind == kind }
      return these.isEmpty ? nil : (kind, these.reduce(0) { $0 + $1.discord })
    }
  }
}

extension NeuralSheaf {
  /// The discord of every edge at a state, mean over the batch.
  ///
  /// - Parameters:
  ///   - state: with `output` where there is an output edge.
  ///   - output: the output edge, if the sheaf has one.
  ///   - isClamped: whether `state.output` is held at a target.
  ///   - stiffness: the inner products of the edges' stalks.
  public func discords(
    _ state: SheafState, output: OutputEdge? = nil, isClamped: Bool = false,
    stiffness: Stiffness = .uniform
  ) -> DiscordReport {
    var rho = discrepancy(state)
    stiffness.multiply(&rho) { $0.squareRoot() }
    let n = Double(max(state.batch, 1))
    var edges = network.edges.enumerated().map { e, edge in
      EdgeDiscord(
        edge: network.edgeName(e), kind: edge.operation.kind,
        layer: network.vertices[edge.target].layer,
        discord: rho[edge.target].sumOfSquares(rows: edge.operation.targetRows) / n)
    }
    if let output, let a = state.output {
      edges.append(
        EdgeDiscord(
          edge: "output", kind: .output, layer: network.vertices[network.lastVertex].layer,
          discord: output.discord(state.stalks[network.lastVertex], a, isClamped: isClamped) / n))
    }
    return DiscordReport(
      edges: edges, hasCrossEntropy: output?.hasCrossEntropy(isClamped: isClamped) ?? false)
  }
}
