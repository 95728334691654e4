import ArrayFiles
import Foundation
import LinearAlgebra
import Testing

@testable import SheafCommands

/// What makes results easy to read: tables by sample and by neuron, trajectories, random networks, widths.
struct ConvenienceTests {
  private let command = CommandTests()
  private let folder: String

  init() throws {
    folder = NSTemporaryDirectory() + "sheaf-\(UInt64.random(in: 0...UInt64.max))/"
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
  }

  private func run(_ call: String) throws -> CommandTests.Outcome {
    try command.run(call.replacingOccurrences(of: "%", with: folder).words())
  }

  /// The rows of a CSV file as texts, by column.
  private func columns(_ path: String) throws -> [String: [String]] {
    let rows = try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n").map {
      $0.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
    }
    var result: [String: [String]] = [:]
    for (c, name) in rows[0].enumerated() { result[name] = rows.dropFirst().map { $0[c] } }
    return result
  }

  private func makeNetwork() throws {
    let made = try run("init --layers 2,6,3 --seed 4 --out %n.npz")
    #expect(made.status == 0, "\(made.error)")
    try NPZ.write(
      [
        "x": NumericArray(shape: [5, 2], elements: [1, -2, 3, 0.5, -1, 0, 2, 2, -3, 1]),
        "y": NumericArray(
          shape: [5, 3], elements: [1, 0, 0, 0, 1, 0, 0, 0, 1, 0.5, 0.25, 0.25, 1, 0, 0]),
      ], to: folder + "d.npz")
  }

  /// The means of the tables are the report's numbers.
  @Test(arguments: ["", " --coupling 0.5", " --coupling 2 --output-energy crossEntropy"])
  func tablesAddUp(options: String) throws {
    defer { try? FileManager.default.removeItem(atPath: folder) }
    try makeNetwork()
    let run = try run(
      "equilibrate %n.npz --input %d.npz#x --pin output=%d.npz#y --per-sample %s.csv "
        + "--per-neuron %e.csv --json" + options)
    #expect(run.status == 0, "\(run.error)")
    let (samples, neurons) = (try columns(folder + "s.csv"), try columns(folder + "e.csv"))
    func mean(_ name: String) -> Double {
      let values = (samples[name] ?? []).compactMap { Double($0) }
      #expect(values.count == 5, "\(name)")
      return values.reduce(0, +) / 5
    }
    func isNear(_ a: Double?, _ b: Double) -> Bool { abs((a ?? .nan) - b) <= 1e-12 * max(1, b) }
    #expect(samples["status"] == [String](repeating: "converged", count: 5))
    #expect(isNear(run.json["energy"] as? Double, mean("energy")))
    #expect(isNear(run.json["totalDiscord"] as? Double, mean("totalDiscord")))
    let edges = try #require(run.json["edges"] as? [[String: Any]])
    #expect(edges.count == (options.isEmpty ? 3 : 4))
    for edge in edges {
      let name = try #require(edge["edge"] as? String)
      let discord = try #require(edge["discord"] as? Double)
      #expect(isNear(discord, mean("discord:\(name)")), "\(name)")
      let rows = try #require(neurons["edge"]).indices.filter { neurons["edge"]![$0] == name }
      #expect(rows.count == (["z1": 6, "a1": 6, "z2": 3, "output": 3][name] ?? 0), "\(name)")
      let values = rows.compactMap { Double(neurons["meanDiscord"]![$0]) }
      if options.contains("cross") && name == "output" {
        #expect(values.isEmpty)
      } else {
        #expect(isNear(discord, values.reduce(0, +)), "\(name)")
      }
    }
    // With everything held at the output, predicted − actual is minus the pin's force.
    if options.isEmpty {
      let pins = try #require(run.json["pinForces"] as? [String: [String: Any]])
      let forces = try #require(pins["output"]?["forces"] as? [[Double]])
      let rows = neurons["edge"]!.indices.filter { neurons["edge"]![$0] == "z2" }
      for (i, row) in rows.enumerated() {
        let force = forces.reduce(0) { $0 + $1[i] } / 5
        #expect(abs((Double(neurons["meanDiscrepancy"]![row]) ?? .nan) + force) < 1e-10)
      }
    }
  }

  /// Labels, in words as well, are the pins of their one-hot vectors with cross-entropy; squared error on
  /// logits is what is asked for, with a hint.
  @Test func labelsArePins() throws {
    defer { try? FileManager.default.removeItem(atPath: folder) }
    try makeNetwork()
    try Data("c\nbee\nant\ncow\nant\nbee\n".utf8).write(to: URL(fileURLWithPath: folder + "l.csv"))
    try NPZ.write(
      ["y": NumericArray(shape: [5, 3], elements: [0, 1, 0, 1, 0, 0, 0, 0, 1, 1, 0, 0, 0, 1, 0])],
      to: folder + "h.npz")
    let call = "equilibrate %n.npz --input %d.npz#x --json"
    for energy in ["crossEntropy", "squared"] {
      let labels = try run(
        call + " --labels %l.csv#c" + (energy == "squared" ? " --output-energy squared" : ""))
      let pins = try run(call + " --pin output=%h.npz#y --coupling 1 --output-energy \(energy)")
      #expect(labels.status == 0 && pins.status == 0, "\(labels.error)\(pins.error)")
      let found = try #require(labels.json["energy"] as? Double)
      #expect(found > 0.01 && found == pins.json["energy"] as? Double, "\(energy)")
      #expect(labels.error.contains("--labels: classes ant, bee, cow, in this order"))
    }
    let wrong = try run(call + " --labels %l.csv#c --pin output=%h.npz#y")
    #expect(wrong.status != 0 && wrong.error.contains("--labels"), "\(wrong.error)")
  }

  /// A trajectory ends in the final stalks.
  @Test(arguments: ["euler", "rkc", "exact"]) func trajectoriesHaveStalks(method: String) throws {
    defer { try? FileManager.default.removeItem(atPath: folder) }
    try makeNetwork()
    let flow = "flow %n.npz --input %d.npz#x --method \(method) --final %f.npz --trajectory %t.csv"
    #expect(try run(flow + " --trajectory-stalks all").status == 0)
    let end = try NPZ.read(folder + "f.npz")
    let table = try columns(folder + "t.csv")
    #expect(table.count == 4 + 3 + 6 + 6)
    for (stalk, count) in [("z1", 6), ("a1", 6), ("z2", 3)] {
      for i in 0..<count {
        let last = Double(table["\(stalk)[\(i)]"]?.last ?? "") ?? .nan
        #expect(abs(last - end[stalk]!.elements[i]) < 1e-12)
      }
    }
    #expect(try run(flow + " --trajectory-stalks 'z1[1, 4]'").status == 0)
    #expect(Set(try columns(folder + "t.csv").keys).isSuperset(of: ["z1[1]", "z1[4]"]))
    #expect(try columns(folder + "t.csv").count == 4 + 3 + 2)
  }

  /// The steps that a flow says it needs are enough, and not many times too many.
  @Test(arguments: ["euler", "rkc"]) func stepsAreEstimated(method: String) throws {
    let flow =
      "flow \(command.b1) --input \(command.b1)#X --samples columns --method \(method) --json --steps "
    let short = try run(flow + "20")
    #expect(short.status == 1 && short.json["status"] as? String == "stepLimit")
    let word = try #require(short.error.split(separator: " ").last.map(String.init))
    let steps = try #require(Int(word.trimmingCharacters(in: .newlines)))
    #expect(short.error.contains("--steps \(steps)"), "\(short.error)")
    let long = try run(flow + "\(steps)")
    #expect(long.status == 0, "\(steps): \(long.error)")
    // The steps of rkc grow on the way.
    if method == "euler" { #expect((long.json["steps"] as? Int).map { steps < 3 * $0 } ?? false) }
  }

  /// The end of a time that was asked for is not called convergence in words.
  @Test func timesAreReached() throws {
    let run = try run(
      "flow \(command.b1) --input \(command.b1)#X --samples columns --method exact --time 20")
    #expect(run.status == 0 && run.output.hasPrefix("the asked time reached"), "\(run.output)")
    #expect(!run.output.contains("converged"))
  }

  @Test func outputsAreTablesToo() throws {
    defer { try? FileManager.default.removeItem(atPath: folder) }
    try makeNetwork()
    let forward = "forward %n.npz --input %d.npz#x"
    let json = try run(forward + " --json --output %y.csv")
    #expect(try run(forward + " --output %y.npy").status == 0)
    let rows = try #require(json.json["output"] as? [[Double]])
    let array = try ArrayFile.read(folder + "y.npy").elements
    #expect(array.count == 15)
    #expect(try ArrayFile.read(folder + "y.csv").elements == array)
    #expect(zip(array, rows.joined()).allSatisfy { abs($0 - $1) <= 1e-15 * max(1, abs($0)) })
    let printed = try run(forward + " --output -")
    #expect(
      try printed.output == String(contentsOfFile: folder + "y.csv", encoding: .utf8))
  }

  /// A random network is the one that training starts from.
  @Test func initialNetworksAreThoseOfTrain() throws {
    defer { try? FileManager.default.removeItem(atPath: folder) }
    func losses(_ start: String) throws -> [Double] {
      let run = try run("train \(start) --data saddle --epochs 1 --seed 3 --json")
      #expect(run.status == 0, "\(run.error)")
      return (run.json["history"] as? [String: Any])?["trainLoss"] as? [Double] ?? []
    }
    let whole = try losses("--layers 2,5,1")
    #expect(whole.count == 2)
    for kind in ["npz", "safetensors", "onnx"] {
      #expect(try run("init --layers 2,5,1 --seed 3 --out %n.\(kind)").status == 0)
      #expect(try losses("--network %n.\(kind)") == whole, "\(kind)")
    }
    #expect(try run("init --layers 2,5,1 --seed 4 --out %n.npz").status == 0)
    #expect(try losses("--network %n.npz") != whole)
  }

  @Test func nothingComparedIsAFailure() throws {
    let run = try run(
      "compare --task 'a: --data saddle --layers 2,3,1 --epochs 2' --seeds 2 --json --method "
        + "'b: --method backpropagation --optimizer gradient --rate 1e300'")
    #expect(run.status == 1 && run.error.contains("all 2 runs diverged"), "\(run.error)")
    #expect(run.json["comparison"] is [Any])
  }

  @Test func versionIsOneLine() throws {
    let run = try run("--version")
    #expect(run.status == 0 && run.output == Version.number + "\n" && run.error.isEmpty)
  }

  /// Tables fit their width and lose no column.
  @Test(arguments: UInt64(0)..<20) func tablesFit(seed: UInt64) throws {
    var g = RandomGenerator(seed: seed)
    let columns = g.integer(1...20)
    func word(_ c: Int) -> String {
      "\(c)" + String(repeating: "x", count: g.integer(0...(g.integer(0...4) == 0 ? 150 : 12)))
    }
    let rows = (0..<5).map { _ in (0..<columns).map { word($0) } }
    let text = TextOutput.table(rows)
    for line in text.split(separator: "\n") { #expect(line.count <= 100, "seed \(seed): \(text)") }
    let blocks = text.components(separatedBy: "\n\n").map { $0.split(separator: "\n") }
    var seen = 0
    for block in blocks {
      #expect(block.count == 5, "seed \(seed): \(text)")
      seen += block[0].split(separator: " ").count - 1
    }
    #expect(seen == columns - 1, "seed \(seed): \(text)")
  }

  /// A file's own names stand beside z1, a1, … and pins know them.
  @Test func tablesHaveTheFilesNames() throws {
    let network = ONNXTests.path("digits-residual")
    let input = network.replacingOccurrences(of: ".onnx", with: "-expected.npz") + "#input"
    let json = try run("flow \(network) --input \(input) --steps 2 --json").json
    let edges = try #require(json["edges"] as? [[String: Any]])
    #expect(edges.contains { $0["tensor"] as? String == "/Add_output_0" })
    for call in ["flow \(network) --input \(input) --steps 2", "inspect \(network)"] {
      let text = try run(call).output
      #expect(text.contains("/Add_output_0") && text.contains("in the file"), "\(text)")
      for line in text.split(separator: "\n") { #expect(line.count <= 100, "\(line)") }
    }
  }
}
