import LinearAlgebra

/// A map that may be linear in its parameters: then least squares are a linear system, and local optimisers
/// precondition gradients by its matrix. By default it is not.
public protocol LeastSquaresMap: Sendable {
  /// Where P is linear in its parameters, P(s) = Θ_g ψ_g(s) block by block (g), with ψ the regressors:
  /// the source with a 1 for the bias, or a window of it; the number of regressors of each block.
  /// Empty where there are no parameters or P is not of this form.
  var regressorDimensions: [Int] { get }
  /// moments[g] ← scale · Σ ψ_g ψ_gᵀ + keep · moments[g] over the samples and the places of a window,
  /// symmetric of order `regressorDimensions[g]`.
  func addRegressorMoments(
    _ source: Matrix, scale: Double, keeping keep: Double, into moments: inout [Matrix])
  /// gradients ← gradients · M⁻¹ block by block, in the shapes of the parameters, for M factored.
  ///
  /// With M = Σ ψψᵀ and the gradient of ⟨ρ, P(s)⟩, ρ = t − P(s), it is the step to the parameters of
  /// least Σ‖t − P(s)‖². It allocates: it is for once in many samples.
  func solveMoments(_ factors: [CholeskyFactorization], _ gradients: inout [Matrix])
}

extension LeastSquaresMap {
  /// None.
  public var regressorDimensions: [Int] { [] }
  /// Nothing to add.
  public func addRegressorMoments(
    _ source: Matrix, scale: Double, keeping keep: Double, into moments: inout [Matrix]
  ) {}
  /// Nothing to solve.
  public func solveMoments(_ factors: [CholeskyFactorization], _ gradients: inout [Matrix]) {}
}
