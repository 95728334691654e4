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
/// work on a whole batch. Each sweep costs one forward pass.
public struct NeuralSheaf: Sendable {
  /// The network.
  public var network: Network

  /// The sheaf of a network.
  public init(_ network: Network) { self.network = network }

  /// Zero matrices of the shapes of the free vertices; the input's has no rows.
  public func zeroCochain(batch: Int) -> [Matrix] {
    network.vertices.enumerated().map { v, vertex in
      Matrix(rows: v == 0 ? 0 : vertex.dimension, columns: batch)
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

  /// The patterns read from a state, one per edge.
  public func patterns(at state: SheafState) -> [ActivationPattern] {
    network.edges.map { edge in
      var pattern = edge.operation.blankPattern(batch: state.batch)
      _ = edge.operation.readPattern(at: state.stalks[edge.source], into: &pattern)
      return pattern
    }
  }
}

/// The three sweeps.
extension NeuralSheaf {
  /// The forward pass: the unique harmonic extension of the input (Prop. 3.4 of the paper).
  ///
  /// - Parameter input: (n₀, batch).
  public func forwardPass(_ input: Matrix) -> SheafState {
    var state = zeroState(input)
    runForwardPass(&state)
    return state
  }

  /// Overwrites every free stalk by the forward pass of `state.stalks[0]`, in place.
  public func runForwardPass(_ state: inout SheafState) {
    for edge in network.edges {
      let source = state.stalks[edge.source]
      edge.operation.apply(source, into: &state.stalks[edge.target])
    }
  }

  /// The sheaf discrepancy ρ = δω − b = actual − predicted, edge by edge: z − (W a + b) on an
  /// affine edge, a − P(z) on an activation edge. Patterns are read from the state.
  public func discrepancy(_ state: SheafState) -> [Matrix] {
    var rho = zeroCochain(batch: state.batch)
    for edge in network.edges {
      edge.operation.discrepancy(
        state.stalks[edge.source], state.stalks[edge.target], into: &rho[edge.target])
    }
    return rho
  }

  /// The state with discrepancy `rho` on a fixed pattern: the forward pass with ρ injected,
  /// t = R_π s + c_π + ρ. With input 0 and no offsets this is δ_Ω⁻¹ρ.
  public func extend(
    _ input: Matrix, injecting rho: [Matrix], at patterns: [ActivationPattern]
  ) -> SheafState {
    var state = zeroState(input)
    for (e, edge) in network.edges.enumerated() {
      let source = state.stalks[edge.source]
      edge.operation.apply(source, at: patterns[e], into: &state.stalks[edge.target])
      // Once the last edge into a vertex has been applied, add that vertex's discrepancy.
      if e + 1 == network.edges.count || network.edges[e + 1].target != edge.target {
        state.stalks[edge.target].add(rho[edge.target])
      }
    }
    return state
  }

  /// δ_Ω v for a fixed pattern, the linear part of the discrepancy; with a freed input, v₀ not
  /// empty, also what the input adds.
  public func coboundary(_ v: [Matrix], at patterns: [ActivationPattern]) -> [Matrix] {
    var result = v
    for (e, edge) in network.edges.enumerated() where edge.source != 0 || v[0].rows > 0 {
      edge.operation.addLinearPart(
        v[edge.source], at: patterns[e], scale: -1, keeping: 1, into: &result[edge.target])
    }
    return result
  }

  /// δ_Ωᵀ ρ for a fixed pattern; where ρ₀ is a zero matrix of the input's shape and not empty, the
  /// input's part of δᵀρ as well.
  public func coboundaryTransposed(_ rho: [Matrix], at patterns: [ActivationPattern]) -> [Matrix] {
    var result = rho
    for (e, edge) in network.edges.enumerated() where edge.source != 0 || rho[0].rows > 0 {
      // u ← Rᵀρ − u, then the sign back: u ← u − Rᵀρ without a second buffer.
      edge.operation.addTranspose(
        rho[edge.target], at: patterns[e], keeping: -1, into: &result[edge.source])
      result[edge.source].scale(by: -1)
    }
    return result
  }

  /// δ_Ω⁻¹ ρ for a fixed pattern by forward substitution: v_t = ρ_t + R_π v_s. Where ρ₀ is not
  /// empty it is the change of a freed input, v₀ = ρ₀.
  public func forwardSubstitution(
    _ rho: consuming [Matrix], at patterns: [ActivationPattern]
  ) -> [Matrix] {
    var v = rho
    for (e, edge) in network.edges.enumerated() where edge.source != 0 || v[0].rows > 0 {
      let source = v[edge.source]
      edge.operation.addLinearPart(
        source, at: patterns[e], scale: 1, keeping: 1, into: &v[edge.target])
    }
    return v
  }

  /// δ_Ω⁻ᵀ u for a fixed pattern by reverse substitution: λ_s = u_s + Σ R_πᵀ λ_t over the edges out
  /// of s. Where u₀ is not empty, λ₀ = u₀ + Σ R_πᵀ λ_t: the derivative in a freed input.
  public func reverseSubstitution(
    _ u: consuming [Matrix], at patterns: [ActivationPattern]
  ) -> [Matrix] {
    var lambda = u
    for (e, edge) in network.edges.enumerated().reversed()
    where edge.source != 0 || lambda[0].rows > 0 {
      let target = lambda[edge.target]
      edge.operation.addTranspose(target, at: patterns[e], keeping: 1, into: &lambda[edge.source])
    }
    return lambda
  }
}
