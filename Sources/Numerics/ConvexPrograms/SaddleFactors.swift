import LinearAlgebra
import SparseFactorizations

/// The factors of the saddle-point matrix for one scaling, by two eliminations:
///
///     z = W⁻¹ G x − c,   M x + Aᵀ y = a + Gᵀ W⁻¹ c + Aᵀ R b,   S y = A M⁻¹ (a + Gᵀ W⁻¹ c + Aᵀ R b) − b
///
/// with M = P + Gᵀ W⁻² G + Aᵀ R A and S = A M⁻¹ Aᵀ. A small multiple of the identity added to M, and the rounding
/// that comes with large W⁻², are mended by iterative refinement of the whole.
struct SaddleFactors: Sendable {
  private let system: SaddleSystem
  private let scaling: NesterovToddScaling
  private let factor: SparseCholesky
  private let schur: CholeskyFactorization?
  /// R; empty without it.
  private let weights: [Double]

  /// - Throws: `notPositiveDefinite` and `notFinite` where rounding has destroyed M; `outOfMemory`.
  init(_ system: SaddleSystem, _ scaling: NesterovToddScaling) throws(FactorizationError) {
    (self.system, self.scaling) = (system, scaling)
    weights = system.isAugmented ? Self.weights(system, scaling) : []
    var shift = SaddleSystem.shift
    while true {
      let matrix = system.normal.matrix(
        scaling, weights: weights, shift: shift, relativeShift: 1e-3 * shift)
      do {
        factor = try SparseCholesky(matrix, using: system.analysis)
        break
      } catch {
        guard case .notPositiveDefinite = error, shift < 1e-5 else { throw error }
        shift *= 100
      }
    }
    schur =
      system.program.equalities.rows > 0 && system.hasDenseSchur
      ? try Self.schur(system, factor) : nil
  }

  /// R: the reciprocals of the diagonal of A diag(M₀)⁻¹ Aᵀ for the matrix M₀ = P + Gᵀ W⁻² G, ten times as large
  /// where the Schur complement is not factored, and the closer to R⁻¹ the fewer its iterations.
  private static func weights(
    _ system: SaddleSystem, _ scaling: NesterovToddScaling
  ) -> [Double] {
    let diagonal = system.normal.diagonal(scaling)
    let factor = system.hasDenseSchur ? 1.0 : 10
    return (0..<system.program.equalities.rows).map { i in
      var sum = 0.0
      system.transposedEqualities.forEachEntry(ofColumn: i) { j, value in
        sum += value * value / max(diagonal[j], 1e-2)
      }
      return sum > 0 ? factor / sum : 1
    }
  }

  /// The Cholesky factors of A M⁻¹ Aᵀ.
  private static func schur(
    _ system: SaddleSystem, _ factor: SparseCholesky
  ) throws(FactorizationError) -> CholeskyFactorization {
    let (a, transposed) = (system.program.equalities, system.transposedEqualities)
    let p = a.rows
    var s = Matrix(rows: p, columns: p)
    for start in stride(from: 0, to: p, by: 64) {
      let columns = Array(start..<min(start + 64, p))
      var x = transposed.part(columns: columns).dense
      try factor.solve(&x)
      var product = Matrix(rows: p, columns: columns.count)
      a.addProduct(x, keeping: 0, into: &product)
      s.setBlock(row: 0, column: start, to: product)
    }
    var shift = 1e-14
    while true {
      for i in 0..<p { s[i, i] *= 1 + shift }
      do {
        return try CholeskyFactorization(s)
      } catch {
        guard case .notPositiveDefinite = error, shift < 1e-5 else { throw error }
        shift *= 100
      }
    }
  }

  /// Solves a system to rounding, or as close as ten refinements come.
  func solve(_ right: SaddleVector) throws(FactorizationError) -> SaddleVector {
    let floor = 1e-4 * right.size + .leastNormalMagnitude
    let sizes = [right.x.size, right.y.size, right.z.size].map { $0 + floor }
    func error(_ r: SaddleVector) -> Double {
      [r.x.size / sizes[0], r.y.size / sizes[1], r.z.size / sizes[2]]
        .reduce(0) { $0.isNaN || $1.isNaN ? .nan : max($0, $1) }
    }
    var solution = try solveOnce(right)
    var residual = system.residual(right, solution, scaling)
    var size = error(residual)
    for _ in 0..<10 where size > 1e-14 {
      let next = solution.adding(try solveOnce(residual))
      let nextResidual = system.residual(right, next, scaling)
      let nextSize = error(nextResidual)
      guard nextSize < size else { break }
      let isSlow = nextSize > 0.5 * size
      (solution, residual, size) = (next, nextResidual, nextSize)
      if isSlow { break }
    }
    return solution
  }

  private func solveOnce(_ right: SaddleVector) throws(FactorizationError) -> SaddleVector {
    let (a, transposed) = (system.program.equalities, system.transposedEqualities)
    let g = system.program.inequalities
    var x = Matrix(column: right.x)
    let c = scaling.applyInverse(right.z)
    g.addTransposedProduct(Matrix(column: c), keeping: 1, into: &x)
    if system.isAugmented {
      let weighted = zip(right.y, weights).map { $0 * $1 }
      a.addTransposedProduct(Matrix(column: weighted), keeping: 1, into: &x)
    }
    var y = Matrix(rows: a.rows, columns: 1)
    if a.rows > 0 {
      var first = x
      try factor.solve(&first)
      y.set(Matrix(column: right.y), scale: -1)
      transposed.addTransposedProduct(first, keeping: 1, into: &y)
      if let schur {
        schur.solve(&y)
      } else {
        y = Matrix(column: try conjugateGradients(y.elements))
      }
      a.addTransposedProduct(y, scale: -1, keeping: 1, into: &x)
    }
    try factor.solve(&x)
    let image = system.transposedInequalities.transposedTimes(x.elements)
    return SaddleVector(
      x: x.elements, y: y.elements,
      z: sum(scaling.applyInverse(image), right.z, scale: -1))
  }

  /// S⁻¹ r by conjugate gradients with R for a preconditioner: S has the eigenvalues μ / (1 + μ) of R^½ S₀ R^½ in
  /// those units, for S₀ without the part of R in M.
  private func conjugateGradients(_ right: [Double]) throws(FactorizationError) -> [Double] {
    let (a, transposed) = (system.program.equalities, system.transposedEqualities)
    var solution = [Double](repeating: 0, count: right.count)
    var residual = right
    var preconditioned = zip(residual, weights).map { $0 * $1 }
    var direction = preconditioned
    var rho = dot(residual, preconditioned)
    let goal = 1e-24 * rho
    for _ in 0..<100 where rho > goal && rho.isFinite {
      var image = Matrix(rows: a.columns, columns: 1)
      a.addTransposedProduct(Matrix(column: direction), keeping: 0, into: &image)
      try factor.solve(&image)
      let product = transposed.transposedTimes(image.elements)
      let curvature = dot(direction, product)
      guard curvature > 0 else { break }
      let step = rho / curvature
      solution = sum(solution, direction, scale: step)
      residual = sum(residual, product, scale: -step)
      preconditioned = zip(residual, weights).map { $0 * $1 }
      let next = dot(residual, preconditioned)
      direction = sum(preconditioned, direction, scale: next / rho)
      rho = next
    }
    return solution
  }
}
