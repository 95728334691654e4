import LinearAlgebra
import SheafProbability

/// How much of a difference is laid to each layer.
public struct LayerStiffness: Sendable {
  /// By layer the variance that its noise, added and multiplied, has in the output, as a share of the residuals' mean square: the
  /// largest is the suspect. (A soft layer has a large variance; γ = 1/τ is its stiffness.)
  public let scores: [Double]
  /// By layer the part that is added.
  public let additive: [Double]
  /// By layer the part that multiplies.
  public let gain: [Double]
}

extension VarianceModel {
  /// Learned stiffness: so many monotone updates from equal shares (`FaultProbes.varianceModel`).
  ///
  /// The updates are not run to their end. Where layers look alike the likelihood hardly tells a split between them from one of
  /// them alone, and the maximum picks at random; early on the shares are still spread by how well each layer explains the
  /// residuals on its own.
  ///
  /// - Parameter updates: how many; 60 was chosen on other faults than are reported (Docs/FaultLocation.md).
  public func layerStiffness(updates: Int = 60) throws(FaultError) -> LayerStiffness {
    let tau: [Double]
    do {
      tau = try updated(evenVariances, times: updates)
    } catch { throw .variance(error) }
    let shares = zip(tau, units).map { $0 / $1 }
    let half = shares.count / 2
    let (additive, gain) = (Array(shares[..<half]), Array(shares[half...]))
    return LayerStiffness(
      scores: zip(additive, gain).map(+), additive: additive, gain: gain)
  }
}
