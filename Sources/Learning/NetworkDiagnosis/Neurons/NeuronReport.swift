import LinearAlgebra
import NeuralSheaves

/// What the neurons and layers of a network do on samples.
public struct NeuronReport: Sendable {
  /// The activations.
  public let activity: [NeuronActivity]
  /// Neurons that are multiples of each other.
  public let aligned: [AlignedNeurons]
  /// Signals and gradients.
  public let sizes: SignalSizes
  /// The dimensions that samples use.
  public let dimensions: [StalkDimensions]
  /// The weights.
  public let weights: [WeightSpectrum]
  /// What is worth knowing of all this; of single neurons only with enough samples (`FindingThresholds.samples`).
  public let findings: [Finding]

  /// Cost: a forward and a reverse sweep; Gram matrices of neurons and, on up to 1,000 samples, of stalks; decompositions of the weights.
  public init(
    _ samples: NetworkSamples, thresholds: FindingThresholds = .init(),
    using generator: inout RandomGenerator
  ) throws(FactorizationError) {
    activity = NeuronActivity.all(samples)
    aligned = AlignedNeurons.all(samples, thresholds: thresholds)
    sizes = SignalSizes(samples, using: &generator)
    dimensions = try StalkDimensions.all(samples, thresholds: thresholds)
    weights = try WeightSpectrum.all(samples.network, thresholds: thresholds)
    // A few samples have any neuron dead, or two of them alike.
    let isEnough = samples.count >= thresholds.samples
    findings =
      (isEnough
        ? activity.flatMap { $0.findings(samples) } + aligned.flatMap { $0.findings(samples) } : [])
      + Finding.saturatedOutputs(samples, thresholds) + sizes.findings(samples, thresholds)
      + StalkDimensions.findings(dimensions, samples)
      + weights.flatMap { $0.findings(samples.network) }
  }
}
