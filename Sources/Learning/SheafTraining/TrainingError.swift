import NeuralSheaves

/// A run that cannot start.
public enum TrainingError: Error, Equatable, CustomStringConvertible {
  /// A setting out of its range.
  case setting(name: String, found: String, expected: String)
  /// A checkpoint that does not fit the run.
  case checkpoint(String)
  /// A parameter that several operations share.
  case sharedParameter(name: String, edges: [String])

  /// What was found and what was expected, in a sentence.
  public var description: String {
    switch self {
    case .setting(let name, let found, let expected):
      "\(name) is \(found), expected \(expected)"
    case .checkpoint(let problem): problem
    case .sharedParameter(let name, let edges):
      "the parameter \"\(name)\" is shared by \(edges.joined(separator: ", ")), which training would "
        + "set apart; `sheaf convert` writes the network with one of its own for each"
    }
  }
}

extension Network {
  /// Refuses parameters that several operations share.
  func checkUnshared() throws(TrainingError) {
    guard let shared = sharedParameters.first else { return }
    throw .sharedParameter(name: shared.name, edges: shared.edges.map(edgeName))
  }
}
