import LinearAlgebra

/// Sweeps along a state: each visits every edge once, in place.
extension NeuralSheaf {
  /// The forward pass: the unique harmonic extension of the input (Prop. 3.4 of the paper).
  ///
  /// - Parameter input: (n₀, batch).
  public func forwardPass(_ input: Matrix) -> SheafState {
    var state = zeroState(input)
    runForwardPass(&state)
    return state
  }

  /// Overwrites every free stalk by the forward pass of `state.stalks[0]`.
  ///
  /// - Parameter settle: gets each free vertex with its prediction; what it makes of it is read from there on.
  public func runForwardPass(
    _ state: inout SheafState, settling settle: (Int, inout Matrix) -> Void = { _, _ in }
  ) {
    for v in network.vertices.indices.dropFirst() {
      for edge in network.edges[network.incoming[v]] {
        let source = state.stalks[edge.source]
        edge.operation.apply(source, into: &state.stalks[v])
      }
      settle(v, &state.stalks[v])
    }
  }

  /// Reads the pattern of each edge; returns how many coordinates have switched branch.
  public func readPatterns(at state: SheafState, into patterns: inout [ActivationPattern]) -> Int {
    var switched = 0
    for (e, edge) in network.edges.enumerated() where edge.operation.isStateDependent {
      switched += edge.operation.readPattern(at: state.stalks[edge.source], into: &patterns[e])
    }
    return switched
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

  /// ρ ← δ_π ω − b_π, on given patterns.
  public func setDiscrepancy(
    _ rho: inout [Matrix], of state: SheafState, at patterns: [ActivationPattern]
  ) {
    for v in network.vertices.indices.dropFirst() {
      for e in network.incoming[v] {
        let edge = network.edges[e]
        edge.operation.apply(state.stalks[edge.source], at: patterns[e], into: &rho[v])
      }
      rho[v].add(state.stalks[v], keeping: -1)
    }
  }
}

/// Whether the input takes part in a linear sweep as a coordinate, or is given and rests.
///
/// A cochain's part at vertex 0 is read or written only where it is free; else it may be empty.
public enum InputRole: Sendable {
  /// The restricted δ_Ω.
  case held
  /// δ with the input's columns.
  case free
}

/// Linear sweeps on fixed patterns, in place.
extension NeuralSheaf {
  /// v ← δ_Ω v, the linear part of the discrepancy; where the input is free also what v₀ adds, and v₀ stays.
  public func applyCoboundary(
    _ v: inout [Matrix], at patterns: [ActivationPattern], input: InputRole = .held
  ) {
    for e in network.edges.indices.reversed() { push(e, &v, patterns, scale: -1, input) }
  }

  /// v ← δ_Ω⁻¹ v by forward substitution: v_t ← v_t + R_π v_s. Where the input is free v₀ is its change.
  public func substituteForward(
    _ v: inout [Matrix], at patterns: [ActivationPattern], input: InputRole = .held
  ) {
    for e in network.edges.indices { push(e, &v, patterns, scale: 1, input) }
  }

  /// u ← δ_Ωᵀ u; where the input is free, u₀ ← u₀ − Σ R_πᵀ u_t as well.
  public func applyCoboundaryTransposed(
    _ u: inout [Matrix], at patterns: [ActivationPattern], input: InputRole = .held
  ) {
    for (e, edge) in network.edges.enumerated() where edge.source != 0 || input == .free {
      let target = u[edge.target]
      // u ← Rᵀρ − u, then the sign back: u ← u − Rᵀρ without a second buffer.
      edge.operation.addTranspose(target, at: patterns[e], keeping: -1, into: &u[edge.source])
      u[edge.source].scale(by: -1)
    }
  }

  /// u ← δ_Ω⁻ᵀ u by reverse substitution: u_s ← u_s + Σ R_πᵀ u_t over the edges out of s; where the input is
  /// free, u₀ is then the derivative in it.
  ///
  /// - Parameters:
  ///   - isFromOutput: whether u is 0 but at z_{k+1}: what it holds elsewhere is overwritten.
  ///   - onEdge: called with each edge and u at its target, which is final then.
  public func substituteBackward(
    _ u: inout [Matrix], at patterns: [ActivationPattern], input: InputRole = .held,
    isFromOutput: Bool = false, onEdge: (Int, Matrix) -> Void = { _, _ in }
  ) {
    if isFromOutput {
      for v in network.vertices.indices.dropFirst().dropLast() where network.outgoing[v].isEmpty {
        u[v].fill(0)
      }
    }
    for (e, edge) in network.edges.enumerated().reversed() {
      let target = u[edge.target]
      onEdge(e, target)
      guard edge.source != 0 || input == .free else { continue }
      let isFirst = isFromOutput && network.outgoing[edge.source].last == e
      edge.operation.addTranspose(
        target, at: patterns[e], keeping: isFirst ? 0 : 1, into: &u[edge.source])
    }
  }

  private func push(
    _ e: Int, _ v: inout [Matrix], _ patterns: [ActivationPattern], scale: Double,
    _ input: InputRole
  ) {
    let edge = network.edges[e]
    guard edge.source != 0 || input == .free else { return }
    let source = v[edge.source]
    edge.operation.addLinearPart(
      source, at: patterns[e], scale: scale, keeping: 1, into: &v[edge.target])
  }
}

/// The same with the result returned.
extension NeuralSheaf {
  /// δ_Ω v.
  public func coboundary(
    _ v: consuming [Matrix], at patterns: [ActivationPattern], input: InputRole = .held
  ) -> [Matrix] {
    applyCoboundary(&v, at: patterns, input: input)
    return v
  }

  /// δ_Ωᵀ ρ.
  public func coboundaryTransposed(
    _ rho: consuming [Matrix], at patterns: [ActivationPattern], input: InputRole = .held
  ) -> [Matrix] {
    applyCoboundaryTransposed(&rho, at: patterns, input: input)
    return rho
  }

  /// δ_Ω⁻¹ ρ.
  public func forwardSubstitution(
    _ rho: consuming [Matrix], at patterns: [ActivationPattern], input: InputRole = .held
  ) -> [Matrix] {
    substituteForward(&rho, at: patterns, input: input)
    return rho
  }

  /// δ_Ω⁻ᵀ u.
  public func reverseSubstitution(
    _ u: consuming [Matrix], at patterns: [ActivationPattern], input: InputRole = .held
  ) -> [Matrix] {
    substituteBackward(&u, at: patterns, input: input)
    return u
  }
}
