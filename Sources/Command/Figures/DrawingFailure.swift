/// A drawing that a command of another package could not make.
public enum DrawingFailure: Error, CustomStringConvertible {
  /// There is no such command among the folders of PATH.
  case notFound(command: String, package: String)
  /// It ended with an error.
  case failed(command: String, status: Int32, message: String)

  /// Whether the command is not there.
  public var isMissing: Bool { if case .notFound = self { true } else { false } }

  /// What happened, in a sentence.
  public var description: String {
    switch self {
    case .notFound(let command, let package):
      "the command \(command) is not on the PATH; Debian's package is \(package)"
    case .failed(let command, let status, let message):
      "the command \(command) ended with status \(status): \(message)"
    }
  }
}
