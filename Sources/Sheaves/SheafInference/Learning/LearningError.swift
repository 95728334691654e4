import LinearAlgebra

/// Signals from which no maps can be learned.
public enum LearningError: Error, Equatable, CustomStringConvertible {
  /// Something about the graph.
  case graph(found: String, expected: String)
  /// Something about the signals of a vertex.
  case vertex(String, found: String, expected: String)
  /// Something about an edge or the stalks at its ends.
  case edge(String, found: String, expected: String)
  /// A split of the samples that leaves nothing to learn from or to test.
  case split(found: String, expected: String)
  /// A factorisation failed.
  case factorization(FactorizationError)

  /// What was found and what was expected, in one line.
  public var description: String {
    switch self {
    case .graph(let found, let expected): "the graph: found \(found), expected \(expected)"
    case .vertex(let name, let found, let expected):
      "vertex \"\(name)\": found \(found), expected \(expected)"
    case .edge(let name, let found, let expected):
      "edge \"\(name)\": found \(found), expected \(expected)"
    case .split(let found, let expected):
      "the split of the samples: found \(found), expected \(expected)"
    case .factorization(let error): error.description
    }
  }

  /// What `make` gives, a failed factorisation being an error of learning.
  static func wrapping<Value>(
    _ make: () throws(FactorizationError) -> Value
  ) throws(LearningError) -> Value {
    do { return try make() } catch { throw .factorization(error) }
  }
}
