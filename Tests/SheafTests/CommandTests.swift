import ArrayFiles
import Foundation
import LinearAlgebra
import Testing

/// The command's contract: exit status, one line of error, one JSON object.
struct CommandTests {
  struct Outcome {
    let status: Int32
    let output: String
    let error: String
    /// Standard error without what the call takes for granted.
    var complaint: String {
      error.split(separator: "\n").filter { !$0.hasPrefix("note: ") }.map { $0 + "\n" }.joined()
    }
    var json: [String: Any] {
      (try? JSONSerialization.jsonObject(with: Data(output.utf8))) as? [String: Any] ?? [:]
    }
  }

  /// Runs the built command.
  func sheaf(_ arguments: String...) throws -> Outcome { try run(arguments) }

  /// The built command: the tests run from the folder that it is built into.
  static let executable = URL(fileURLWithPath: CommandLine.arguments[0])
    .deletingLastPathComponent().appendingPathComponent("sheaf")

  /// - Parameters:
  ///   - output: where standard output goes; nil for the outcome.
  ///   - meanwhile: called when the process has started.
  func run(
    _ arguments: [String], executable: URL = executable, output file: FileHandle? = nil,
    meanwhile: (Process) -> Void = { _ in }
  ) throws -> Outcome {
    let process = Process()
    process.executableURL = executable
    process.arguments = arguments
    let (out, err) = (Pipe(), Pipe())
    process.standardOutput = file ?? out
    process.standardError = err
    try process.run()
    meanwhile(process)
    let output = file == nil ? out.fileHandleForReading.readDataToEndOfFile() : Data()
    let error = err.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    return Outcome(
      status: process.terminationStatus, output: String(decoding: output, as: UTF8.self),
      error: String(decoding: error, as: UTF8.self))
  }

  var b1: String { Reference.folder.appendingPathComponent("b1_241_identity.npz").path }

