/// The largest eigenvalue of each system of a positive semidefinite operator, by Lanczos iterations that run side by
/// side (Golub, Van Loan, *Matrix Computations*, §10.1).
///
/// Without reorthogonalisation: lost orthogonality repeats converged Ritz values but does not spoil the largest
/// one. Eigenvectors, and more eigenvalues than one, are for `BlockLanczos`.
///
/// - Parameters:
///   - a: symmetric positive semidefinite, (n, n).
///   - start: the start vectors, (n, k); no column may vanish.
///   - tolerance: relative bound on the residual ‖A v − θ v‖/θ of the largest Ritz pairs; the error of the
///     eigenvalue is of the order of its square.
///   - stepLimit: the most iterations.
///   - halt: asked before each iteration; it ends with what is known by then.
/// - Returns: for each column θ plus its residual, an upper bound on the eigenvalue found; and the residual over θ.
///
/// Cost: one application and a few passes over a vector per iteration; 20–60 iterations.
public func largestEigenvalues(
  of a: some LinearOperator, from start: Matrix, tolerance: Double = 1e-4, stepLimit: Int = 200,
  halt: Halt = .never
) -> Solution<[Double]> {
  let batch = start.columns
  precondition(
    a.traits.contains(.positiveSemidefinite) && a.rows == start.rows && a.systems ?? batch == batch,
    "the largest eigenvalue of an operator \(a.rows) with start vectors \(start.shape)")
  var result = Solution(
    [Double](repeating: 0, count: batch),
    statuses: [SolutionStatus](repeating: .stepLimit, count: batch),
    residuals: [Double](repeating: 0, count: batch),
    iterations: [Int](repeating: 0, count: batch))
  let steps = min(stepLimit, a.rows)
  guard batch > 0 && steps > 0 else { return result }
  var lanczos = TridiagonalLanczos(from: start)
  for k in 1...steps {
    if let reason = halt.reason {
      result.statuses = result.statuses.map { $0 == .stepLimit ? reason : $0 }
      break
    }
    lanczos.step(a)
    guard k <= 4 || k % 4 == 0 || k == steps else { continue }
    for j in 0..<batch {
      let ritz = lanczos.ritz(j)
      let last = lanczos.diagonals[j].count - 1
      let value = ritz?.values[last] ?? .nan
      let residual = ritz.map { lanczos.norms[j] * abs($0.vectors[last, last]) } ?? .nan
      result.value[j] = value + residual
      result.residuals[j] = residual > 0 ? residual / value : residual
      result.iterations[j] = k
      result.statuses[j] =
        residual <= tolerance * value ? .converged : value.isNaN ? .diverged : .stepLimit
    }
    if result.statuses.allSatisfy({ $0 == .converged }) { break }
  }
  return result
}
