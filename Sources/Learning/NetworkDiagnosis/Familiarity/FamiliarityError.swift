/// Training inputs that no model can be made of.
public enum FamiliarityError: Error, Equatable, CustomStringConvertible {
  /// Inputs of another dimension than the network's.
  case shape(found: Int, expected: Int)
  /// Too few samples.
  case few(Int)
  /// Samples that are all the same.
  case alike
  /// A stalk that is not finite.
  case notFinite(stalk: String, sample: Int)
  /// An array of stored statistics that is missing or not as it should be.
  case array(String)
  /// Statistics of another network.
  case network(found: [Int], expected: [Int])

  /// What was found and what was expected, in a sentence.
  public var description: String {
    switch self {
    case .shape(let found, let expected):
      "training inputs of \(found) coordinates, expected the network's \(expected)"
    case .few(let n): "\(n) training inputs, expected at least 20"
    case .alike: "training inputs that are all the same, expected different ones"
    case .notFinite(let stalk, let j):
      "\(stalk) of training input \(j) is not finite, expected finite stalks"
    case .array(let name):
      "\(name) is missing or not as expected, expected the statistics of sheaf train --statistics"
    case .network(let found, let expected):
      "statistics of stalks of dimensions \(found.prefix(12)), expected \(expected.prefix(12)) as in this network"
    }
  }
}
