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
  var (v, previous) = (start, start)
  var w = Matrix(rows: start.rows, columns: batch)
  var norms = v.columnNorms
  v.scaleColumns(by: norms.map { 1 / $0 })
  var diagonals = [[Double]](repeating: [], count: batch)
  var besides = diagonals
  for k in 1...steps {
    if let reason = halt.reason {
      result.statuses = result.statuses.map { $0 == .stepLimit ? reason : $0 }
      break
    }
    a.apply(v, into: &w)
    var alpha = [Double](repeating: 0, count: batch)
    v.addColumnDots(w, into: &alpha)
    w.addScaledColumns(v, by: alpha, scale: -1)
    if k > 1 { w.addScaledColumns(previous, by: norms, scale: -1) }
    norms = w.columnNorms
    for j in 0..<batch { diagonals[j].append(alpha[j]) }
    if k <= 4 || k % 4 == 0 || k == steps {
      for j in 0..<batch {
        let (value, last) = largestRitzPair(diagonals[j], besides[j])
        let residual = norms[j] * last
        result.value[j] = value + residual
        result.residuals[j] = residual > 0 ? residual / value : residual
        result.iterations[j] = k
        result.statuses[j] =
          residual <= tolerance * value ? .converged : value.isNaN ? .diverged : .stepLimit
      }
      if result.statuses.allSatisfy({ $0 == .converged }) { break }
    }
    for j in 0..<batch { besides[j].append(norms[j]) }
    // An exhausted Krylov space (β = 0) goes on with the zero vector, which changes nothing.
    w.scaleColumns(by: norms.map { $0 > 1e-300 ? 1 / $0 : 0 })
    swap(&previous, &v)
    swap(&v, &w)
  }
  return result
}

/// The largest eigenvalue of a symmetric tridiagonal matrix and the size of the last component of
/// its eigenvector.
private func largestRitzPair(_ diagonal: [Double], _ beside: [Double]) -> (Double, Double) {
  let k = diagonal.count
  guard let ritz = try? TridiagonalEigendecomposition(diagonal: diagonal, beside: beside) else {
    return (.nan, .nan)
  }
  return (ritz.values[k - 1], abs(ritz.vectors[k - 1, k - 1]))
}

extension Matrix {
  /// ‖·‖ of each column.
  var columnNorms: [Double] {
    var sums = [Double](repeating: 0, count: columns)
    addColumnDots(self, into: &sums)
    return sums.map { $0.squareRoot() }
  }
}
