import ArrayFiles
import Foundation
import LinearAlgebra
import Testing

@testable import SheafCommands

/// Nothing is lost: no call writes over its inputs, and what can be written is written.
struct CallFilesTests {
  private let command = CommandTests()
  private let folder: String

  init() throws {
    folder = NSTemporaryDirectory() + "sheaf-\(UInt64.random(in: 0...UInt64.max))/"
    try FileManager.default.createDirectory(
      atPath: folder + "sub", withIntermediateDirectories: true)
    for path in ["t.csv", "other.csv"] {
      try "a,b,y\n1,2,0.5\n2,3,0.25\n4,1,1\n".write(
        toFile: folder + path, atomically: true, encoding: .utf8)
    }
    for path in ["n.npz", "s.safetensors"] {
      let made = try command.run(["init", "--layers", "2,3,1", "--out", folder + path])
      #expect(made.status == 0, "\(made.error)")
    }
    let manager = FileManager.default
    try manager.createSymbolicLink(atPath: folder + "link.csv", withDestinationPath: "t.csv")
    try manager.createSymbolicLink(atPath: folder + "away.csv", withDestinationPath: "none.csv")
    try manager.createSymbolicLink(atPath: folder + "way", withDestinationPath: "sub/..")
    try manager.linkItem(atPath: folder + "t.csv", toPath: folder + "hard.csv")
  }

  private func contents() throws -> [String: Data] {
    var result: [String: Data] = [:]
    for name in try FileManager.default.contentsOfDirectory(atPath: folder) {
      result[name] = FileManager.default.contents(atPath: folder + name)
    }
    return result
  }

  private func run(_ call: String) throws -> CommandTests.Outcome {
    try command.run(call.replacingOccurrences(of: "%", with: folder).words())
  }

