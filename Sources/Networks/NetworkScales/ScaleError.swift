import LinearAlgebra
import NeuralSheaves

/// Stalks, pins or samples that cannot be looked at in the way asked for.
public enum ScaleError: Error, Equatable, CustomStringConvertible {
  /// More coordinates than a dense matrix of that order is made for.
  case tooLarge(coordinates: Int, most: Int)
  /// Something about a quantity: what was found and what is expected.
  case quantity(name: String, found: String, expected: String)
  /// Pins that do not fit the network.
  case pins(PinError)
  /// A pin on a stalk that was not kept.
  case notKept(stalk: String, kept: [String])
  /// A matrix that is not positive definite in double precision, or not finite.
  case factorization(FactorizationError)

  /// What was found and what was expected, in a sentence.
  public var description: String {
    switch self {
    case .tooLarge(let n, let most):
      "the stalks have \(n) coordinates, expected at most \(most): fewer or smaller stalks"
    case .quantity(let name, let found, let expected):
      "\(name): found \(found), expected \(expected)"
    case .pins(let error): "\(error)"
    case .notKept(let stalk, let kept):
      "a pin on \(stalk), expected pins on the kept stalks: \(kept.joined(separator: ", "))"
    case .factorization(let error): "\(error)"
    }
  }
}
