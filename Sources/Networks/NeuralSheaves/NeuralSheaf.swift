import LinearAlgebra

/// The neural sheaf of a network (Bosca, Ghrist 2026, §3): its vertices carry the intermediate
/// quantities, its edges the operations.
///
/// The free coordinates are ω = (z₁, a₁, …, z_{k+1}), all vertices but the input. The restricted
/// coboundary δ_Ω has as many rows as columns, because each coordinate of a free vertex is
/// determined by exactly one edge; in topological order it is unit lower triangular. So a
/// 1-cochain has the shape of ω, and is stored as one matrix per free vertex. See Docs.
///
/// Methods take a state, or a pattern per edge (`patterns[e]`, empty for affine operations), and
/// work on a whole batch. Its sweeps cost one forward pass each.
public struct NeuralSheaf: Sendable {
  /// The network.
  public var network: Network

  /// The sheaf of a network.
  public init(_ network: Network) { self.network = network }

  /// Zero matrices of the shapes of the vertices; a held input's has no rows.
  public func zeroCochain(batch: Int, input: InputRole = .held) -> [Matrix] {
    network.vertices.enumerated().map { v, vertex in
      Matrix(rows: v == 0 && input == .held ? 0 : vertex.dimension, columns: batch)
    }
  }

  /// The state with the given input and every free coordinate 0.
  public func zeroState(_ input: Matrix) -> SheafState {
    var stalks = zeroCochain(batch: input.columns)
    stalks[0] = input
    return SheafState(stalks: stalks)
  }

  /// The state with the given input and standard normal free coordinates.
  public func randomState(_ input: Matrix, using generator: inout RandomGenerator) -> SheafState {
    var stalks = [input]
    for vertex in network.vertices.dropFirst() {
      stalks.append(generator.normalMatrix(rows: vertex.dimension, columns: input.columns))
    }
    return SheafState(stalks: stalks)
  }

  /// One pattern per edge, every coordinate on branch 0.
  public func blankPatterns(batch: Int) -> [ActivationPattern] {
    network.edges.map { $0.operation.blankPattern(batch: batch) }
  }

  /// The patterns read from a state, one per edge.
  public func patterns(at state: SheafState) -> [ActivationPattern] {
    var patterns = blankPatterns(batch: state.batch)
    _ = readPatterns(at: state, into: &patterns)
    return patterns
  }
}
