import LinearAlgebra
import NeuralSheaves

extension OutputClamp {
  /// λ for each sample: the minimiser of ½λᵀPλ + (clamp energy at ŷ + Pλ).
  ///
  /// - Parameters:
  ///   - prediction: ŷ on the pattern of P, (n, batch).
  ///   - p: P_j side by side, (n, n · batch).
  func tensions(prediction: Matrix, _ p: Matrix) -> Matrix {
    let n = target.rows
    var lambda = Matrix(rows: n, columns: target.columns)
    for j in 0..<target.columns {
      let pj = p.columns(j * n..<(j + 1) * n)
      let y = target.columns(j..<j + 1)
      let guess = prediction.columns(j..<j + 1)
      lambda.setColumns(
        from: j, to: crossEntropy.map { newton($0, pj, guess, y) } ?? linear(pj, guess, y))
    }
    return lambda
  }

  /// (P + I/κ) λ = y − ŷ. P contains the identity, so the matrix is positive definite.
  private func linear(_ p: Matrix, _ guess: Matrix, _ y: Matrix) -> Matrix {
    var s = p
    if coupling.isFinite { s.add(.identity(p.rows), scale: 1 / coupling) }
    var r = y
    r.add(guess, scale: -1)
    guard let factor = try? CholeskyFactorization(s) else {
      return Matrix(rows: y.rows, columns: 1, repeating: .nan)  // only for a network of NaNs
    }
    factor.solve(&r)
    return r
  }

  /// Damped Newton for the cross-entropy: with u = ŷ + Pλ the gradient is P g, g = λ + κ(φ(u) − y),
  /// and the Hessian P(I + κ J P), J = φ'(u); so (I + κ J P) d = −g. Strictly convex; an Armijo
  /// search keeps it monotone.
  private func newton(
    _ activation: OutputActivation, _ p: Matrix, _ guess: Matrix, _ y: Matrix
  ) -> Matrix {
    let n = y.rows
    var lambda = Matrix(rows: n, columns: 1)
    func objective(_ lambda: Matrix) -> (value: Double, u: Matrix) {
      let pl = p * lambda
      var u = guess
      u.add(pl)
      return (
        dot(lambda, pl) / 2 + coupling * activation.crossEntropy(u, y, sample: 0), u
      )
    }
    var (value, u) = objective(lambda)
    for _ in 0..<50 {
      let phi = activation(u)
      var g = phi
      g.add(y, scale: -1)
      g.add(lambda, keeping: coupling)
      if g.maximumMagnitude <= 1e-13 * max(1, coupling) { break }
      // I + κ J P, column by column.
      var m = p
      activation.applyJacobian(at: phi.columns([Int](repeating: 0, count: n)), to: &m)
      m.scale(by: coupling)
      m.add(.identity(n))
      guard let d = try? m.solve(g) else { break }
      let slope = -dot(p * g, d)
      if !(slope < 0) { break }
      var t = 1.0
      while true {
        var trial = lambda
        trial.add(d, scale: -t)
        let (next, at) = objective(trial)
        // The last steps change the value by less than its rounding error: let them pass.
        if next <= value + 1e-4 * t * slope + 1e-14 * max(1, abs(value)) || t < 1e-10 {
          (lambda, value, u) = (trial, next, at)
          break
        }
        t /= 2
      }
    }
    return lambda
  }

  /// E = ½‖ρ‖² + (clamp energy) of each sample.
  func energies(_ rho: [Matrix], _ output: Matrix) -> [Double] {
    (0..<target.columns).map { j in
      var e = rho.reduce(0) { $0 + $1.columns(j..<j + 1).sumOfSquares / 2 }
      if coupling.isFinite {
        e += coupling * (crossEntropy ?? .identity).crossEntropy(output, target, sample: j)
      }
      return e
    }
  }

  /// ‖∇E‖∞ / max(1, ‖y − ŷ‖∞) of each sample, the gradient taken on the pattern of the state.
  func residuals(
    _ sheaf: NeuralSheaf, _ state: SheafState, _ rho: [Matrix], prediction: Matrix
  ) -> [Double] {
    let last = sheaf.network.lastVertex
    let activation = crossEntropy ?? .identity
    var gradient = sheaf.coboundaryTransposed(rho, at: sheaf.patterns(at: state))
    if coupling.isFinite {
      gradient[last].add(activation(state.stalks[last]), scale: coupling)
      gradient[last].add(target, scale: -coupling)
    } else {
      gradient[last].fill(0)
    }
    var r = activation(prediction)
    r.add(target, scale: -1)
    return (0..<target.columns).map { j in
      let scale = max(1, r.columns(j..<j + 1).maximumMagnitude)
      return gradient.dropFirst().reduce(0) {
        max($0, $1.columns(j..<j + 1).maximumMagnitude)
      } / scale
    }
  }
}
