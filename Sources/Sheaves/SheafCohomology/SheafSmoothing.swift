import CellularSheaves
import LinearAlgebra
import SparseFactorizations

extension SheafLaplacian {
  /// The minimiser of ‖c − y‖² + λ ⟨c, L c⟩: (1 + λ L) c = y, Tikhonov's regularisation with the sheaf's energy, as in
  /// backward Euler's step of the heat equation.
  ///
  /// - Parameters:
  ///   - cochains: y, one per column, in the coordinates of the stalks.
  ///   - ridge: λ ≥ 0.
  /// - Returns: c in the coordinates of the stalks, and the residual ‖(1 + λL) c − y‖∞ over ‖y‖∞.
  /// - Complexity: one sparse Cholesky factorisation.
  public func smoothed(
    _ cochains: Matrix, ridge: Double
  ) throws(FactorizationError) -> (cochains: Matrix, residual: Double) {
    precondition(ridge >= 0 && ridge.isFinite, "a ridge of \(ridge)")
    let y = sheaf.orthonormal(cochains, degree: degree)
    guard y.firstNonFinite == nil else { throw .notFinite }
    let system = triangle.mapValues { ridge * $0 }.addingToDiagonal(1)
    var c = y
    try SparseCholesky(system).solve(&c)
    var residual = SymmetricSparseMatrix(lowerTriangle: system)(c)
    residual.add(y, scale: -1)
    let top = y.maximumMagnitude
    return (
      sheaf.given(c, degree: degree), top > 0 ? residual.maximumMagnitude / top : 0
    )
  }

  /// The heat flow ċ = −L c from cochains at a time: c(t) = exp(−tL) c(0), which tends to the harmonic part.
  ///
  /// By the Chebyshev expansion of the exponential on [0, ρ], ρ a bound of the largest eigenvalue, to rounding (Tal-Ezer
  /// 1989; Hammond, Vandergheynst, Gribonval 2011): no step size and no factorisation.
  ///
  /// - Parameter time: t ≥ 0.
  /// - Complexity: some 6√(tρ) + 8 products with L.
  public func heatFlow(_ cochains: Matrix, time: Double) -> Matrix {
    precondition(time >= 0 && time.isFinite, "a time of \(time)")
    let operation = laplacian
    let y = sheaf.orthonormal(cochains, degree: degree)
    let rho = operation.matrix.oneNorm
    guard rho * time > 0 else { return cochains }
    // exp(−tρ(1 + x)/2) = Σ (2 − [k = 0]) (−1)^k e^{−z} I_k(z) T_k(x), z = tρ/2.
    let coefficients = Self.scaledBessel(time * rho / 2)
    func shifted(_ x: Matrix) -> Matrix {
      var image = operation(x)
      image.scale(by: 2 / rho)
      image.add(x, scale: -1)
      return image
    }
    var (previous, current) = (y, shifted(y))
    var sum = y
    sum.scale(by: coefficients[0])
    for k in 1..<max(coefficients.count, 1) {
      sum.add(current, scale: (k % 2 == 0 ? 2 : -2) * coefficients[k])
      var next = shifted(current)
      next.scale(by: 2)
      next.add(previous, scale: -1)
      (previous, current) = (current, next)
    }
    return sheaf.given(sum, degree: degree)
  }

  /// e^{−z} I_k(z) for k = 0, 1, … as long as they matter, by Miller's downward recurrence.
  static func scaledBessel(_ z: Double) -> [Double] {
    // e^{−z} I₀ = 1 − z, e^{−z} I₁ = z/2 to rounding; the recurrence would overflow.
    if z < 1e-9 { return [1 - z, z / 2] }
    let top = Int(1.6 * (40 * z).squareRoot() + 40)
    // Where z is small the terms fall like (z/2)ᵏ/k!.
    var list = [Double](repeating: 0, count: top + 2)
    list[top] = 1e-300
    var k = top
    while k > 0 {
      list[k - 1] = list[k + 1] + 2 * Double(k) / z * list[k]
      if list[k - 1] > 1e250 { for i in k - 1...top { list[i] *= 1e-250 } }
      k -= 1
    }
    // e^{−z}(I₀ + 2 Σ I_k) = 1.
    let sum = list[0] + 2 * list.dropFirst().reduce(0, +)
    let values = list.map { $0 / sum }
    let end = values.lastIndex { $0 > 1e-18 } ?? 0
    return Array(values[...end])
  }
}
