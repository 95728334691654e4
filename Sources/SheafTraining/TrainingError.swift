/// A run that cannot start.
public enum TrainingError: Error, Equatable, CustomStringConvertible {
  /// A setting out of its range.
  case setting(name: String, found: String, expected: String)
  /// A checkpoint that does not fit the run.
  case checkpoint(String)

  /// What was found and what was expected, in a sentence.
  public var description: String {
    switch self {
    case .setting(let name, let found, let expected):
      "\(name) is \(found), expected \(expected)"
    case .checkpoint(let problem): problem
    }
  }
}
