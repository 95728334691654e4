import Foundation
import LinearAlgebra

/// The likelihood of variances and its derivatives.
extension VarianceModel {
  /// What the likelihood is made of at some variances.
  struct Point {
    let variances: [Double]
    let logLikelihood: Double
    /// Σ_i λ_iᵀ P_{c,i} λ_i, λ_i = S_i⁻¹ r_i.
    let discords: [Double]
    /// Σ_i tr(S_i⁻¹ P_{c,i}): the expectation of the discords.
    let expected: [Double]
    /// λ, (n, N).
    let forces: Matrix
    /// The lower triangles of all S_i⁻¹.
    let inverses: [Double]

    /// ∂ℓ/∂τ_c.
    var gradient: [Double] { zip(discords, expected).map { ($0 - $1) / 2 } }
  }

  /// The likelihood at some variances; nil where an S_i is not positive definite.
  ///
  /// Cost: N inverses of order n and three products with N·n(n+1)/2 rows and a column for each component.
  func point(_ variances: [Double]) -> Point? {
    let (n, samples) = (residuals.rows, residuals.columns)
    let pairs = n * (n + 1) / 2
    var inverses = covariances(variances).elements
    var room = CovarianceInverse(order: n)
    var weights = Matrix(rows: packed.rows, columns: 2)
    var forces = Matrix(rows: n, columns: samples)
    var value = -Double(n * samples) / 2 * log(2 * .pi)
    var lambda = [Double](repeating: 0, count: n)
    for j in 0..<samples {
      guard let logDeterminant = room.invert(&inverses, at: j * pairs) else { return nil }
      for i in 0..<n { lambda[i] = 0 }
      var at = j * pairs
      for k in 0..<n {
        let r = residuals[k, j]
        lambda[k] += inverses[at] * r
        at += 1
        for i in k + 1..<max(n, k + 1) {
          lambda[i] += inverses[at] * r
          lambda[k] += inverses[at] * residuals[i, j]
          at += 1
        }
      }
      var square = 0.0
      for i in 0..<n {
        square += lambda[i] * residuals[i, j]
        forces[i, j] = lambda[i]
      }
      value -= (logDeterminant + square) / 2
      at = j * pairs
      for k in 0..<n {
        for i in k..<n {
          let twice = i == k ? 1.0 : 2
          weights[at, 0] = twice * lambda[i] * lambda[k]
          weights[at, 1] = twice * inverses[at]
          at += 1
        }
      }
    }
    var sums = Matrix(rows: count, columns: 2)
    if count > 0 { sums.addProduct(packed, weights, transposing: .left) }
    return Point(
      variances: variances, logLikelihood: value, discords: sums.column(0),
      expected: sums.column(1), forces: forces, inverses: inverses)
  }

  /// ℓ(τ) = −½ Σ_i (log det S_i + r_iᵀS_i⁻¹r_i + n log 2π); −∞ where an S_i is not positive definite.
  public func logLikelihood(_ variances: [Double]) -> Double {
    point(variances)?.logLikelihood ?? -.infinity
  }

  /// Σ_i r_iᵀS_i⁻¹r_i, about the number of residuals where τ is theirs.
  ///
  /// - Throws: `VarianceError.indefinite` where an S_i has no inverse.
  public func misfit(_ variances: [Double]) throws(VarianceError) -> Double {
    dot(try known(variances).forces, residuals)
  }

  /// ∂ℓ/∂τ_c = ½ Σ_i (λ_iᵀP_{c,i}λ_i − tr S_i⁻¹P_{c,i}), λ_i = S_i⁻¹r_i.
  ///
  /// - Throws: `VarianceError.indefinite` where an S_i has no inverse.
  public func gradient(_ variances: [Double]) throws(VarianceError) -> [Double] {
    try known(variances).gradient
  }

  func known(_ variances: [Double]) throws(VarianceError) -> Point {
    if let point = point(variances) { return point }
    _ = try lowerFactors(variances)
    throw .indefinite(sample: 0)
  }

  /// One step of the monotone update: τ_c ← τ_c (Σ_i λ_iᵀP_{c,i}λ_i / Σ_i tr S_i⁻¹P_{c,i})^½, that is by the root of
  /// the component's discord over its expectation.
  ///
  /// ℓ does not fall. With S and λ those of the start τ⁰, −log det S lies above its bound −Σ_c τ_c tr S⁻¹P_c + const, as
  /// log det is concave, and −rᵀS⁻¹r above −Σ_c (τ⁰_c)²/τ_c λᵀP_cλ − ε‖λ‖², as rᵀS⁻¹r is jointly convex in r and S; both bounds touch at τ⁰,
  /// and their sum is largest at this step (Zhou, Hu, Zhou, Lange, J. Comput. Graph. Statist. 28 (2019), 350–361).
  ///
  /// - Throws: `VarianceError.indefinite` where an S_i has no inverse.
  public func updated(_ variances: [Double]) throws(VarianceError) -> [Double] {
    Self.update(try known(variances))
  }

