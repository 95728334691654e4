import Foundation
import LinearAlgebra
import NeuralSheaves

/// What an observation y of the output is under the model: p(y | z_{k+1}) = exp(−V(z))/Z.
///
/// V = (κ/2)‖z − y‖² with Z = (2π/κ)^(n/2) where the network's output is z itself; V = κ·CE(φ(z), y) for a sigmoid
/// or softmax, where Z = 1 sums to one over classes if κ = 1 and y is one of them.
struct OutputCurvature {
  let activation: OutputActivation
  let coupling: Double

  /// log Z for n outputs.
  func logNormaliser(_ n: Int) -> Double {
    activation == .identity ? Double(n) / 2 * (log(2 * .pi) - log(coupling)) : 0
  }

  /// B with BBᵀ = ∇²V at z of sample j: √κ I, or for a cross-entropy κ diag φ(1 − φ) and κ(diag φ − φφᵀ)
  /// = κ (diag √φ − φ√φᵀ)(diag √φ − √φφᵀ), as Σφ = 1.
  func factor(at z: Matrix, sample j: Int) -> Matrix {
    let n = z.rows
    let p = activation(z.columns(j..<j + 1)).columns([Int](repeating: 0, count: n))
    var b = p
    activation.setCurvatureRoot(at: p, of: .identity(n), into: &b)
    b.scale(by: coupling.squareRoot())
    return b
  }
}
