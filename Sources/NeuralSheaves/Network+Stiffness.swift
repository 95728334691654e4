import LinearAlgebra

extension Network {
  /// The network whose sheaf has the energy of this one's with edges of the given stiffness.
  ///
  /// Let the edges into vertex v have the stiffness γ_v > 0,
  ///
  ///     E_γ(ω) = ½ Σ_v γ_v ‖ρ_v‖²,   ρ_t = t − P(s).
  ///
  /// In s̃_v = √γ_v s_v, with P̃(s̃) = √γ_t P(s̃/√γ_s) on the edge from s to t,
  ///
  ///     ρ̃_t = t̃ − P̃(s̃) = √γ_t (t − P(s)) = √γ_t ρ_t,
  ///
  /// so E_γ(ω) = ½ Σ_v ‖ρ̃_v‖² is the energy of an unweighted sheaf: that of the returned network. Its
  /// forward pass is √γ_v times this one's; a gradient is, ∂E/∂s_v = √γ_v ∂Ẽ/∂s̃_v. Input and output
  /// keep their units, γ = 1, so that data, pins on them and an output edge stay as they are; what pins
  /// hold between them is to be multiplied by √γ_v, and the stiffness of a soft pin divided by γ_v. All
  /// edges into a junction share its γ.
  ///
  /// Names stay. Parameters of the returned network may be rescaled ones (see
  /// `NetworkOperation.rescaled`): for gradients take the operations of this one, with ρ_t = ρ̃_t/√γ_t and
  /// s = s̃/√γ_s. Cost: a copy of the parameters.
  ///
  /// - Parameter stiffness: γ_v > 0 for each vertex, 1 for the first and the last.
  public func rescaled(stiffness: [Double]) -> Network {
    precondition(
      stiffness.count == vertices.count && stiffness.first == 1 && stiffness.last == 1
        && stiffness.allSatisfy { $0 > 0 && $0.isFinite },
      "\(stiffness.count) stiffnesses for \(vertices.count) vertices, expected positive numbers, the "
        + "first and the last 1")
    let root = stiffness.map { $0.squareRoot() }
    var result = self
    result.replaceOperations { edge in
      edge.operation.rescaled(source: root[edge.source], target: root[edge.target])
    }
    return result
  }
}
