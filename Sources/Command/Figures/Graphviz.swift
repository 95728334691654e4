import Foundation

/// Graphviz's `dot`, a command of its own, which lays graphs out.
public enum Graphviz {
  /// What a drawing can be written as.
  public typealias Format = DrawingFormat

  /// A drawing that could not be made.
  public enum Failure: Error, CustomStringConvertible {
    /// There is no `dot` among the folders of PATH.
    case notFound
    /// It ended with an error.
    case failed(status: Int32, message: String)

    /// What happened, in a sentence.
    public var description: String {
      switch self {
      case .notFound: "Graphviz's command dot is not on the PATH; Debian's package is graphviz"
      case .failed(let status, let message):
        "Graphviz's command dot ended with status \(status): \(message)"
      }
    }
  }

  /// A text in Graphviz's language drawn by `dot`.
  public static func draw(_ dot: String, as format: Format) throws -> Data {
    guard let answer = try ExternalCommand(name: "dot").run(["-T\(format.rawValue)"], on: dot)
    else { throw Failure.notFound }
    guard answer.status == 0 else {
      throw Failure.failed(status: answer.status, message: answer.message)
    }
    return answer.output
  }
}