  @Test func inputsAndOutputsAreDifferentFiles() throws {
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let flow = "flow %n.npz --input %t.csv#a,b"
    let train = "train --layers 2,3,1 --input %t.csv#a,b --target %other.csv#y --epochs 1"
    let compare = "compare --method backpropagation --seeds 1 --task"
    let before = try contents()
    for (call, words) in [
      (flow + " --trajectory %t.csv", ["--trajectory", "--input", "t.csv"]),
      (flow + " --trajectory %link.csv", ["--trajectory", "--input"]),
      (flow + " --trajectory %hard.csv", ["--trajectory", "--input"]),
      (flow + " --trajectory %sub/../t.csv", ["--trajectory", "--input"]),
      (flow + " --trajectory %way/t.csv", ["--trajectory", "--input"]),
      (flow + " --final %n.npz", ["--final", "NETWORK"]),
      (flow + " --initial %s.npz --final %s.npz", ["--final", "--initial"]),
      (flow + " --pin output=%other.csv#y --trajectory %other.csv", ["--trajectory", "--pin"]),
      (
        "equilibrate %n.npz --input %t.csv#a,b --per-sample %o.csv --per-neuron %o.csv",
        ["--per-sample and --per-neuron are one file"]
      ),
      (
        "equilibrate %n.npz --input %t.csv#a,b --soft-pin output=%other.csv#y@2 --per-neuron %other.csv",
        ["--per-neuron", "--soft-pin"]
      ),
      ("forward %n.npz --input %t.csv#a,b --output %t.csv", ["--output", "--input"]),
      (train + " --history %t.csv", ["--history", "--input"]),
      (train + " --history %other.csv", ["--history", "--target"]),
      (
        "train --network %s.safetensors --data saddle --checkpoint %s.safetensors",
        ["--checkpoint", "--network"]
      ),
      (
        "train --network %s.safetensors --data saddle --out %s.safetensors", ["--out", "--network"]
      ),
      (
        train + " --checkpoint %o.safetensors --out %sub/../o.safetensors",
        ["--checkpoint and --out are one file"]
      ),
      (compare + " saddle --csv %o.csv --runs %o.csv", ["--csv and --runs are one file"]),
      (compare + " saddle --csv %away.csv --runs %none.csv", ["--csv and --runs are one file"]),
      (
        compare + " 'a: --layers 2,3,1 --input %t.csv#a,b --target %other.csv#y' --runs %t.csv",
        ["--runs", "--input"]
      ),
      ("convert %n.npz %n.npz", ["OUT", "NETWORK"]),
      ("convert %n.npz %way/n.npz", ["OUT", "NETWORK"]),
    ] {
      let run = try run(call)
      #expect(run.status == 64 && run.output.isEmpty, "\(call): \(run.error)")
      #expect(run.error.split(separator: "\n").count == 1, "\(call): \(run.error)")
      for word in words { #expect(run.error.contains(word), "\(call): \(run.error)") }
    }
    #expect(try contents() == before)
  }

  /// A link stays one, to the file that is written; a file keeps its permissions; a checkpoint is not written
  /// over by a network.
  @Test func filesStayWhatTheyAre() throws {
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let manager = FileManager.default
    for ending in ["npz", "onnx", "safetensors"] {
      let (link, file) = (folder + "link." + ending, folder + "sub/real." + ending)
      try manager.createSymbolicLink(atPath: link, withDestinationPath: "sub/real." + ending)
      try Data().write(to: URL(fileURLWithPath: file))
      try manager.setAttributes([.posixPermissions: 0o600], ofItemAtPath: file)
      #expect(try command.run(["init", "--layers", "2,1", "--out", link]).status == 0)
      #expect(try manager.destinationOfSymbolicLink(atPath: link) == "sub/real." + ending)
      let attributes = try manager.attributesOfItem(atPath: file)
      #expect(attributes[.posixPermissions] as? Int == 0o600)
      #expect(attributes[.size] as? Int ?? 0 > 0)
    }
    let kept = folder + "kept.safetensors"
    let train = "train --layers 2,2,1 --data saddle --epochs 1 --checkpoint \(kept)"
    #expect(try command.run(train.words()).status == 0)
    let before = try Data(contentsOf: URL(fileURLWithPath: kept))
    let run = try command.run(["init", "--layers", "2,1", "--out", kept])
    #expect(run.status == 1 && run.complaint.contains("is a checkpoint"), "\(run.error)")
    #expect(try Data(contentsOf: URL(fileURLWithPath: kept)) == before)
  }

  /// A full standard output: one line, exit 1, and every other output.
  @Test func whatCanBeWrittenIsWritten() throws {
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let input = "--input %t.csv#a,b"
    for (call, files) in [
      ("inspect %n.npz --figure %f.svg", ["f.svg"]), ("inspect %n.npz --json", []),
      ("forward %n.npz \(input)", []),
      ("forward %n.npz \(input) --json --output %f.npy", ["f.npy"]),
      ("forward %n.npz \(input) --output -", []),
      ("flow %n.npz \(input) --final %f.npz --trajectory %f.csv", ["f.npz", "f.csv"]),
      (
        "equilibrate %n.npz \(input) --pin output=1 --per-sample %f.csv --per-neuron %g.csv --json",
        ["f.csv", "g.csv"]
      ),
      (
        "train --layers 2,3,1 --data saddle --epochs 1 --history %f.csv --out %f.npz "
          + "--checkpoint %f.safetensors",
        ["f.csv", "f.npz", "f.safetensors"]
      ),
      (
        "compare --task 'a: --data saddle --layers 2,3,1 --epochs 1' --method backpropagation --seeds 1 "
          + "--csv %f.csv --runs %g.csv", ["f.csv", "g.csv"]
      ),
      ("convert %n.npz %f.onnx", ["f.onnx"]), ("init --layers 2,1 --out %f.npz --json", ["f.npz"]),
      ("--help", []), ("flow --help", []), ("--version", []),
    ] {
      for name in ["f.svg", "f.npy", "f.npz", "f.csv", "g.csv", "f.safetensors", "f.onnx"] {
        try? FileManager.default.removeItem(atPath: folder + name)
      }
      let words = try call.replacingOccurrences(of: "%", with: folder).words()
      let full = try #require(FileHandle(forWritingAtPath: "/dev/full"))
      let run = try command.run(words, output: full)
      #expect(run.status == 1, "\(call): \(run.error)")
      #expect(
        run.complaint.hasPrefix("error: standard output: ")
          && run.complaint.contains("No space left"),
        "\(call): \(run.error)")
      #expect(run.complaint.split(separator: "\n").count == 1, "\(call): \(run.error)")
      for name in files {
        #expect(FileManager.default.fileExists(atPath: folder + name), "\(call): \(name)")
      }
    }
  }

