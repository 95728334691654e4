import Foundation
import Testing

/// `sheaf reproduce`: what it writes, keeps and refuses.
struct ReproductionTests {
  private func folder() -> String {
    NSTemporaryDirectory() + "sheaf-reproduction-\(UInt64.random(in: 0...UInt64.max))"
  }

  private func names(_ folder: String) throws -> Set<String> {
    Set(try FileManager.default.contentsOfDirectory(atPath: folder))
  }

  /// Figures, tables and page of two exhibits; a second call makes nothing anew, a file that is missing is made again.
  @Test func exhibitsAreWrittenAndKept() throws {
    let out = folder()
    defer { try? FileManager.default.removeItem(atPath: out) }
    let call = ["reproduce", "first-flow", "gap-and-depth", "--quick", "--out", out]
    let first = try CommandTests().run(call)
    #expect(first.status == 0 && first.output.contains("2 of 2 exhibits made"), "\(first.error)")
    let expected = ["first-flow", "gap-and-depth"].flatMap { name in
      ["svg", "pdf", "gnuplot", "json"].map { "\(name).\($0)" }
    }
    #expect(
      try names(out).isSuperset(
        of: expected + ["index.html", "gap-and-depth.csv", "first-flow-events.md"]))
    let page = try String(contentsOfFile: out + "/index.html", encoding: .utf8)
    #expect(page.contains("first-flow.svg") && page.contains("Spectral gap against depth"))
    #expect(page.contains("0.2248"), "the paper's number")
    #expect(page.contains("Spectral gap against depth (quick)"))
    let table = try String(contentsOfFile: out + "/gap-and-depth.csv", encoding: .utf8)
    let medians = table.split(separator: "\n").dropFirst().compactMap {
      Double($0.split(separator: ",").dropLast().last ?? "")
    }
    #expect(medians.count == 4 && zip(medians, medians.dropFirst()).allSatisfy { $0 > $1 })
    let bytes = try Data(contentsOf: URL(fileURLWithPath: out + "/first-flow.svg"))
    try FileManager.default.removeItem(atPath: out + "/first-flow.svg")
    let second = try CommandTests().run(call)
    #expect(second.status == 0 && second.output.contains("1 of 1 exhibit made, 1 kept"))
    #expect(try Data(contentsOf: URL(fileURLWithPath: out + "/first-flow.svg")) == bytes)
    let third = try CommandTests().run(call)
    #expect(third.output.contains("0 of 0 exhibits made, 2 kept"), "\(third.output)")
  }

  /// A run without time says how much is left, and its folder is one to go on in.
  @Test func endedRunsGoOn() throws {
    let out = folder()
    defer { try? FileManager.default.removeItem(atPath: out) }
    let call = ["reproduce", "dashboard", "first-flow", "--quick", "--out", out]
    let short = try CommandTests().run(call + ["--time-limit", "1e-9"])
    #expect(short.status == 1 && short.error.contains("2 exhibits are left: --time-limit reached"))
    #expect(try !names(out).contains("dashboard.json"))
    let whole = try CommandTests().run(call)
    #expect(whole.status == 0 && whole.output.contains("2 of 2 exhibits made"), "\(whole.error)")
  }

  /// A folder of others is refused and left as it is; an unknown exhibit is answered with the list.
  @Test func badCallsAreRefused() throws {
    let out = folder()
    defer { try? FileManager.default.removeItem(atPath: out) }
    try FileManager.default.createDirectory(atPath: out, withIntermediateDirectories: true)
    try Data("mine".utf8).write(to: URL(fileURLWithPath: out + "/index.html"))
    let run = try CommandTests().run(["reproduce", "first-flow", "--quick", "--out", out])
    #expect(run.status == 1 && run.error.contains("the folder holds other files (index.html)"))
    #expect(try names(out) == ["index.html"])
    #expect(try String(contentsOfFile: out + "/index.html", encoding: .utf8) == "mine")
    let unknown = try CommandTests().run(["reproduce", "fist-flow"])
    #expect(unknown.status == 64, "\(unknown.status)")
    #expect(
      unknown.error.contains("\"fist-flow\"") && unknown.error.contains("first-flow")
        && unknown.error.contains("pinned-table"), "\(unknown.error)")
  }

  /// A file of others in a folder of ours is not replaced; the exhibits beside it are made.
  @Test func filesOfOthersStay() throws {
    let out = folder()
    defer { try? FileManager.default.removeItem(atPath: out) }
    let call = ["reproduce", "first-flow", "--quick", "--out", out]
    #expect(try CommandTests().run(call).status == 0)
    let theirs = URL(fileURLWithPath: out + "/phase-planes.svg")
    try Data("mine".utf8).write(to: theirs)
    let run = try CommandTests().run(
      ["reproduce", "dashboard", "phase-planes", "--quick", "--out", out])
    #expect(
      run.status == 1
        && run.error.contains("phase-planes.svg: a file that no reproduction has written"),
      "\(run.error)")
    #expect(try String(contentsOf: theirs, encoding: .utf8) == "mine")
    #expect(try names(out).isSuperset(of: ["dashboard.svg", "dashboard.pdf", "first-flow.svg"]))
  }

  /// Without gnuplot tables and scripts are written all the same, and the message says what to install.
  @Test func withoutGnuplotDataAreWritten() throws {
    let out = folder()
    defer { try? FileManager.default.removeItem(atPath: out) }
    let run = try CommandTests().run(
      [
        "PATH=/nowhere", CommandTests.executable.path, "reproduce", "first-flow", "--quick",
        "--out", out,
      ],
      executable: URL(fileURLWithPath: "/usr/bin/env"))
    #expect(run.status == 1 && run.error.contains("gnuplot-nox"), "\(run.error)")
    let names = try names(out)
    #expect(names.isSuperset(of: ["first-flow.gnuplot", "first-flow-summary.csv", "index.html"]))
    #expect(!names.contains("first-flow.svg"))
  }
}
