import LinearAlgebra

extension SparseCholesky {
  /// An estimate of ‖A⁻¹‖₂, the reciprocal of the smallest eigenvalue, from below: by inverse iteration from a fixed
  /// start, mostly within a factor of two.
  ///
  /// Cost: a solve for each round.
  public func inverseNorm(rounds: Int = 2) throws(FactorizationError) -> Double {
    guard order > 0 else { return 0 }
    // A start that no symmetry of A is likely to be orthogonal to the smallest eigenvector of.
    var generator = RandomGenerator(seed: 1)
    var x = Matrix(column: (0..<order).map { _ in generator.uniform(-1, 1) })
    var growth = 0.0
    for _ in 0..<rounds {
      x.scale(by: 1 / x.sumOfSquares.squareRoot())
      try solve(&x)
      growth = x.sumOfSquares.squareRoot()
      guard growth.isFinite, growth > 0 else { return .infinity }
    }
    return growth
  }
}