  @Test func inspectListsTheSheaf() throws {
    let json = try sheaf("inspect", b1, "--json").json
    #expect(
      (json["vertices"] as! [[String: Any]]).map { $0["name"] as! String } == [
        "x", "z1", "a1", "z2",
      ])
    #expect(
      (json["edges"] as! [[String: Any]]).map { $0["kind"] as! String } == [
        "affine", "activation", "affine",
      ])
    #expect(json["freeDimension"] as! Int == 9)
    #expect(json["parameters"] as! Int == 17)
  }

  @Test func forwardIsTheReference() throws {
    let r = try Reference("b1_241_identity")
    let run = try sheaf("forward", b1, "--input", b1 + "#X", "--samples", "columns", "--json")
    let output = (run.json["output"] as! [[Double]])[0][0]
    #expect(abs(output - r["forward_output"][0, 0]) < 1e-14)
    #expect(run.status == 0)
  }

  @Test func flowFollowsThePapersRule() throws {
    let run = try sheaf(
      "flow", b1, "--input", b1 + "#X", "--samples", "columns", "--initial", b1,
      "--initial-prefix", "init_", "--step", "0.01", "--stop", "change", "--tolerance", "1e-12",
      "--json")
    #expect(run.status == 0)
    #expect(run.json["steps"] as! Int == 8592)
    #expect(run.json["crossings"] as! Int == 8)
    #expect((run.json["forwardError"] as! Double) < 1e-9)
    #expect(run.json["status"] as! String == "converged")
  }

  /// Every integrator ends at the forward pass, with the rate that λ_min predicts; the exact one tells what
  /// happened on the way.
  @Test func integratorsAgree() throws {
    for method in ["euler", "rkc", "exact"] {
      let run = try sheaf(
        "flow", b1, "--input", b1 + "#X", "--samples", "columns", "--initial", b1,
        "--initial-prefix", "init_", "--method", method, "--tolerance", "1e-10", "--json",
        method == "euler" ? "--step=0.05" : "--alpha=1")
      #expect(run.status == 0, "\(method)")
      #expect((run.json["forwardError"] as! Double) < 1e-8)
      let rate = run.json["predictedRate"] as! Double
      #expect(abs(rate - 0.254916) < 1e-5)
      #expect(abs((run.json["measuredRate"] as! Double) / rate - 1) < 0.02)
      #expect(run.json["stableStep"] is Double)
      #expect((run.json["events"] as? [[String: Any]])?.count == (method == "exact" ? 4 : nil))
    }
    let common = ["flow", b1, "--input", b1 + "#X", "--samples", "columns", "--method", "exact"]
    let f = NSTemporaryDirectory() + "sheaf-\(UInt64.random(in: 0...UInt64.max)).csv"
    let timed = try run(common + ["--time", "2.5", "--trajectory", f, "--json"])
    #expect(timed.status == 0 && timed.json["time"] as! Double == 2.5)
    #expect(try ArrayFile.readTable(f).rowCount > 200)
    #expect(try run(common + ["--time", "2.5"]).output.contains("linear segments"))
    for (options, word) in [
      (["--stop", "change"], "--stop"), (["--step", "1"], "--step"), (["--time", "-1"], "--time"),
    ] {
      let refused = try run(common + options)
      #expect(refused.status == 64 && refused.error.contains(word))
    }
    let smooth = try run(common + ["--output-activation", "sigmoid"])
    #expect(smooth.status == 1 && smooth.error.contains("sigmoid"))
  }

  @Test func flowWritesStalksAndTrajectory() throws {
    let f = NSTemporaryDirectory() + "sheaf-\(UInt64.random(in: 0...UInt64.max))"
    let run = try sheaf(
      "flow", b1, "--input", b1 + "#X", "--samples", "columns", "--pin", "z1[0]=0.5",
      "--soft-pin", "a1[2]=1@0.5", "--trajectory", f + ".csv", "--final", f + ".npz", "--json")
    #expect(run.status == 0)
    #expect(run.json["forwardError"] == nil)
    let stalks = try NPZ.read(f + ".npz")
    #expect(stalks["z1"]!.shape == [4, 1])
    #expect(stalks["z1"]!.elements[0] == 0.5)
    let table = try ArrayFile.readTable(f + ".csv")
    #expect(table.header.prefix(4) == ["step", "time", "totalDiscord", "crossings"])
    #expect(table.rowCount == (run.json["steps"] as! Int) + 1)
  }

  @Test func trainingImprovesAndCanBeReadAgain() throws {
    let f = NSTemporaryDirectory() + "sheaf-\(UInt64.random(in: 0...UInt64.max))"
    for method in ["equilibrium", "backpropagation", "flow"] {
      let run = try sheaf(
        "train", "--layers", "2,12,1", "--data", "paraboloid", "--method", method, "--epochs", "30",
        "--steps-per-epoch", "100", "--history", f + ".csv", "--out", f + ".npz", "--json",
        method == "flow" ? "--step=0.005" : "--rate=0.01")
      #expect(run.status == 0)
      let losses = (run.json["history"] as! [String: Any])["trainLoss"] as! [Double]
      #expect(losses.count == 31 && losses[30] < 0.9 * losses[0], "\(method)")
      #expect(try String(contentsOfFile: f + ".csv", encoding: .utf8).hasPrefix("epoch,step,"))
      #expect(try sheaf("inspect", f + ".npz").status == 0)
    }
  }

  @Test func networksAreConvertedAndDrawn() throws {
    let folder = NSTemporaryDirectory() + "sheaf-convert-\(UInt64.random(in: 0...UInt64.max))/"
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let (conv, residual) = (ONNXTests.path("digits-conv"), ONNXTests.path("digits-residual"))
    let input = conv.replacingOccurrences(of: ".onnx", with: "-expected.npz") + "#input"
    func output(_ network: String) throws -> [[Double]] {
      try sheaf("forward", network, "--input", input, "--json").json["output"] as! [[Double]]
    }
    for name in ["a.onnx", "a.safetensors"] {
      let run = try sheaf("convert", conv, folder + name, "--json")
      #expect(run.status == 0 && run.json["parameters"] as? Int == 1898)
      #expect(try output(folder + name) == output(conv))
    }
    for name in ["b.safetensors", "b.npz"] {
      let run = try sheaf("convert", residual, folder + name)
      #expect(run.status == 1 && run.error.contains("an .onnx file any network"))
      #expect(!FileManager.default.fileExists(atPath: folder + name))
    }
    #expect(try sheaf("convert", residual, folder + "b.txt").status == 64)
    let drawn = try sheaf("inspect", residual, "--figure", folder + "b.svg", "--json")
    #expect(drawn.json["freeDimension"] as? Int == 586)
    let edges = drawn.json["edges"] as! [[String: Any]]
    #expect(edges.count == 13)
    #expect(
      (edges[0]["restrictionMaps"] as! [String: [Int]]) == ["from": [48, 112], "to": [48, 48]])
    #expect(try String(contentsOfFile: folder + "b.svg", encoding: .utf8).contains("</svg>"))
    // Without Graphviz the graph is kept, but not over another file.
    for (k, isWritten) in [true, true, false].enumerated() {
      if k == 2 { try "mine".write(toFile: folder + "c.dot", atomically: true, encoding: .utf8) }
      let bare = try run(
        ["PATH=/nowhere", Self.executable.path, "inspect", residual, "--figure", folder + "c.svg"],
        executable: URL(fileURLWithPath: "/usr/bin/env"))
      #expect(bare.status == 1 && bare.error.contains("graphviz") && !bare.output.isEmpty)
      #expect(!FileManager.default.fileExists(atPath: folder + "c.svg"))
      let graph = try String(contentsOfFile: folder + "c.dot", encoding: .utf8)
      #expect(isWritten ? graph.hasPrefix("digraph {") : graph == "mine")
    }
    // A tensor of the file names a stalk.
    let pinned = try sheaf(
      "flow", residual, "--input", input, "--pin", "/Add_output_0[0]=1", "--steps", "3", "--json")
    #expect(pinned.status == 1 && pinned.json["status"] as? String == "stepLimit")
    // Training that could not be saved does not start.
    let refused = try sheaf(
      "train", "--network", residual, "--data", "digits", "--out", folder + "c.npz")
    #expect(refused.status == 1 && refused.error.contains("an .npz file holds a chain"))
  }

  @Test func errorsAreOneLineAndTheirStatusSaysWhose() throws {
    let x = b1 + "#X"
    let usage = [
      ["flow", b1, "--input", x, "--step", "-1"], ["flow", b1, "--input", x, "--tolerance", "0"],
      ["flow", b1, "--input", x, "--soft-pin", "z1=0@-1"], ["flow", b1, "--nonsense"], ["nonsense"],
      ["flow", b1, "--input", x, "--samples", "columns", "--pin", "z1"],
      ["train", "--layers", "2,0,1", "--data", "saddle"],
      ["train", "--layers", "2", "--data", "saddle"],
      ["train", "--layers", "2,3,1", "--data", "saddle", "--batch", "0"],
      ["train", "--layers", "2,9223372036854775807,1", "--data", "saddle"],
      ["train", "--layers", "2,99999999999,1", "--data", "saddle"],
      ["train", "--layers", "2,3,1", "--data", "saddle", "--initial", "foo"],
      ["train", "--layers", "2,3,1", "--data", "saddle", "--target", x],
      ["flow", b1, "--input", x, "--samples", "columns", "--pin", "z1[0:999999999999]=1"],
      ["flow", b1, "--input", x, "--samples", "columns", "--pin", "z1[4]=0"],
      ["flow", b1, "--input", x, "--samples", "columns", "--final", "stalks.npy"],
    ]
    let work = [
      ["inspect", "none.npz"], ["inspect", b1, "--prefix", "q_"], ["inspect", "network.onnx"],
      ["forward", b1, "--input", b1 + "#nonsense"], ["forward", b1, "--input", b1 + "#W2"],
      ["flow", b1, "--input", x, "--samples", "columns", "--pin", "z9=0"],
      ["flow", b1, "--input", x, "--samples", "columns", "--soft-pin", "output=0.5@1e300"],
      ["flow", b1, "--input", x, "--samples", "columns", "--pin", "output=1e308"],
      ["flow", b1, "--input", x, "--samples", "columns", "--pin", "z1=0", "--pin", "z1[2]=1"],
      ["flow", b1, "--input", x, "--samples", "columns", "--step", "5"],
      ["flow", b1, "--input", x, "--samples", "columns", "--step", "5", "--allow-unstable"],
      ["flow", b1, "--input", x, "--samples", "columns", "--steps", "3"],
      ["flow", b1, "--input", x, "--samples", "columns", "--final", "/nowhere/at/all.npz"],
      ["train", "--layers", "3,4,1", "--data", "saddle"],
    ]
    for (status, cases) in [(Int32(64), usage), (1, work)] {
      for arguments in cases {
        let run = try run(arguments)
        #expect(run.status == status, "\(arguments): \(run.error)")
        #expect(run.error.hasPrefix("error: "), "\(arguments): \(run.error)")
        #expect(run.error.split(separator: "\n").count == 1, "\(arguments): \(run.error)")
      }
    }
    let pin = try sheaf(
      "flow", b1, "--input", x, "--samples", "columns", "--pin", "z9=0", "--json")
    #expect(pin.error.contains("x, z1, a1, z2, output"))
  }
}
