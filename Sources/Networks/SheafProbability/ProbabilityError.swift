import Equilibria
import NeuralSheaves
import PiecewiseEnergies

/// A probability model or an observation that does not fit its network.
public enum ProbabilityError: Error, Equatable, CustomStringConvertible {
  /// Another number of stiffnesses than edges.
  case stiffnessCount(found: Int, expected: Int)
  /// A stiffness γ_e that is not positive and finite, or whose variance is not.
  case stiffness(edge: String, found: Double)
  /// A coupling κ that is not positive and finite.
  case coupling(found: Double)
  /// An input or an observation of the wrong shape.
  case quantity(name: String, found: String, expected: String)
  /// A number that is not finite.
  case notFinite(name: String, coordinate: Int, sample: Int)
  /// Pins that do not fit the network.
  case pins(PinError)
  /// A pin on the input, which is given, or on a_{k+1}, which is the target.
  case pinned(stalk: String)
  /// An observed output that is no probability.
  case target(NetworkError)
  /// A mode that cannot be looked for.
  case equilibrium(EquilibriumError)
  /// A covariance that is not positive definite in double precision.
  case indefinite(sample: Int)

  /// What was found and what was expected, in a sentence.
  public var description: String {
    switch self {
    case .stiffnessCount(let found, let expected):
      "\(found) stiffnesses, expected one for each of \(expected) edges"
    case .stiffness(let edge, let found):
      "the stiffness of edge \(edge) is \(found), expected a positive number with a finite inverse"
    case .coupling(let found):
      "the coupling κ is \(found), expected a positive finite number"
    case .quantity(let name, let found, let expected):
      "\(name) has shape \(found), expected \(expected)"
    case .notFinite(let name, let i, let j):
      "coordinate \(i) of \(name) of sample \(j) is not finite"
    case .target(let error): "\(error)"
    case .pins(let error): "\(error)"
    case .pinned(let stalk):
      "a pin on \(stalk), expected pins on the stalks between: the input is given, and an output is observed as the target"
    case .equilibrium(let error): "\(error)"
    case .indefinite(let j):
      "the covariance of sample \(j) is not positive definite in double precision"
    }
  }
}
