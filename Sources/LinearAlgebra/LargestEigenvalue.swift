/// The largest eigenvalue of each of a batch of symmetric operators of one size, by Lanczos
/// iterations that run side by side (Golub, Van Loan, *Matrix Computations*, §10.1).
///
/// Without reorthogonalisation: lost orthogonality repeats converged Ritz values but does not
/// spoil the largest one. A vector is a list of matrices whose column j belongs to operator j.
///
/// - Parameters:
///   - start: the start vectors; no column may vanish.
///   - tolerance: relative bound on the residual ‖A v − θ v‖/θ of the largest Ritz pairs; the error
///     of the eigenvalue is of the order of its square.
///   - steps: the most iterations.
///   - isHalted: asked before each iteration; true ends it with what is known by then.
///   - apply: the product, column by column.
/// - Returns: for each operator θ plus its residual: an upper bound on the eigenvalue found.
///
/// Cost: one product and a few passes over a vector per iteration; 20–60 iterations.
public func largestEigenvalues(
  from start: [Matrix], tolerance: Double, steps: Int = 200, isHalted: () -> Bool = { false },
  apply: ([Matrix]) -> [Matrix]
) -> [Double] {
  let batch = start[0].columns
  let dimension = start.reduce(0) { $0 + $1.rows }
  guard batch > 0 && dimension > 0 else { return [Double](repeating: 0, count: batch) }
  var v = start
  var previous = start
  var beta = columnDots(v, v).map { $0.squareRoot() }
  scaleColumns(&v, by: beta.map { 1 / $0 })
  var diagonals = [[Double]](repeating: [], count: batch)
  var offDiagonals = diagonals
  var bounds = [Double](repeating: 0, count: batch)
  for k in 1...min(steps, dimension) {
    if isHalted() { break }
    var w = apply(v)
    let alpha = columnDots(v, w)
    for i in w.indices {
      w[i].addColumns(v[i], scales: alpha.map { -$0 })
      if k > 1 { w[i].addColumns(previous[i], scales: beta.map { -$0 }) }
    }
    beta = columnDots(w, w).map { $0.squareRoot() }
    for j in 0..<batch { diagonals[j].append(alpha[j]) }
    if k <= 4 || k % 4 == 0 || k == min(steps, dimension) {
      var isDone = true
      for j in 0..<batch {
        let (value, last) = largestRitzPair(diagonals[j], offDiagonals[j])
        let residual = beta[j] * last
        bounds[j] = value + residual
        if !(residual <= tolerance * value) { isDone = false }
      }
      if isDone { break }
    }
    for j in 0..<batch { offDiagonals[j].append(beta[j]) }
    // An exhausted Krylov space (β = 0) goes on with the zero vector, which changes nothing.
    scaleColumns(&w, by: beta.map { $0 > 1e-300 ? 1 / $0 : 0 })
    (previous, v) = (v, w)
  }
  return bounds
}

/// The largest eigenvalue of a symmetric tridiagonal matrix and the size of the last component of
/// its eigenvector.
private func largestRitzPair(_ diagonal: [Double], _ offDiagonal: [Double]) -> (Double, Double) {
  let k = diagonal.count
  var t = Matrix.diagonal(diagonal)
  for i in 0..<k - 1 {
    t[i, i + 1] = offDiagonal[i]
    t[i + 1, i] = offDiagonal[i]
  }
  guard let ritz = try? SymmetricEigendecomposition(t) else { return (.nan, .nan) }
  return (ritz.values[k - 1], abs(ritz.vectors[k - 1, k - 1]))
}

/// ⟨a_j, b_j⟩ for each column j of two vectors.
private func columnDots(_ a: [Matrix], _ b: [Matrix]) -> [Double] {
  var sums = [Double](repeating: 0, count: a[0].columns)
  for (x, y) in zip(a, b) {
    for j in sums.indices {
      for i in j * x.rows..<(j + 1) * x.rows { sums[j] += x.elements[i] * y.elements[i] }
    }
  }
  return sums
}

private func scaleColumns(_ v: inout [Matrix], by scales: [Double]) {
  for i in v.indices {
    var scaled = Matrix(rows: v[i].rows, columns: v[i].columns)
    scaled.addColumns(v[i], scales: scales)
    v[i] = scaled
  }
}

extension Matrix {
  /// Column j ← itself + scales[j] · column j of x.
  fileprivate mutating func addColumns(_ x: Matrix, scales: [Double]) {
    for j in 0..<columns {
      for i in j * rows..<(j + 1) * rows { elements[i] += scales[j] * x.elements[i] }
    }
  }
}
