import LinearAlgebra

/// The ends of the spectrum of one sample's restricted Laplacian.
public struct SampleSpectrum: Sendable {
  /// The space of the least eigenvalue λ₁, the spectral gap: L[Ω,Ω] has no kernel.
  public let fiedler: Eigenspace
  /// The space of the largest.
  public let top: Eigenspace
  /// The least eigenvalues, ascending, as many as were asked for.
  public let smallest: [Double]
  /// The largest, descending.
  public let largest: [Double]
  /// All eigenvalues, ascending, from a dense decomposition.
  public let eigenvalues: [Double]?
  /// The blocks of two vectors that the operators of both ends were applied to, two sweeps each; 0 of a dense
  /// decomposition.
  public let iterations: Int
  /// Whether both ends were found within the tolerance.
  public let status: SolutionStatus

  /// λ₁.
  public var gap: Double { fiedler.value }
  /// λ_max/λ₁.
  public var condition: Double { top.value / fiedler.value }
}
