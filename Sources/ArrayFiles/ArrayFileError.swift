/// A file that cannot be read or written, or does not hold what it should.
public struct ArrayFileError: Error, Equatable, CustomStringConvertible {
  /// The file, with the entry of an archive after `#`.
  public let file: String
  /// What was found and what was expected.
  public let problem: String

  /// An error about one file.
  public init(file: String, problem: String) {
    self.file = file
    self.problem = problem
  }

  /// The file and the problem, in one line.
  public var description: String { "\(file): \(problem)" }
}
