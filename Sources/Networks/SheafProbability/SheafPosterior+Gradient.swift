import LinearAlgebra
import NeuralSheaves

/// The derivatives of −Σ log p(y | x), the sum over a batch.
public struct EvidenceGradient: Sendable {
  /// In the parameters of each edge, in the order of `parameters`.
  public internal(set) var parameters: [[Matrix]]
  /// In γ of each edge.
  public internal(set) var stiffness: [Double]
  /// In κ.
  public internal(set) var coupling: Double
}

extension SheafPosterior {
  /// The gradient of −Σ log p(y | x) over the batch by Laplace's method, by sweeps, each part from what is at its edge.
  ///
  /// That of Σ E* has the parts −⟨Γρ, dP(s)⟩, ½‖ρ_e‖² and V/κ (envelope theorem); that of the determinant is in Docs/Probability.md. Kink
  /// terms are left out and samples whose ω* rests on a kink taken to have the pattern that was read there.
  ///
  /// - Precondition: the output alone is observed, no stalk is pinned.
  /// - Throws: `ProbabilityError.indefinite` where I + CH has no factors.
  /// - Complexity: two sweeps with n_{k+1} columns a sample, and two with one.
  public func evidenceGradient() throws(ProbabilityError) -> EvidenceGradient {
    precondition(
      observations.pinned == 0 && state.output != nil,
      "the gradient of the evidence is that of an observed output, without pins")
    let network = model.network
    var momenta = model.sheaf.discrepancy(state)
    var result = EvidenceGradient(
      parameters: network.edges.map { edge in
        edge.operation.parameters.map { Matrix(rows: $0.rows, columns: $0.columns) }
      }, stiffness: [], coupling: 0)
    let squares = network.edges.map { edge in
      momenta[edge.target].sumOfSquares(rows: edge.operation.targetRows)
    }
    model.stiffness.multiply(&momenta)
    let determinant: DeterminantGradient.Derivatives
    var sweeps = DeterminantGradient()
    determinant = try sweeps.visit(
      model, at: state, momenta: momenta, coupling: coupling, hasStiffness: true
    ) { part in
      part.add(of: network, keeping: 1, into: &result.parameters[part.edge])
    }
    for (e, edge) in network.edges.enumerated() where !edge.operation.parameterNames.isEmpty {
      EdgeGradient(
        edge: e, cotangent: momenta[edge.target], source: state.stalks[edge.source], scale: -1
      ).add(of: network, keeping: 1, into: &result.parameters[e])
    }
    result.stiffness = zip(determinant.stiffness, squares).map { $0 + $1 / 2 }
    let z = state.stalks[network.lastVertex]
    let potential = (0..<state.batch).reduce(0) {
      $0 + network.outputActivation.crossEntropy(z, state.output!, sample: $1)
    }
    let normaliser =
      network.outputActivation == .identity
      ? Double(z.rows * state.batch) / (2 * coupling) : 0
    result.coupling = determinant.coupling + potential - normaliser
    return result
  }
}
