import LinearAlgebra

/// Checks a linear operator against its assembled matrix at random vectors: products, adjoint, what the target
/// held before, the choice among its maps, and what its traits say. Returns what is wrong, a sentence each.
///
///     precondition(checkLinearOperator(MyOperator(order: 7)).isEmpty)
///
/// Cost: n applications for each of at most three maps, and an eigen-decomposition where it is symmetric; for
/// orders up to some hundreds.
public func checkLinearOperator(
  _ a: some LinearOperator, seed: UInt64 = 0, tolerance: Double = 1e-11
) -> [String] {
  var violations: [String] = []
  func expect(_ isTrue: Bool, _ found: @autoclosure () -> String) {
    if !isTrue { violations.append(found()) }
  }
  var generator = RandomGenerator(seed: seed)
  let k = a.systems ?? 3
  let x = generator.normalMatrix(rows: a.columns, columns: k)
  let y = generator.normalMatrix(rows: a.rows, columns: k)
  var image = Matrix(rows: a.rows, columns: k, repeating: .nan)
  a.apply(x, into: &image)
  var back = Matrix(rows: a.columns, columns: k, repeating: .nan)
  a.applyAdjoint(y, into: &back)
  // Where there is one map, once.
  for j in 0..<(a.systems == nil ? 1 : min(k, 3)) {
    let matrix = a.assembled(system: j)
    let size = matrix.maximumMagnitude * Double(max(a.rows, a.columns, 1)).squareRoot()
    func error(_ found: Matrix, _ expected: Matrix) -> Double {
      var difference = found
      difference.add(expected, scale: -1)
      return difference.maximumMagnitude
    }
    let forward = error(image.columns(j..<j + 1), matrix * x.columns(j..<j + 1))
    expect(forward <= tolerance * size, "A x of map \(j) is off by \(forward)")
    let adjoint = error(back.columns(j..<j + 1), matrix.transposed * y.columns(j..<j + 1))
    expect(adjoint <= tolerance * size, "Aᵀy of map \(j) is off by \(adjoint)")
    if a.systems != nil {
      let chosen = a.systems([j, j])(x.columns([j, j]))
      let apart = error(chosen, image.columns([j, j]))
      expect(apart <= tolerance * size, "map \(j) by itself is off by \(apart)")
      let turned = error(a.systems([j, j]).adjoint(y.columns([j, j])), back.columns([j, j]))
      expect(turned <= tolerance * size, "the adjoint of map \(j) by itself is off by \(turned)")
    }
    if a.traits.contains(.unitLowerTriangular) {
      let isUnit =
        a.rows == a.columns
        && (0..<matrix.columns).allSatisfy { c in
          (0...c).allSatisfy { abs(matrix[$0, c] - ($0 == c ? 1 : 0)) <= tolerance * size }
        }
      expect(isUnit, "map \(j) is not unit lower triangular")
    }
    guard a.traits.contains(.symmetric) else { continue }
    let skew = a.rows == a.columns ? error(matrix, matrix.transposed) : .infinity
    expect(skew <= tolerance * size, "map \(j) is not symmetric: off by \(skew)")
    guard skew.isFinite, let spectrum = try? SymmetricEigendecomposition(matrix, vectors: false),
      let least = spectrum.values.first
    else { continue }
    if a.traits.contains(.positiveSemidefinite) {
      expect(least >= -tolerance * size, "map \(j) has the eigenvalue \(least)")
    }
    if a.traits.contains(.positiveDefinite) {
      expect(least > 0, "map \(j) has the eigenvalue \(least), expected positive ones")
    }
  }
  return violations
}
