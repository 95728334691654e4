import LinearAlgebra

/// The inner products of the edges' stalks, ⟨ρ, σ⟩_Γ = Σ γ_c ρ_c σ_c: one stiffness γ > 0 for each coordinate
/// of a discrepancy, by default 1.
///
/// With them E = ½⟨ρ, ρ⟩_Γ, its gradient is δᵀp with the momenta p = Γρ, and the restricted Laplacian
/// δ_ΩᵀΓδ_Ω, whose inverse is δ_Ω⁻¹Γ⁻¹δ_Ω⁻ᵀ. A coordinate of a free vertex is determined by one edge, so
/// that a discrepancy has the shape of ω and so has Γ.
public struct Stiffness: Sendable, Equatable {
  /// By vertex, γ of each row of its discrepancy; nil where all are 1. Vertices beyond have 1.
  private let weights: [[Double]?]

  private init(weights: [[Double]?]) {
    self.weights = weights.contains { $0 != nil } ? weights : []
  }

  /// γ = 1.
  public static let uniform = Stiffness(weights: [])

  /// One γ for each edge of a network.
  public init(_ edges: [Double], of network: Network) {
    precondition(
      edges.count == network.edges.count,
      "\(edges.count) stiffnesses for \(network.edges.count) edges")
    var diagonal = network.vertices.map { [Double](repeating: 1, count: $0.dimension) }
    for (gamma, edge) in zip(edges, network.edges) {
      for row in edge.operation.targetRows { diagonal[edge.target][row] = gamma }
    }
    self.init(diagonal: diagonal, of: network)
  }

  /// One γ for each coordinate of each vertex's discrepancy, vertex by vertex; the input's are not read.
  public init(diagonal: [[Double]], of network: Network) {
    precondition(
      diagonal.map(\.count) == network.vertices.map(\.dimension),
      "stiffnesses of \(diagonal.map(\.count)) coordinates, expected "
        + "\(network.vertices.map(\.dimension))")
    self.init(
      weights: diagonal.enumerated().map { v, gamma in
        precondition(
          v == 0 || gamma.allSatisfy { $0 > 0 && $0.isFinite },
          "stiffness of \(network.vertices[v].name), expected positive finite numbers: \(gamma)")
        return v == 0 || gamma.allSatisfy { $0 == 1 } ? nil : gamma
      })
  }

  /// The same with γ = 0 on some edges, which then count for nothing.
  package func omitting(_ edges: [Int], of network: Network) -> Stiffness {
    var diagonal = network.vertices.enumerated().map { v, vertex in
      self[v] ?? [Double](repeating: 1, count: vertex.dimension)
    }
    for e in edges {
      for row in network.edges[e].operation.targetRows {
        diagonal[network.edges[e].target][row] = 0
      }
    }
    return Stiffness(weights: diagonal)
  }

  /// Whether every γ is 1.
  public var isUniform: Bool { weights.isEmpty }

  /// The largest γ.
  public var largest: Double { weights.reduce(1) { max($0, $1?.max() ?? 1) } }

  /// γ of the rows of a vertex's discrepancy; nil where all are 1.
  public subscript(vertex: Int) -> [Double]? {
    vertex < weights.count ? weights[vertex] : nil
  }

  /// γ of one coordinate of a discrepancy.
  public func value(_ vertex: Int, row: Int) -> Double { self[vertex]?[row] ?? 1 }

  /// A cochain times Γ, in place; its input's part stays.
  public func multiply(_ cochain: inout [Matrix]) {
    for v in cochain.indices { multiply(&cochain[v], of: v) }
  }

  /// A cochain times a function of Γ, such as Γ⁻¹ or a root, in place.
  public func multiply(_ cochain: inout [Matrix], _ function: (Double) -> Double) {
    for v in cochain.indices {
      if let gamma = self[v] { cochain[v].scaleRows(by: gamma.map(function)) }
    }
  }

  /// The part of a cochain at one vertex times Γ, or some of its rows, in place.
  public func multiply(_ part: inout Matrix, of vertex: Int, rows: Range<Int>? = nil) {
    if let gamma = self[vertex] { part.scaleRows(rows ?? 0..<part.rows, by: gamma) }
  }

  /// ½⟨ρ, ρ⟩_Γ of sample j.
  public func energy(_ rho: [Matrix], sample j: Int) -> Double {
    var sum = 0.0
    for v in rho.indices where rho[v].rows > 0 {
      sum += rho[v].sumOfSquares(column: j, weights: self[v]) / 2
    }
    return sum
  }
}
