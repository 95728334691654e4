import LinearAlgebra

/// δ_Ω of each sample on a fixed pattern: unit lower triangular on the free coordinates ω = (z₁, a₁, …), which
/// are the rows of a vector, vertex by vertex.
public struct RestrictedCoboundary: LinearOperator {
  /// The sheaf.
  public let sheaf: NeuralSheaf
  /// A pattern for each edge.
  public let patterns: [ActivationPattern]
  public let systems: Int?
  private let dimensions: [Int]

  /// δ_Ω of a batch on patterns, one for each edge.
  public init(_ sheaf: NeuralSheaf, at patterns: [ActivationPattern], batch: Int) {
    (self.sheaf, self.patterns, systems) = (sheaf, patterns, batch)
    dimensions = sheaf.network.vertices.enumerated().map { $0 == 0 ? 0 : $1.dimension }
  }

  public var rows: Int { sheaf.network.freeDimension }
  public var columns: Int { rows }
  public var traits: OperatorTraits { .unitLowerTriangular }

  public func apply(_ x: Matrix, into y: inout Matrix) {
    y = stacked(sheaf.coboundary(x.split(dimensions), at: patterns))
  }

  public func applyAdjoint(_ y: Matrix, into x: inout Matrix) {
    x = stacked(sheaf.coboundaryTransposed(y.split(dimensions), at: patterns))
  }

  public func systems(_ indices: [Int]) -> RestrictedCoboundary {
    RestrictedCoboundary(
      sheaf, at: patterns.map { $0.samples(indices) }, batch: indices.count)
  }

  /// δ_ΩᵀΓ x.
  func applyAdjoint(_ x: Matrix, _ stiffness: Stiffness) -> Matrix {
    var parts = x.split(dimensions)
    stiffness.multiply(&parts)
    return stacked(sheaf.coboundaryTransposed(parts, at: patterns))
  }

  /// δ_Ω⁻¹Γ⁻¹ x by forward substitution.
  func solve(_ x: Matrix, _ stiffness: Stiffness) -> Matrix {
    var parts = x.split(dimensions)
    stiffness.multiply(&parts) { 1 / $0 }
    return stacked(sheaf.forwardSubstitution(parts, at: patterns))
  }

  /// δ_Ω⁻ᵀ x by reverse substitution.
  func solveAdjoint(_ x: Matrix) -> Matrix {
    stacked(sheaf.reverseSubstitution(x.split(dimensions), at: patterns))
  }

  private func stacked(_ parts: [Matrix]) -> Matrix {
    Matrix(stacking: parts, columns: parts[0].columns)
  }
}

/// L[Ω,Ω] = δ_ΩᵀΓδ_Ω of each sample on a fixed pattern: two sweeps.
public struct RestrictedLaplacian: SymmetricOperator {
  /// δ_Ω.
  public let coboundary: RestrictedCoboundary
  /// Γ.
  public let stiffness: Stiffness

  /// δ_ΩᵀΓδ_Ω.
  public init(_ coboundary: RestrictedCoboundary, stiffness: Stiffness = .uniform) {
    (self.coboundary, self.stiffness) = (coboundary, stiffness)
  }

  public var rows: Int { coboundary.rows }
  public var traits: OperatorTraits { .positiveDefinite }
  public var systems: Int? { coboundary.systems }

  public func apply(_ x: Matrix, into y: inout Matrix) {
    y = coboundary.applyAdjoint(coboundary(x), stiffness)
  }

  public func systems(_ indices: [Int]) -> RestrictedLaplacian {
    RestrictedLaplacian(coboundary.systems(indices), stiffness: stiffness)
  }
}

/// L[Ω,Ω]⁻¹ = δ_Ω⁻¹Γ⁻¹δ_Ω⁻ᵀ of each sample on a fixed pattern: two sweeps, exact.
public struct InverseRestrictedLaplacian: SymmetricOperator {
  /// δ_Ω.
  public let coboundary: RestrictedCoboundary
  /// Γ.
  public let stiffness: Stiffness

  /// The inverse of δ_ΩᵀΓδ_Ω.
  public init(_ coboundary: RestrictedCoboundary, stiffness: Stiffness = .uniform) {
    (self.coboundary, self.stiffness) = (coboundary, stiffness)
  }

  public var rows: Int { coboundary.rows }
  public var traits: OperatorTraits { .positiveDefinite }
  public var systems: Int? { coboundary.systems }

  public func apply(_ x: Matrix, into y: inout Matrix) {
    y = coboundary.solve(coboundary.solveAdjoint(x), stiffness)
  }

  public func systems(_ indices: [Int]) -> InverseRestrictedLaplacian {
    InverseRestrictedLaplacian(coboundary.systems(indices), stiffness: stiffness)
  }
}
