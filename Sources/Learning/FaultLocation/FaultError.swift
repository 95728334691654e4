import NeuralSheaves
import SheafProbability
import SheafTraining

/// Probes that no fault can be located from.
public enum FaultError: Error, CustomStringConvertible {
  /// Probes or outputs of the wrong shape.
  case quantity(name: String, found: String, expected: String)
  /// A number that is not finite.
  case notFinite(name: String, sample: Int)
  /// A reference whose outputs are the same for all probes.
  case constantReference(probes: Int)
  /// Outputs that agree to rounding.
  case noDifference(relative: Double)
  /// A network without a layer that has weights.
  case noLayers
  /// Networks whose layers do not correspond.
  case structure(found: String, expected: String)
  /// Too few probes for the components of the layers.
  case variance(VarianceError)
  /// A layer that cannot be trained.
  case training(any Error)

  /// What was found and what was expected, in a sentence.
  public var description: String {
    switch self {
    case .quantity(let name, let found, let expected):
      "\(name) has shape \(found), expected \(expected)"
    case .notFinite(let name, let j): "\(name) of sample \(j) is not finite"
    case .constantReference(let probes):
      "the reference's outputs are the same for all \(probes) probes, expected outputs of a network for each probe"
    case .noDifference(let relative):
      "no difference: nothing to locate; the network and the reference agree to \(relative) of their size"
    case .noLayers: "the network has no layer with weights, expected at least one"
    case .structure(let found, let expected):
      "the reference network has \(found), expected \(expected) as in the deployed one; compare their outputs instead"
    case .variance(let error): "\(error)"
    case .training(let error): "\(error)"
    }
  }
}
