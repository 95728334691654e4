import ArrayFiles
import Foundation
import LinearAlgebra
import ModelFormats
import NeuralSheaves
import Testing

@testable import SheafCommands

/// `sheaf train` that is killed or interrupted and goes on.
@Suite(.serialized) struct InterruptedTrainingTests {
  private let folder: String
  private let command = CommandTests()

  init() throws {
    folder = NSTemporaryDirectory() + "sheaf-train-\(UInt64.random(in: 0...UInt64.max))/"
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
  }

  enum Kind: String, CaseIterable {
    case equilibrium, flow

    var epochs: Int { self == .equilibrium ? 300 : 200 }

    /// Some seconds of training.
    var arguments: [String] {
      switch self {
      case .equilibrium:
        [
          "--layers", "64,24,10", "--data", "digits", "--epochs", "\(epochs)", "--coupling", "0.2",
          "--coupling-schedule", "geometric", "--validation", "0.2", "--seed", "3",
        ]
      case .flow:
        [
          "--layers", "64,24,10", "--data", "digits", "--method", "flow", "--batch", "100",
          "--step", "0.05", "--steps-per-epoch", "40", "--epochs", "\(epochs)", "--cold-start",
        ]
      }
    }
  }

  /// The command started, its outputs read when it has ended.
  private func start(_ arguments: [String]) throws -> (Process, end: () -> (Int32, String)) {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: CommandLine.arguments[0])
      .deletingLastPathComponent().appendingPathComponent("sheaf")
    process.arguments = arguments
    process.standardOutput = FileHandle.nullDevice
    let error = Pipe()
    process.standardError = error
    try process.run()
    return (
      process,
      {
        let text = error.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        return (process.terminationStatus, String(decoding: text, as: UTF8.self))
      }
    )
  }

  /// Waits until a file is another than it was, nil for none, or the process has ended.
  private func wait(for path: String, otherThan old: Data?, _ process: Process) {
    while process.isRunning && FileManager.default.contents(atPath: path) == old { usleep(500) }
  }

  private func bits(_ path: String) throws -> [String: [UInt64]] {
    try NPZ.read(path).mapValues { $0.elements.map(\.bitPattern) }
  }

  /// The columns of a history that do not depend on the clock, each line whole.
  private func history(_ path: String) throws -> [[String]] {
    let text = try String(contentsOfFile: path, encoding: .utf8)
    #expect(text.hasSuffix("\n"))
    let rows = text.split(separator: "\n").map {
      $0.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
    }
    let clock = rows[0].firstIndex(of: "seconds")!
    return rows.map { row in
      #expect(row.count == rows[0].count)
      return row.enumerated().filter { $0.offset != clock }.map(\.element)
    }
  }

  /// Killed as its first checkpoint appears, and again as later ones do, where they appear before the end.
  @Test(arguments: Kind.allCases) func killedRunsGoOn(kind: Kind) throws {
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let (c, h, w) = (folder + "c.safetensors", folder + "h.csv", folder + "w.npz")
    let whole = try command.run(
      ["train"] + kind.arguments
        + ["--history", folder + "whole.csv", "--out", folder + "whole.npz"])
    #expect(whole.status == 0, "\(whole.error)")
    var kills = 0
    for _ in 0..<50 {
      let old = FileManager.default.contents(atPath: c)
      let outputs = ["--checkpoint", c, "--history", h, "--out", w]
      let (process, end) = try start(
        ["train"] + (kills == 0 ? kind.arguments : ["--resume", c]) + outputs)
      if kills < 3 {
        wait(for: c, otherThan: old, process)
        kill(process.processIdentifier, SIGKILL)
      }
      let (status, error) = end()
      // The checkpoint comes first.
      if FileManager.default.fileExists(atPath: h) { _ = try history(h) }
      if process.terminationReason == .uncaughtSignal {
        kills += 1
        continue
      }
      #expect(status == 0, "\(kills) kills: \(error)")
      if kills > 0 { break }
      // Done before anybody looked: once more from the start.
      for file in [c, h, w] { try FileManager.default.removeItem(atPath: file) }
    }
    #expect(kills > 0)
    #expect(try bits(w) == bits(folder + "whole.npz"), "\(kills) kills")
    #expect(try history(h) == history(folder + "whole.csv"), "\(kills) kills")
  }

  /// Ctrl-C: exit 1, one line, and everything is on the disk.
  @Test(arguments: Kind.allCases) func interruptedRunsGoOn(kind: Kind) throws {
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let (c, h, w) = (folder + "c.safetensors", folder + "h.csv", folder + "w.npz")
    var (status, error): (Int32, String) = (0, "")
    for _ in 0..<50 where status == 0 {
      for file in [c, h] { try? FileManager.default.removeItem(atPath: file) }
      let (process, end) = try start(
        ["train"] + kind.arguments + ["--checkpoint", c, "--history", h])
      wait(for: c, otherThan: nil, process)
      kill(process.processIdentifier, SIGINT)
      (status, error) = end()
    }
    #expect(status == 1, "\(error)")
    #expect(error.hasPrefix("error: interrupted after epoch "))
    #expect(error.contains("--resume \(c)") && error.split(separator: "\n").count == 1)
    let epochs = try history(h).count - 2
    #expect(error.contains("after epoch \(epochs) of \(kind.epochs)"), "\(epochs): \(error)")
    let resumed = try command.run(["train", "--resume", c, "--history", h, "--out", w])
    #expect(resumed.status == 0, "\(resumed.error)")
    let whole = try command.run(
      ["train"] + kind.arguments
        + ["--history", folder + "whole.csv", "--out", folder + "whole.npz"])
    #expect(whole.status == 0)
    #expect(try bits(w) == bits(folder + "whole.npz"), "epoch \(epochs)")
    #expect(try history(h) == history(folder + "whole.csv"), "epoch \(epochs)")
  }

  /// A finished run takes more epochs, and is then the longer run; no other setting may change.
  @Test func resumedRunsKeepTheirSettings() throws {
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let c = folder + "c.safetensors"
    let options = [
      "--layers", "2,6,4", "--data", "blobs", "--optimizer", "local", "--batch", "40",
      "--stiffness-of", "affine=1", "--stiffness-of", "activation=1", "--seed", "2",
    ]
    let short = try command.run(["train"] + options + ["--epochs", "4", "--checkpoint", c])
    #expect(short.status == 0, "\(short.error)")
    for (change, words) in [
      (["--rate", "0.3"], ["--rate is 0.3", "default"]),
      (["--optimizer", "adam"], ["--optimizer is adam", "local"]),
      (["--batch=7"], ["--batch is 7", "40"]), (["--seed", "5"], ["--seed is 5", "2"]),
      (["--layers", "2,7,4"], ["--layers is 2,7,4", "2,6,4"]),
      (["--coupling-schedule", "anneal"], ["--coupling-schedule is anneal", "constant"]),
    ] {
      let refused = try command.run(["train", "--resume", c] + change)
      #expect(refused.status == 1, "\(change)")
      #expect(refused.error.hasPrefix("error: ") && refused.error.contains(c))
      for word in words { #expect(refused.error.contains(word), "\(refused.error)") }
      #expect(refused.error.split(separator: "\n").count == 1)
    }
    let (w, whole) = (folder + "w.npz", folder + "whole.npz")
    let long = try command.run(["train", "--resume=" + c, "--epochs", "9", "--out", w, "--json"])
    #expect(long.status == 0, "\(long.error)")
    let history = try #require(long.json["history"] as? [String: Any])
    let steps = try #require(history["step"] as? [Int])
    #expect(steps == (0...9).map { 8 * $0 })
    #expect(try command.run(["train"] + options + ["--epochs", "9", "--out", whole]).status == 0)
    #expect(try bits(w) == bits(whole))

    let missing = try command.run(["train", "--resume", folder + "none.safetensors"])
    #expect(missing.status == 1 && missing.error.contains("none.safetensors"))
    let network = try command.run(["train", "--resume", whole])
    #expect(network.status == 1 && network.error.contains(whole))
    #expect(network.error.split(separator: "\n").count == 1)
  }

  /// The axis of samples, flags, names like those of flags and repeated options come back; patience may change,
  /// epochs that are done may not be taken away.
  @Test func everyKindOfOptionComesBack() throws {
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let (c, x, y) = (folder + "c.safetensors", folder + "x.npy", folder + "y.npy")
    var g = RandomGenerator(seed: 3)
    let input = g.normalMatrix(rows: 3, columns: 40)
    try ArrayFile.write(NPY.encode(NumericArray(input)), to: x)
    try ArrayFile.write(NPY.encode(NumericArray(input.rows(0..<1))), to: y)
    let n = folder + "n.npz"
    let network = try Network(widths: [3, 5, 1], using: &g)
    try NPZ.write(try NPZNetwork.arrays(of: network, prefix: "true").arrays, to: n)
    let options = [
      "--network", n, "--prefix", "true", "--input", x, "--target", y, "--samples", "columns",
      "--stiffness-of", "affine=2", "--stiffness-of", "activation=3", "--relaxation", "direct",
      "--warm-start", "--validation", "0.2", "--patience", "1",
    ]
    let run = try command.run(["train"] + options + ["--epochs", "3", "--checkpoint", c])
    #expect(run.status == 0, "\(run.error)")
    let on = try command.run(
      ["train", "--resume", c, "--epochs", "5", "--patience", "9", "--stiffness-of", "affine=2"]
        + ["--stiffness-of", "activation=3"])
    #expect(on.status == 0, "\(on.error)")
    let back = try command.run(["train", "--resume", c, "--epochs", "1"])
    #expect(back.status == 1 && back.error.contains("expected at most the 1"), "\(back.error)")
  }

  /// One file cannot be two, and what is not finite does not replace what was.
  @Test func checkpointsAreNotLost() throws {
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let c = folder + "c.safetensors"
    let base = ["train", "--layers", "2,4,1", "--data", "saddle"]
    let one = try command.run(base + ["--checkpoint", c, "--out", c])
    #expect(one.status == 64 && one.error.contains("--checkpoint and --out are one file"))
    let diverged = try command.run(
      base + ["--method", "backpropagation", "--optimizer", "gradient", "--rate", "1e300"]
        + ["--epochs", "9", "--checkpoint", c])
    #expect(diverged.status == 1 && diverged.error.contains("diverged"), "\(diverged.error)")
    let state = try CheckpointFile.read(c).state
    #expect(state.arrays.values.allSatisfy { $0.firstNonFinite == nil })
  }

  /// Schedules depend on the number of epochs, and samples are part of a run.
  @Test func scheduledRunsKeepTheirLength() throws {
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let (c, x, y) = (folder + "c.safetensors", folder + "x.csv", folder + "y.csv")
    try "1,2\n3,4\n5,7\n".write(toFile: x, atomically: true, encoding: .utf8)
    try "1\n0\n2\n".write(toFile: y, atomically: true, encoding: .utf8)
    let run = try command.run([
      "train", "--layers", "2,4,3", "--input", x, "--labels", y, "--epochs", "3",
      "--rate-schedule", "cosine", "--checkpoint", c,
    ])
    #expect(run.status == 0, "\(run.error)")
    let longer = try command.run(["train", "--resume", c, "--epochs", "5"])
    #expect(longer.status == 1 && longer.error.contains("--epochs is 5"))
    #expect(longer.error.contains("3: schedules"))
    #expect(try command.run(["train", "--resume", c]).status == 0)
    try "1,2\n3,4\n5,8\n".write(toFile: x, atomically: true, encoding: .utf8)
    let other = try command.run(["train", "--resume", c])
    #expect(other.status == 1 && other.error.contains("samples"))
  }
}