  /// The variances after so many updates from a start.
  public func updated(
    _ variances: [Double], times: Int
  ) throws(VarianceError) -> [Double] {
    var current = variances
    for _ in 0..<times { current = try updated(current) }
    return current
  }

  static func update(_ point: Point) -> [Double] {
    point.variances.indices.map { c in
      let expected = point.expected[c]
      return expected > 0
        ? point.variances[c] * (max(0, point.discords[c]) / expected).squareRoot() : 0
    }
  }

  /// The average of the observed and the expected information, ½ Σ_i λᵀP_c S⁻¹ P_dλ: positive semidefinite, and without a
  /// product of matrices (Gilmour, Thompson, Cullis 1995).
  func averageInformation(_ point: Point) -> Matrix {
    information(point) { pulled, solved, _, sum in
      sum.addProduct(pulled, solved, transposing: .left, scale: 0.5)
    }
  }

  /// The observed information −∂²ℓ/∂τ_c∂τ_d = Σ_i (λᵀP_cS⁻¹P_dλ − ½ tr S⁻¹P_cS⁻¹P_d).
  ///
  /// - Throws: `VarianceError.indefinite` where an S_i has no inverse.
  public func observedInformation(_ variances: [Double]) throws(VarianceError) -> Matrix {
    observedInformation(at: try known(variances))
  }

  func observedInformation(at point: Point) -> Matrix {
    let n = residuals.rows
    return information(point) { pulled, solved, j, sum in
      sum.addProduct(pulled, solved, transposing: .left)
      let inverse = triangle(point.inverses, 0, j)
      var products = Matrix(rows: n * n, columns: count)
      var turned = products
      for c in 0..<count {
        let b = inverse * triangle(packed.elements, c * packed.rows, j)
        for i in 0..<n {
          for k in 0..<n {
            products[i + k * n, c] = b[i, k]
            turned[i + k * n, c] = b[k, i]
          }
        }
      }
      sum.addProduct(products, turned, transposing: .left, scale: -0.5)
    }
  }

  /// A sum over samples of something that has P_cλ and S⁻¹P_cλ, (n, components).
  private func information(
    _ point: Point, _ add: (Matrix, Matrix, Int, inout Matrix) -> Void
  ) -> Matrix {
    let n = residuals.rows
    var sum = Matrix(rows: count, columns: count)
    guard count > 0 else { return sum }
    var pulled = Matrix(rows: n, columns: count)
    var solved = pulled
    var (x, y) = ([Double](repeating: 0, count: n), [Double](repeating: 0, count: n))
    for j in 0..<residuals.columns {
      let lambda = point.forces.column(j)
      for c in 0..<count {
        multiply(packed.elements, c * packed.rows, j, lambda, into: &x)
        multiply(point.inverses, 0, j, x, into: &y)
        pulled.setColumn(c, to: x, from: 0)
        solved.setColumn(c, to: y, from: 0)
      }
      add(pulled, solved, j, &sum)
    }
    return sum
  }

  /// y ← the symmetric matrix of sample j in a list of triangles that begins at a place, times x.
  private func multiply(
    _ list: [Double], _ start: Int, _ j: Int, _ x: [Double], into y: inout [Double]
  ) {
    let n = x.count
    for i in 0..<n { y[i] = 0 }
    var at = start + j * n * (n + 1) / 2
    for k in 0..<n {
      let xk = x[k]
      var sum = list[at] * xk
      at += 1
      for i in k + 1..<max(n, k + 1) {
        y[i] += list[at] * xk
        sum += list[at] * x[i]
        at += 1
      }
      y[k] += sum
    }
  }

  /// The symmetric matrix of sample j in a list of triangles that begins at a place.
  func triangle(_ list: [Double], _ start: Int, _ j: Int) -> Matrix {
    let n = residuals.rows
    var matrix = Matrix(rows: n, columns: n)
    var at = start + j * n * (n + 1) / 2
    for k in 0..<n {
      for i in k..<n {
        (matrix[i, k], matrix[k, i]) = (list[at], list[at])
        at += 1
      }
    }
    return matrix
  }
}
