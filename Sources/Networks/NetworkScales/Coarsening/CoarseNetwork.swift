import LinearAlgebra
import NeuralSheaves

/// A network seen at some of its stalks K, on one activation pattern: the energy E(ω) = ½⟨ρ, ρ⟩_Γ, ρ = δω − b, with all other free
/// coordinates minimised out,
///
///     E_K(x) = min { E(ω) : ω_K = x } = ½ (x − x̂_K)ᵀ S_K (x − x̂_K),   S_K = (E_K L⁻¹ E_Kᵀ)⁻¹,   L = δ_ΩᵀΓδ_Ω,
///
/// the Schur complement of L on K; x̂ is the forward pass on the pattern and E_K selects K.
///
/// *Effective edges.* S_K is again the Laplacian of a unit triangular coboundary. Write ω = ω̂ + δ_Ω⁻¹ρ with ρ ~ N(0, Γ⁻¹), and follow every
/// path of the network back from a kept stalk v until it meets another kept stalk u or the input: with J_vu the derivative along the paths from u to v
/// without a kept stalk between, and ε_v what the noise of the edges on those paths adds up to,
///
///     x_v − x̂_v = Σ_u J_vu (x_u − x̂_u) + ε_v,   so   Cov x = (I − J)⁻¹ N (I − J)⁻ᵀ,   S_K = (I − J)ᵀ N⁻¹ (I − J),   N = Cov ε.
///
/// I − J is the effective coboundary and N⁻¹ the effective stiffness. ε_v and ε_w are independent unless a stalk that was not kept has paths to both
/// without a kept one between: N is block diagonal over such groups (`noises`). det(I − J) = 1, so that det S_K = 1/det N.
///
/// *Chains.* Where each kept stalk separates those before it from those behind, every group is one stalk, J has blocks from each kept
/// stalk to the next alone, and S_K is block tridiagonal: the kept stalks form a Markov chain. With
/// N_{i+1} = Σ_e Q_e Γ_e⁻¹ Q_eᵀ over the edges between x_i and x_{i+1}, Q_e = ∂x_{i+1}/∂ρ_e,
/// what is left of the layers in between is one edge with the discrepancy x_{i+1} − (J x_i + c) and the stiffness N_{i+1}⁻¹.
///
/// N ≥ Γ_K⁻¹, as each kept stalk keeps the noise of its own edges: no factorisation here can break down for want of rank.
/// Coordinates of K follow each other vertex by vertex, in the order of the network.
public struct CoarseNetwork: Sendable {
  /// The derivative of a kept stalk in another, or in the input, with the kept stalks between them held.
  public struct EffectiveMap: Sendable, Equatable {
    /// The vertex that is read, 0 for the input.
    public let source: Int
    /// The kept vertex.
    public let target: Int
    /// J, (dimension of the target, dimension of the source).
    public let matrix: Matrix
  }

  /// What the edges between kept stalks add to some of them.
  public struct EffectiveNoise: Sendable {
    /// The kept vertices whose noise is not independent, ascending; mostly one.
    public let vertices: [Int]
    /// N of these stalks, one behind the other.
    public let covariance: Matrix
    /// N⁻¹.
    public let factors: CholeskyFactorization

    /// N⁻¹, the stiffness of the effective edge.
    public var stiffness: Matrix {
      var inverse = Matrix.identity(covariance.rows)
      factors.solve(&inverse)
      return inverse
    }
  }

  /// The sheaf.
  public let sheaf: NeuralSheaf
  /// The pattern, of one sample.
  public let patterns: [ActivationPattern]
  /// Γ.
  public let stiffness: Stiffness
  /// The kept vertices, ascending.
  public let vertices: [Int]
  /// The stalks of the forward pass on the pattern, one sample.
  public let forward: SheafState
  /// J, by target and then by source; pairs of stalks with a path between them whatever the pattern.
  public let maps: [EffectiveMap]
  /// N, group by group.
  public let noises: [EffectiveNoise]
  let starts: [Int: Int]

  /// The most coordinates unless more are allowed.
  public static let defaultLimit = 4096

  /// |K|.
  public var dimension: Int { noises.reduce(0) { $0 + $1.covariance.rows } }

  /// The rows of a kept vertex's stalk in a vector over K.
  public func range(of vertex: Int) -> Range<Int> {
    guard let start = starts[vertex] else {
      preconditionFailure("vertex \(vertex) is not among the kept \(vertices)")
    }
    return start..<start + sheaf.network.vertices[vertex].dimension
  }

  /// x̂_K, (|K|, 1).
  public var mean: Matrix { Matrix(stacking: vertices.map { forward.stalks[$0] }, columns: 1) }

  /// Whether every kept stalk depends on the one before it alone, the first on the input, and no two share noise: the kept
  /// stalks are a Markov chain.
  public var isChain: Bool {
    noises.allSatisfy { $0.vertices.count == 1 }
      && maps.map { [$0.source, $0.target] } == zip([0] + vertices, vertices).map { [$0, $1] }
  }

  /// c in x_v = Σ_u J_vu x_u + c of a kept vertex, the input among the u.
  public func offset(of vertex: Int) -> Matrix {
    var c = forward.stalks[vertex]
    for map in maps where map.target == vertex {
      c.addProduct(map.matrix, forward.stalks[map.source], scale: -1)
    }
    return c
  }
}