  /// A reader that has gone is a file that cannot be written, and no trap.
  @Test func closedPipesAreTold() throws {
    defer { try? FileManager.default.removeItem(atPath: folder) }
    for call in [
      "inspect %n.npz", "flow %n.npz --input %t.csv#a,b --json --final %f.npz", "--help",
    ] {
      let pipe = Pipe()
      try pipe.fileHandleForReading.close()
      let run = try command.run(
        call.replacingOccurrences(of: "%", with: folder).words(),
        output: pipe.fileHandleForWriting)
      #expect(run.status == 1, "\(call): \(run.error)")
      #expect(
        run.complaint == "error: standard output: cannot be written: Broken pipe\n", "\(call)")
    }
    #expect(FileManager.default.fileExists(atPath: folder + "f.npz"))
  }

  /// A checkpoint is replaced only where that is asked for; a resumed run goes on with its own.
  @Test func checkpointsAreNotReplaced() throws {
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let train = "train --layers 2,3,1 --data saddle --seed 1"
    let (c, d) = (folder + "c.safetensors", folder + "d.safetensors")
    func epochs(_ path: String) throws -> [UInt64]? {
      try CheckpointFile.read(path).state.numbers["epoch"]
    }
    #expect(try run(train + " --epochs 2 --checkpoint %c.safetensors").status == 0)
    let bytes = FileManager.default.contents(atPath: c)
    let refused = try run(train + " --epochs 1 --checkpoint %c.safetensors")
    #expect(refused.status == 1 && refused.error.contains("c.safetensors: is there already"))
    #expect(refused.error.contains("--overwrite") && refused.error.contains("--resume"))
    #expect(FileManager.default.contents(atPath: c) == bytes)
    // --resume goes on updating its file, whatever way leads to it.
    #expect(try run("train --resume %c.safetensors --epochs 3").status == 0)
    #expect(try epochs(c) == [3])
    let same = try run("train --resume %c.safetensors --checkpoint %way/c.safetensors --epochs 4")
    #expect(same.status == 0, "\(same.error)")
    #expect(try epochs(c) == [4])
    // Another checkpoint leaves the first as it is, and must itself be new.
    #expect(
      try run("train --resume %c.safetensors --checkpoint %d.safetensors --epochs 5").status == 0)
    #expect(try (epochs(c), epochs(d)) == ([4], [5]))
    #expect(try run("train --resume %c.safetensors --checkpoint %d.safetensors").status == 1)
    #expect(try run(train + " --epochs 1 --checkpoint %c.safetensors --overwrite").status == 0)
    #expect(try epochs(c) == [1])
    #expect(!FileManager.default.fileExists(atPath: c + ".lock"))
  }

  /// What is in use is locked; a lock of a process that is gone is none.
  @Test func checkpointsInUseAreLocked() throws {
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let train = "train --layers 2,3,1 --data saddle --epochs 1 --checkpoint %c.safetensors"
    do {
      let lock = try FileLock(folder + "c.safetensors")
      let refused = try run(train)
      #expect(
        refused.status == 1 && refused.error.contains("c.safetensors: another run is using it"))
      withExtendedLifetime(lock) {}
    }
    try Data().write(to: URL(fileURLWithPath: folder + "c.safetensors.lock"))
    let whole = try run(train)
    #expect(whole.status == 0, "\(whole.error)")
    #expect(!FileManager.default.fileExists(atPath: folder + "c.safetensors.lock"))
  }

  /// Data that have moved are the same data.
  @Test func movedDataAreAccepted() throws {
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let run = try run(
      "train --network %n.npz --input %t.csv#a,b --target %t.csv#y --epochs 1 --checkpoint "
        + "%c.safetensors")
    #expect(run.status == 0, "\(run.error)")
    let manager = FileManager.default
    try manager.moveItem(atPath: folder + "t.csv", toPath: folder + "sub/t.csv")
    try manager.moveItem(atPath: folder + "n.npz", toPath: folder + "sub/n.npz")
    let resume = "train --resume %c.safetensors --network %sub/n.npz --epochs 2 --input "
    let moved = try self.run(resume + "%sub/t.csv#0:2 --target %sub/t.csv#2")
    #expect(moved.status == 0, "\(moved.error)")
    let other = try self.run(resume + "%sub/t.csv#b,a --target %sub/t.csv#y")
    #expect(other.status == 1 && other.error.contains("the samples differ"), "\(other.error)")
    #expect(
      try self.run("init --layers 2,3,1 --seed 9 --out %sub/m.npz").status == 0)
    let network = try self.run(
      "train --resume %c.safetensors --network %sub/m.npz --epochs 3 --input %sub/t.csv#a,b "
        + "--target %sub/t.csv#y")
    #expect(network.status == 1 && network.error.contains("network is not the one"))
  }
}
