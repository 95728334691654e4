import LinearAlgebra
import NeuralSheaves
import SheafProbability

/// The least discord that makes or breaks the decision for a class: on the pattern of the forward pass, under unit stiffness,
///
///     m_y = min over c ≠ y of sign(z_y − z_c) · (z_y − z_c)² / (2 dᵀCd),   d = e_y − e_c,
///
/// C being the covariance of z_{k+1} of unit noise on every edge. Where y is predicted, m_y is the least energy ½Σ‖ρ_e‖² of a state in which it
/// is no longer; where it is not, −m_y is the least that lifts it over the class that is furthest ahead of it in this measure, though others may still lead. It is a margin measured by how
/// easily the network gives way, related to the distance of DeepFool.
public struct FlipEnergies: Sendable {
  /// m_y of each sample.
  public let energies: [Double]

  /// For a class of each sample. Cost: n_{k+1} reverse sweeps.
  public init(_ samples: NetworkSamples, classes: [Int]) {
    let network = samples.network
    precondition(network.classCount != nil && classes.count == samples.count)
    let covariance = GaussianSheaf(network).predictiveCovariance(
      at: NeuralSheaf(network).patterns(at: samples.state), batch: samples.count)
    self.init(samples, classes, covariance.matrices)
  }

  /// The same where C of each sample is at hand.
  init(_ samples: NetworkSamples, _ classes: [Int], _ covariances: [Matrix]) {
    let logits = samples.network.classLogits(samples.logits)
    let isSingle = samples.network.outputActivation == .sigmoid
    energies = classes.enumerated().map { j, y in
      let p = covariances[j]
      var least = Double.infinity
      for c in 0..<logits.rows where c != y {
        let gap = logits[y, j] - logits[c, j]
        let spread = isSingle ? p[0, 0] : p[y, y] + p[c, c] - p[y, c] - p[c, y]
        least = min(
          least, (gap < 0 ? -1 : 1) * gap * gap / (2 * max(spread, .leastNormalMagnitude)))
      }
      return least
    }
  }
}
