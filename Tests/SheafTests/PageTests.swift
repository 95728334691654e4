import Foundation
import Testing

/// Every command that README, tutorials and the page on sheaves show, run in a fresh folder as it is written.
struct PageTests {
  static let root = Reference.folder.deletingLastPathComponent().deletingLastPathComponent()

  /// What the fences of a language hold.
  static func blocks(_ language: String, of page: String) throws -> [String] {
    let text = try String(contentsOf: root.appendingPathComponent(page), encoding: .utf8)
    return text.components(separatedBy: "```\(language)\n").dropFirst()
      .map { $0.components(separatedBy: "```")[0] }
  }

  /// Runs a script with the built command on the path; its exit status and what it said.
  private func run(_ script: String, in folder: URL) throws -> (Int32, String) {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/bin/bash")
    process.arguments = ["-eu", "-c", script]
    process.currentDirectoryURL = folder
    var environment = ProcessInfo.processInfo.environment
    environment["PATH"] =
      CommandTests.executable.deletingLastPathComponent().path + ":" + (environment["PATH"] ?? "")
    process.environment = environment
    let pipe = Pipe()
    (process.standardOutput, process.standardError) = (pipe, pipe)
    try process.run()
    let said = pipe.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    return (process.terminationStatus, String(decoding: said, as: UTF8.self))
  }

  private func check(_ page: String, least: Int, prepare: (URL) throws -> Void) throws {
    let folder = FileManager.default.temporaryDirectory
      .appendingPathComponent("sheaf-page-\(UInt64.random(in: 0...UInt64.max))")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    try prepare(folder)
    var commands = 0
    for block in try Self.blocks("sh", of: page) {
      // One block at a time, so that a failure shows where; line by line bash would lose variables.
      let (status, said) = try run(block, in: folder)
      #expect(status == 0, "\(page):\n\(block)\n\(said)")
      commands += block.split(separator: "\n").count { $0.hasPrefix("sheaf ") }
    }
    #expect(commands >= least, "\(page) shows \(commands) commands")
  }

  @Test func readmeRunsAsWritten() throws {
    try check("README.md", least: 14) { folder in
      let (status, said) = try run("sheaf demo --out demo --epochs 2", in: folder)
      #expect(status == 0, "\(said)")
    }
  }

  @Test func tutorialRunsAsWritten() throws {
    try check("Docs/Tutorial.md", least: 5) { folder in
      let files = Reference.folder.appendingPathComponent("tutorial")
      for name in ["flowers.csv", "flowers.onnx", "flowers.onnx.data"] {
        try FileManager.default.copyItem(
          at: files.appendingPathComponent(name), to: folder.appendingPathComponent(name))
      }
    }
  }

  @Test func sheafTutorialRunsAsWritten() throws {
    try check("Docs/SheafTutorial.md", least: 15) { _ in }
  }

  @Test func sheafPageRunsAsWritten() throws {
    try check("Docs/Sheaves.md", least: 2) { _ in }
  }

  /// Links between pages lead to files.
  @Test func linksLeadSomewhere() throws {
    var followed = 0
    let docs = try FileManager.default.contentsOfDirectory(
      atPath: Self.root.appendingPathComponent("Docs").path)
    let pages = docs.filter { $0.hasSuffix(".md") }.map { "Docs/\($0)" }
    for page in ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md"] + pages {
      let url = Self.root.appendingPathComponent(page)
      let text = try String(contentsOf: url, encoding: .utf8)
      for piece in text.components(separatedBy: "](").dropFirst() {
        let target = piece.prefix { $0 != ")" && $0 != "#" }
        guard !target.isEmpty, !target.contains("://") else { continue }
        followed += 1
        let file = url.deletingLastPathComponent().appendingPathComponent(String(target))
        #expect(FileManager.default.fileExists(atPath: file.path), "\(page): \(target)")
      }
    }
    #expect(followed > 20)
  }
}
