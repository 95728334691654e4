import Foundation

/// A command of another package, found among the folders of PATH, that reads a file and writes to its
/// standard output.
struct ExternalCommand {
  /// What a run left.
  struct Answer {
    let output: Data
    /// What it said on its standard error.
    let errors: String
  }

  let name: String
  /// Debian's, that it is of.
  let package: String
  /// Folders, separated by colons.
  var path = ProcessInfo.processInfo.environment["PATH"] ?? ""
  /// What is added to the environment.
  var environment: [String: String] = [:]

  /// The answer to a text, whose file is the last argument.
  ///
  /// - Throws: `DrawingFailure` where there is no such command, it ends with an error or gives nothing.
  func run(_ arguments: [String], on text: String) throws -> Answer {
    let candidates = path.split(separator: ":").map { "\($0)/\(name)" }
    guard let file = candidates.first(where: FileManager.default.isExecutableFile) else {
      throw DrawingFailure.notFound(command: name, package: package)
    }
    // By files: neither side waits for the other.
    let folder = FileManager.default.temporaryDirectory
    let unique = UUID().uuidString
    let (input, output) = (
      folder.appendingPathComponent(unique + ".in"), folder.appendingPathComponent(unique + ".out")
    )
    defer { for file in [input, output] { try? FileManager.default.removeItem(at: file) } }
    try Data(text.utf8).write(to: input)
    try Data().write(to: output)
    let (process, errors) = (Process(), Pipe())
    process.executableURL = URL(fileURLWithPath: file)
    process.arguments = arguments + [input.path]
    process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
    process.standardInput = FileHandle.nullDevice
    process.standardOutput = try FileHandle(forWritingTo: output)
    process.standardError = errors
    try process.run()
    let said = errors.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    let answer = Answer(
      output: try Data(contentsOf: output), errors: String(decoding: said, as: UTF8.self))
    guard process.terminationStatus == 0, !answer.output.isEmpty else {
      throw DrawingFailure.failed(
        command: name, status: process.terminationStatus,
        message: answer.errors.prefix(300).trimmingCharacters(in: .whitespacesAndNewlines))
    }
    return answer
  }
}
