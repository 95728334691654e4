import Foundation

/// Graphviz's `dot`, a command of its own, which lays graphs out.
public enum Graphviz {
  /// What a drawing can be written as.
  public enum Format: String, Sendable, CaseIterable {
    case svg, pdf, png
  }

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
    guard let command else { throw Failure.notFound }
    // By files: neither side waits for the other.
    let folder = FileManager.default.temporaryDirectory
    let name = UUID().uuidString
    let (input, output) = (
      folder.appendingPathComponent(name + ".dot"), folder.appendingPathComponent(name + ".out")
    )
    defer { for file in [input, output] { try? FileManager.default.removeItem(at: file) } }
    try Data(dot.utf8).write(to: input)
    let (process, errors) = (Process(), Pipe())
    process.executableURL = URL(fileURLWithPath: command)
    process.arguments = ["-T\(format.rawValue)", "-o", output.path, input.path]
    process.standardInput = FileHandle.nullDevice
    process.standardError = errors
    try process.run()
    let said = errors.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    guard process.terminationStatus == 0, let drawing = try? Data(contentsOf: output) else {
      let message = String(decoding: said.prefix(300), as: UTF8.self)
      throw Failure.failed(
        status: process.terminationStatus,
        message: message.trimmingCharacters(in: .whitespacesAndNewlines))
    }
    return drawing
  }

  private static var command: String? {
    (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":")
      .map { "\($0)/dot" }
      .first { FileManager.default.isExecutableFile(atPath: $0) }
  }
}
