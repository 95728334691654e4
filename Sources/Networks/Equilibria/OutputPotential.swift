import LinearAlgebra
import NeuralSheaves
import PiecewiseEnergies

/// The energy of a smooth output edge as a function of z_{k+1} alone: a_{k+1} is eliminated.
///
/// A held a_i = t contributes with weight κ, one that soft pins pull with κΓ/(κ + Γ) towards their
/// mean t (two springs in series, Γ = Σγ), a free one nothing. The energy is ½ Σ w_i (φ_i(z) − t_i)²
/// or, for the cross-entropy, w · CE(φ(z), t).
struct OutputPotential: Sendable {
  private let activation: OutputActivation
  private let isCrossEntropy: Bool
  private let coupling: Double
  /// w of each coordinate.
  private let weights: [Double]
  /// Γ of each coordinate, infinite where a is held.
  private let stiffness: [Double]
  /// t, (n, batch).
  private let target: Matrix

  /// The potential of an energy's output edge.
  init(_ output: OutputEdge, _ pins: Pins, vertex: Int, dimension n: Int, batch: Int) {
    activation = output.activation
    isCrossEntropy = output.energy == .crossEntropy && output.activation != .identity
    coupling = output.coupling
    let (stiffness, target) = pins.combined(at: vertex, dimension: n, batch: batch)
    let kappa = output.coupling
    weights = stiffness.map { $0 == .infinity ? kappa : kappa * $0 / (kappa + $0) }
    (self.stiffness, self.target) = (stiffness, target)
  }

  /// Whether the weights belong to an energy: a softmax cross-entropy has one weight for all
  /// coordinates.
  var isConsistent: Bool {
    !(isCrossEntropy && activation == .softmax) || Set(weights).count <= 1
  }

  /// Whether φ is the identity: then the potential is a spring on each coordinate.
  var isQuadratic: Bool { activation == .identity }

  /// The largest w.
  var largestWeight: Double { weights.max() ?? 0 }

  /// The springs of the identity: weight and target of coordinate i.
  func spring(_ i: Int) -> Double { weights[i] }
  /// t of each coordinate and sample.
  var targets: Matrix { target }

  /// a_{k+1} at equilibrium with z: between φ(z) and t as the weights have it.
  func output(at z: Matrix, samples: [Int]) -> Matrix {
    var a = activation(z)
    for (q, j) in samples.enumerated() {
      for i in 0..<a.rows {
        a[i, q] =
          stiffness[i] == .infinity
          ? target[i, j]
          : (coupling * a[i, q] + stiffness[i] * target[i, j]) / (coupling + stiffness[i])
      }
    }
    return a
  }

  /// The value at z of sample j; z is (n, 1).
  func value(_ z: Matrix, sample j: Int) -> Double {
    if isCrossEntropy {
      if activation == .softmax {
        return weights[0] * activation.crossEntropy(z, target.columns(j..<j + 1), sample: 0)
      }
      return (0..<z.rows).reduce(0) {
        $0 + weights[$1]
          * activation.crossEntropy(
            Matrix(column: [z[$1, 0]]), Matrix(column: [target[$1, j]]), sample: 0)
      }
    }
    let p = activation(z)
    return (0..<z.rows).reduce(0) {
      $0 + weights[$1] * (p[$1, 0] - target[$1, j]) * (p[$1, 0] - target[$1, j]) / 2
    }
  }

  /// The gradient at z of sample j.
  func gradient(_ z: Matrix, sample j: Int) -> [Double] {
    let p = activation(z)
    var r = Matrix(
      column: (0..<z.rows).map { weights[$0] * (p[$0, 0] - target[$0, j]) })
    if !isCrossEntropy { activation.applyJacobian(at: p, to: &r) }
    return r.elements
  }

  /// F with F Fᵀ the Hessian at z, where it has a closed form: that of a cross-entropy.
  ///
  /// w(diag φ − φφᵀ) = w (diag √φ − φ√φᵀ)(diag √φ − √φφᵀ) for softmax, since Σφ = 1.
  func hessianFactor(_ z: Matrix) -> Matrix? {
    guard isCrossEntropy else { return nil }
    let p = activation(z).elements
    guard activation == .softmax else {
      return .diagonal(zip(weights, p).map { ($0 * $1 * (1 - $1)).squareRoot() })
    }
    let (n, root) = (p.count, weights[0].squareRoot())
    var f = Matrix(rows: n, columns: n)
    for b in 0..<n {
      let s = root * p[b].squareRoot()
      for a in 0..<n { f[a, b] = (a == b ? s : 0) - p[a] * s }
    }
    return f
  }

