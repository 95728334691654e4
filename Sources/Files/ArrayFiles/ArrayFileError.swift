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

extension StringProtocol {
  /// Text out of a file as a message may show it: control characters escaped, cut after 80 scalars.
  package var printable: String {
    let shown = unicodeScalars.prefix(80)
    return shown.map { $0.properties.isPrintable ? String($0) : $0.escaped(asASCII: true) }.joined()
      + (shown.endIndex < unicodeScalars.endIndex ? "…" : "")
  }
}

extension Unicode.Scalar.Properties {
  fileprivate var isPrintable: Bool {
    switch generalCategory {
    case .control, .format, .surrogate, .privateUse, .unassigned, .lineSeparator,
      .paragraphSeparator:
      false
    default: true
    }
  }
}

/// Names for a message, sorted; the first 20 if there are more.
func list(_ names: some Collection<String>) -> String {
  let shown = names.sorted().prefix(20).map(\.printable).joined(separator: ", ")
  return names.count > 20 ? "\(shown) and \(names.count - 20) more" : shown
}
