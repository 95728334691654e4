import LinearAlgebra
import NeuralSheaves

/// How far samples are from other outputs.
public struct RobustnessReport: Sendable {
  /// The samples whose derivatives were worked out, ascending.
  public let samples: [Int]
  /// Their derivatives.
  public let sensitivity: Sensitivity
  /// The samples whose distances were worked out, ascending.
  public let distanceSamples: [Int]
  /// Their distances from where the decision changes; nil where outputs are no classes.
  public let distances: BoundaryDistance?
  /// The samples with counterfactuals.
  public let counterfactualSamples: [Int]
  /// The least change of each by pins that gives the class given where that is not predicted, and else the likeliest other class; of values, the target.
  public let counterfactuals: [Counterfactual]

  /// - Parameters:
  ///   - chosen: samples to show counterfactuals of.
  public init(
    _ samples: NetworkSamples, settings: Diagnosis.Settings, chosen: [Int], halt: Halt
  ) throws {
    let network = samples.network
    // Relaxations of large networks with the input free take seconds.
    let chosen =
      network.freeDimension > Counterfactual.largeDimension ? Array(chosen.prefix(2)) : chosen
    self.samples = samples.spread(settings.sensitivitySamples)
    sensitivity = try Sensitivity(samples.samples(self.samples))
    guard network.classCount != nil else {
      (distanceSamples, distances) = ([], nil)
      // Several sigmoids have no one decision.
      counterfactualSamples =
        samples.target == nil || network.outputActivation != .identity ? [] : chosen
      let these = samples.samples(counterfactualSamples)
      counterfactuals =
        try these.target.map { try Counterfactual.find(these, values: $0, halt: halt) } ?? []
      return
    }
    distanceSamples = Array(Set(samples.spread(settings.distanceSamples) + chosen)).sorted()
    distances = BoundaryDistance(samples.samples(distanceSamples))
    let these = samples.samples(chosen)
    let logits = network.classLogits(these.logits)
    let wanted = these.range.map { j in
      let top = logits.largestRow(ofColumn: j)
      if let given = these.classes?[j], given != top { return given }
      return logits.largestRow(ofColumn: j, except: top)
    }
    counterfactualSamples = chosen
    counterfactuals = try Counterfactual.find(these, wanted: wanted, halt: halt)
  }
}
