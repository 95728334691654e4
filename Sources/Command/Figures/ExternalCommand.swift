import Foundation

/// A command of another package, found among the folders of PATH, that reads a file and writes to its
/// standard output.
struct ExternalCommand {
  /// What a run left.
  struct Answer {
    let status: Int32
    let output: Data
    /// What it said on its standard error.
    let errors: String

    /// The errors in brief, for a message.
    var message: String { errors.prefix(300).trimmingCharacters(in: .whitespacesAndNewlines) }
  }

  let name: String
  /// Folders, separated by colons.
  var path = ProcessInfo.processInfo.environment["PATH"] ?? ""
  /// What is added to the environment.
  var environment: [String: String] = [:]

  /// The answer to a text, whose file is the last argument; nil if there is no such command.
  func run(_ arguments: [String], on text: String) throws -> Answer? {
    let candidates = path.split(separator: ":").map { "\($0)/\(name)" }
    guard let file = candidates.first(where: FileManager.default.isExecutableFile) else {
      return nil
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
    return Answer(
      status: process.terminationStatus, output: try Data(contentsOf: output),
      errors: String(decoding: said, as: UTF8.self))
  }
}