  /// The Hessian at z of sample j.
  func hessian(_ z: Matrix, sample j: Int) -> Matrix {
    let n = z.rows
    let p = activation(z)
    let wide = p.columns([Int](repeating: 0, count: n))
    var h = Matrix.diagonal(weights)
    if isCrossEntropy {
      activation.applyJacobian(at: wide, to: &h)
      return h
    }
    // J W J + Σ r_i ∇²φ_i with r = W (φ − t).
    activation.applyJacobian(at: wide, to: &h)
    h = h.transposed
    activation.applyJacobian(at: wide, to: &h)
    let r = (0..<n).map { weights[$0] * (p[$0, 0] - target[$0, j]) }
    switch activation {
    case .identity: break
    case .sigmoid:
      for i in 0..<n { h[i, i] += r[i] * p[i, 0] * (1 - p[i, 0]) * (1 - 2 * p[i, 0]) }
    case .softmax:
      // ∇²φ_i = φ_i ((e_i − φ)(e_i − φ)ᵀ − diag φ + φφᵀ).
      let s = (0..<n).reduce(0) { $0 + r[$1] * p[$1, 0] }
      for b in 0..<n {
        for a in 0..<n {
          let (pa, pb) = (p[a, 0], p[b, 0])
          h[a, b] += 2 * s * pa * pb - (r[a] + r[b]) * pa * pb
          if a == b { h[a, b] += (r[a] - s) * pa }
        }
      }
    }
    return h
  }
}

extension PinnedEnergy {
  /// Sets a_{k+1} to its best value for z_{k+1}.
  func setOutput(of state: inout SheafState) {
    guard let output else { return }
    let network = sheaf.network
    let potential = OutputPotential(
      output, pins, vertex: network.vertices.count, dimension: network.outputDimension,
      batch: state.batch)
    state.output = potential.output(
      at: state.stalks[network.lastVertex], samples: Array(0..<state.batch))
  }
}

extension PinnedEnergy {
  /// E of each sample, a_{k+1} eliminated.
  ///
  /// That is the energy of the state with the best a_{k+1}, but for a cross-entropy whose a is not
  /// wholly held: a force κ(φ(z) − a) on both ends belongs to w · CE(φ(z), t) with a eliminated, and to
  /// no energy with a in it.
  func eliminatedValues(at state: SheafState, discrepancy rho: [Matrix]) -> [Double] {
    guard let output, output.energy == .crossEntropy, output.activation != .identity, !isClamped
    else { return values(at: state, discrepancy: rho) }
    let network = sheaf.network
    let potential = OutputPotential(
      output, pins, vertex: network.vertices.count, dimension: network.outputDimension,
      batch: state.batch)
    return (0..<state.batch).map { j in
      stiffness.energy(rho, sample: j)
        + pins.energy(SheafState(stalks: state.stalks), sample: j)
        + potential.value(state.stalks[network.lastVertex].columns(j..<j + 1), sample: j)
    }
  }
}

/// A convex quadratic model of an output potential about a point, damped:
/// G(z + d) ≈ G(z) + ⟨g, d⟩ + ½‖Fᵀd‖².
struct OutputModel: Sendable {
  /// ∇G.
  let gradient: [Double]
  /// F, (n, n): F Fᵀ is the Hessian with its negative eigenvalues set to 0, plus the damping.
  let factor: Matrix
  /// The largest eigenvalue of F Fᵀ, not less than a small part of the weights.
  let largestStiffness: Double

  init(_ potential: OutputPotential, at z: Matrix, sample j: Int, damping: Double) {
    gradient = potential.gradient(z, sample: j)
    if damping == 0, let f = potential.hessianFactor(z) {
      (factor, largestStiffness) = (f, 0.5 * potential.largestWeight)
      return
    }
    let h = potential.hessian(z, sample: j)
    guard let eigen = try? SymmetricEigendecomposition(h) else {
      factor = Matrix(rows: z.rows, columns: z.rows, repeating: .nan)
      largestStiffness = .nan
      return
    }
    var f = eigen.vectors
    for k in 0..<f.columns {
      let root = (max(eigen.values[k], 0) + damping).squareRoot()
      for i in 0..<f.rows { f[i, k] *= root }
    }
    factor = f
    largestStiffness = max(
      (eigen.values.last ?? 0) + damping, 0.25 * potential.largestWeight)
  }

  /// ⟨g, v⟩ and ‖Fᵀv‖².
  func slopeAndCurvature(along v: ArraySlice<Double>) -> (Double, Double) {
    var (slope, curvature) = (0.0, 0.0)
    for (g, x) in zip(gradient, v) { slope += g * x }
    for k in 0..<factor.columns {
      var sum = 0.0
      for (i, x) in v.enumerated() { sum += factor[i, k] * x }
      curvature += sum * sum
    }
    return (slope, curvature)
  }

  /// ∇G + F Fᵀ d, the model's gradient.
  func gradient(at d: [Double]) -> [Double] {
    var result = gradient
    for k in 0..<factor.columns {
      var sum = 0.0
      for (i, x) in d.enumerated() { sum += factor[i, k] * x }
      for i in result.indices { result[i] += factor[i, k] * sum }
    }
    return result
  }
}
