import LinearAlgebra
import NetworkKernels

#if canImport(Glibc)
  import Glibc
#else
  import Foundation
#endif

/// The output activation a_{k+1} = φ(z_{k+1}) of a network.
///
/// Sigmoid and softmax are the only smooth operations of a network; they sit on the last edge and
/// stay out of ω, δ_Ω and the spectra.
public enum OutputActivation: String, Sendable, CaseIterable, Codable {
  /// φ(z) = z: the output is z_{k+1} itself.
  case identity
  /// φ(z)_i = 1 / (1 + e^{−z_i}).
  case sigmoid
  /// φ(z)_i = e^{z_i} / Σ_j e^{z_j}, sample by sample.
  case softmax

  /// y ← φ(z). Shapes (n, batch).
  public func apply(_ z: Matrix, into y: inout Matrix) {
    precondition(z.rows == y.rows && z.columns == y.columns, "φ of \(z.shape) into \(y.shape)")
    switch self {
    case .identity: y.set(z)
    case .sigmoid: y.setSigmoid(of: z)
    case .softmax: y.setSoftmax(of: z)
    }
  }

  /// φ(z).
  public func callAsFunction(_ z: Matrix) -> Matrix {
    var y = z
    apply(z, into: &y)
    return y
  }

  /// r ← J_φᵀ r, where p = φ(z). J is symmetric: diag p(1 − p) or diag p − p pᵀ.
  public func applyJacobian(at p: Matrix, to r: inout Matrix) {
    switch self {
    case .identity: break
    case .sigmoid:
      for j in 0..<p.columns {
        for i in 0..<p.rows { r[i, j] *= p[i, j] * (1 - p[i, j]) }
      }
    case .softmax:
      for j in 0..<p.columns {
        var mean = 0.0
        for i in 0..<p.rows { mean += p[i, j] * r[i, j] }
        for i in 0..<p.rows { r[i, j] = p[i, j] * (r[i, j] - mean) }
      }
    }
  }

  /// An upper bound on ‖J_φ‖₂ over all z: 1, ¼ or ½.
  public var jacobianBound: Double {
    switch self {
    case .identity: 1
    case .sigmoid: 0.25
    case .softmax: 0.5
    }
  }

  /// The cross-entropy of sample j with logits z and target distribution y, computed without
  /// overflow: Σ_i log(1 + e^{z_i}) − y_i z_i for sigmoid, log Σ_i e^{z_i} · Σ_i y_i − ⟨y, z⟩ for
  /// softmax. For the identity it is ½‖z − y‖². The gradient is φ(z) − y in all three
  /// cases, for softmax where Σ_i y_i = 1.
  public func crossEntropy(_ z: Matrix, _ y: Matrix, sample j: Int) -> Double {
    var sum = 0.0
    switch self {
    case .identity:
      for i in 0..<z.rows { sum += (z[i, j] - y[i, j]) * (z[i, j] - y[i, j]) / 2 }
    case .sigmoid:
      for i in 0..<z.rows {
        sum += max(z[i, j], 0) + log1p(exp(-abs(z[i, j]))) - y[i, j] * z[i, j]
      }
    case .softmax:
      let top = Self.largest(z, j)
      var total = 0.0
      for i in 0..<z.rows { total += exp(z[i, j] - top) }
      let logSum = top + log(total)
      for i in 0..<z.rows where y[i, j] != 0 { sum += y[i, j] * (logSum - z[i, j]) }
    }
    return sum
  }

  private static func largest(_ z: Matrix, _ j: Int) -> Double {
    var top = -Double.infinity
    for i in 0..<z.rows { top = max(top, z[i, j]) }
    return top
  }
}
