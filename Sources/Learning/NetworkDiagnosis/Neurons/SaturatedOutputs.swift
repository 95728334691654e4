import LinearAlgebra
import NeuralSheaves

extension Finding {
  /// Outputs whose probabilities are 0 or 1 to six digits for most samples.
  static func saturatedOutputs(
    _ samples: NetworkSamples, _ thresholds: FindingThresholds
  ) -> [Finding] {
    let network = samples.network
    guard network.outputActivation != .identity else { return [] }
    let p = network.outputActivation(samples.logits)
    let least = 1 - thresholds.saturation
    let count = (0..<samples.count).count { j in
      (0..<p.rows).allSatisfy { p[$0, j] > thresholds.saturation || p[$0, j] < least }
    }
    let share = Double(count) / Double(samples.count)
    guard share > thresholds.saturatedShare else { return [] }
    return [
      Finding(
        .saturatedOutput, "output", share: share,
        "all outputs are within 10⁻⁶ of 0 or 1 on \(count) of \(samples.count) samples, where their gradients vanish"
      )
    ]
  }
}
