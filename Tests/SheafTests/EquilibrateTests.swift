import ArrayFiles
import Foundation
import LinearAlgebra
import ModelFormats
import NeuralSheaves
import PiecewiseEnergies
import Testing

/// `sheaf equilibrate`: where networks with pins come to rest.
struct EquilibrateTests {
  let command = CommandTests()
  let folder: String

  init() throws {
    folder = NSTemporaryDirectory() + "sheaf-\(UInt64.random(in: 0...UInt64.max))/"
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
  }

  /// Runs the command on the network and input of a reference.
  func equilibrate(
    _ name: String, _ arguments: String..., subcommand: String = "equilibrate"
  ) throws -> CommandTests.Outcome {
    let path = Reference.folder.appendingPathComponent(name + ".npz").path
    return try command.run(
      [subcommand, path, "--input", path + "#X", "--samples", "columns"] + arguments)
  }

  private func forces(_ run: CommandTests.Outcome, _ stalk: String) -> [[Double]]? {
    let all = run.json["pinForces"] as? [String: [String: Any]]
    return all?[stalk]?["forces"] as? [[Double]]
  }

  @Test func pinnedNetworksEndAsTheReferences() throws {
    for (name, pin) in [
      ("b4_241_hardpin_z0c0", ["--pin", "z1[0]=0.5"]),
      ("b5_241_softpin_z0_g1", ["--soft-pin", "z1=0@1"]),
    ] {
      let r = try Reference(name)
      let run = try equilibrate(name, pin[0], pin[1], "--final", folder + "end.npz", "--json")
      #expect(run.status == 0 && run.json["status"] as? String == "converged", "\(run.error)")
      let end = try NPZ.read(folder + "end.npz")
      for key in ["z1", "a1", "z2"] {
        #expect(relativeError(end[key]!.matrix!, r["final_" + key]) < 1e-9, "\(name) \(key)")
      }
      let output = (run.json["output"] as! [[Double]])[0][0]
      #expect(abs(output - r["final_z2"][0, 0]) < 1e-9)
      #expect(
        abs((run.json["totalDiscord"] as! Double) - r.scalar("discord_final_total")) < 1e-9)
      if name.hasPrefix("b4") {
        #expect(abs(output - 1.31051077) < 1e-8)
        // ∂E/∂c of the one held coordinate is its own discrepancy, all else being at rest.
        let energy = run.json["energy"] as! Double
        #expect(abs(abs(forces(run, "z1")![0][0]) - (2 * energy).squareRoot()) < 1e-9)
        #expect((run.json["pinForces"] as! [String: Any]).count == 1)
      } else {
        // γ (t − c).
        let want = end["z1"]!.elements.map { -$0 }
        #expect(zip(forces(run, "z1")![0], want).allSatisfy { abs($0 - $1) < 1e-14 })
      }
    }
  }

  /// min ½‖z₁ − W₁x − b₁‖² + ½‖a₁ − R z₁‖² + ½‖z₂ − W₂a₁ − b₂‖² + ½K‖z₂ − y‖² by normal equations;
  /// a neuron on its kink has no column, for its z is 0.
  @Test func aSoftClampIsALeastSquaresSolution() throws {
    var g = RandomGenerator(seed: 5)
    let (n, m, p, k) = (2, 6, 3, 2.5)
    let network = try Network(widths: [n, m, p], using: &g)
    try NetworkFile.write(network, to: folder + "net.npz")
    let (x, y) = (
      g.normalMatrix(rows: n, columns: 4), g.normalMatrix(rows: p, columns: 4)
    )
    try NPZ.write(
      ["x": NumericArray(samples: x), "y": NumericArray(samples: y)], to: folder + "data.npz")
    let run = try command.sheaf(
      "equilibrate", folder + "net.npz", "--input", folder + "data.npz#x", "--pin",
      "output=\(folder)data.npz#y", "--coupling", "\(k)", "--final", folder + "end.npz", "--json")
    #expect(run.status == 0, "\(run.error)")
    #expect(run.json["kinkNeurons"] as? Int == 1)
    let end = try NPZ.read(folder + "end.npz").mapValues(\.samples)
    #expect(end["a_output"] == nil)
    let (one, two) = (network.edges[0].operation, network.edges[2].operation)
    let (w1, b1) = (one.parameters[0], one.parameters[1])
    let (w2, b2) = (two.parameters[0], two.parameters[1])
    var energies = 0.0
    for j in 0..<4 {
      var a = Matrix(rows: 2 * m + 2 * p, columns: 2 * m + p)
      var right = Matrix(rows: 2 * m + 2 * p, columns: 1)
      for i in 0..<m {
        let z = end["z1"]![i, j]
        a[i, i] = z == 0 ? 0 : 1
        right[i, 0] = b1[i, 0] + (0..<n).reduce(0) { $0 + w1[i, $1] * x[$1, j] }
        a[m + i, m + i] = 1
        a[m + i, i] = z > 0 ? -1 : 0
      }
      for i in 0..<p {
        a[2 * m + i, 2 * m + i] = 1
        for c in 0..<m { a[2 * m + i, m + c] = -w2[i, c] }
        right[2 * m + i, 0] = b2[i, 0]
        a[2 * m + p + i, 2 * m + i] = k.squareRoot()
        right[2 * m + p + i, 0] = k.squareRoot() * y[i, j]
      }
      var normal = Matrix(rows: a.columns, columns: a.columns)
      normal.setProduct(a, a, transposing: .left)
      for i in 0..<m where normal[i, i] == 0 { normal[i, i] = 1 }
      var solution = Matrix(rows: a.columns, columns: 1)
      solution.setProduct(a, right, transposing: .left)
      try CholeskyFactorization(normal).solve(&solution)
      var rest = a * solution
      rest.add(right, scale: -1)
      energies += rest.sumOfSquares / 2
      for i in 0..<m {
        #expect(abs(solution[i, 0] - end["z1"]![i, j]) < 1e-12)
        #expect(abs(solution[m + i, 0] - end["a1"]![i, j]) < 1e-12)
      }
      for i in 0..<p {
        #expect(abs(solution[2 * m + i, 0] - end["z2"]![i, j]) < 1e-12)
        let force = k * (y[i, j] - end["z2"]![i, j])
        #expect(abs(forces(run, "output")![j][i] - force) < 1e-12)
      }
    }
    #expect(abs((run.json["energy"] as! Double) - energies / 4) < 1e-12)
    let last = (run.json["edges"] as! [[String: Any]]).last!
    #expect(last["kind"] as? String == "output")
  }

  /// Smooth outputs and logits, with both energies: the heat flow's minimum.
  @Test func smoothClampsEndWhereTheFlowDoes() throws {
    try NPZ.write(
      ["y": NumericArray(shape: [3, 1], elements: [0.7, 0.2, 0.1])], to: folder + "data.npz")
    let cases = [
      ("b3_241_sigmoid", "0.9", ["--output-activation", "sigmoid"]),
      ("b6_253_softmax", folder + "data.npz#y", ["--output-activation", "softmax"]),
      ("b1_241_identity", "0.9", []), ("b6_253_softmax", folder + "data.npz#y", []),
    ]
    for (name, target, options) in cases {
      for energy in ["squared", "crossEntropy"] {
        // Logits only mean probabilities with a cross-entropy.
        let path = Reference.folder.appendingPathComponent(name + ".npz").path
        let rest =
          [path, "--input", path + "#X", "--samples", "columns", "--pin", "output=" + target]
          + options + ["--output-energy", energy, "--json", "--final"]
        let run = try command.run(["equilibrate"] + rest + [folder + "end.npz"])
        let flow = try command.run(
          ["flow"] + rest + [folder + "flow.npz", "--initial", "forward", "--tolerance", "1e-10"])
        #expect(run.status == 0 && flow.status == 0, "\(name) \(energy) \(run.error) \(flow.error)")
        let (a, b) = (try NPZ.read(folder + "end.npz"), try NPZ.read(folder + "flow.npz"))
        #expect(a.keys.sorted() == b.keys.sorted())
        for (key, value) in a {
          #expect(relativeError(value.matrix!, b[key]!.matrix!) < 1e-6, "\(name) \(energy) \(key)")
        }
        for key in ["energy", "totalDiscord"] {
          let (p, q) = (run.json[key] as! Double, flow.json[key] as! Double)
          #expect(abs(p - q) < 1e-6 * q, "\(name) \(energy) \(key): \(p) \(q)")
        }
        if !options.isEmpty || energy == "crossEntropy" {
          // The output edge: κ‖φ(z) − y‖² or κ·CE(φ(z), y) with κ = 1, mean over the batch.
          let phi: OutputActivation = name.hasPrefix("b6") ? .softmax : .sigmoid
          let (z, y) = (a["z2"]!.matrix!, a["a_output"]!.matrix!)
          var gap = phi(z)
          gap.add(y, scale: -1)
          let last = (run.json["edges"] as! [[String: Any]]).last!["discord"] as! Double
          let sum =
            energy == "squared"
            ? gap.sumOfSquares
            : (0..<z.columns).reduce(0) { $0 + phi.crossEntropy(z, y, sample: $1) }
          #expect(abs(last - sum / Double(z.columns)) < 1e-14, "\(name) \(energy)")
          let total = (run.json["prediction"] as! [[Double]])[0].reduce(0, +)
          #expect(name.hasPrefix("b6") ? abs(total - 1) < 1e-12 : total > 0 && total < 1)
        }
      }
    }
  }

  @Test func missingInputsAreFilledIn() throws {
    let run = try equilibrate(
      "b1_241_identity", "--soft-pin", "x[1]=0@0.1", "--pin", "output=1", "--final",
      folder + "end.npz", "--json")
    #expect(run.status == 0, "\(run.error)")
    let r = try Reference("b1_241_identity")
    let network = try r.network()
    let input = (run.json["input"] as! [[Double]])[0]
    #expect(input[0] == r["X"][0, 0] && input[1] != r["X"][1, 0])
    let end = try NPZ.read(folder + "end.npz").mapValues { $0.matrix! }
    #expect(abs(end["x"]!.elements[1] - input[1]) < 1e-14)
    let state = SheafState(stalks: ["x", "z1", "a1", "z2"].map { end[$0]! })
    let pins = try Pins(
      [
        Pin(vertex: 0, coordinates: [1], values: Matrix([[0]]), strength: .soft(0.1)),
        Pin(vertex: 3, coordinates: [0], values: Matrix([[1]])),
      ], network: network, input: r["X"])
    let energy = PinnedEnergy(NeuralSheaf(network), pins: pins)
    #expect(abs(energy.values(at: state)[0] - (run.json["energy"] as! Double)) < 1e-14)
    // ∂E/∂c by central differences: 0 where c is free, the pin's force where it is held.
    for v in state.stalks.indices {
      for i in 0..<state.stalks[v].rows {
        let h = 1e-4
        var (up, down) = (state, state)
        up.stalks[v][i, 0] += h
        down.stalks[v][i, 0] -= h
        let slope = (energy.values(at: up)[0] - energy.values(at: down)[0]) / (2 * h)
        if v == 3 {
          #expect(abs(slope - forces(run, "output")![0][0]) < 1e-9)
        } else if (v, i) != (0, 0) {
          #expect(abs(slope) < 1e-9, "\(v) \(i)")
        }
      }
    }
  }

  @Test func anUndeterminedInputIsReported() throws {
    let open = try equilibrate("b1_241_identity", "--free", "x", "--pin", "output=2", "--json")
    #expect(open.status == 1)
    let freedom = (open.json["undetermined"] as! [[String: Any]])[0]
    #expect(freedom["dimension"] as? Int == 1 && freedom["coordinates"] as? [Int] == [0, 1])
    #expect(abs((open.json["output"] as! [[Double]])[0][0] - 2) < 1e-12)
    #expect(open.error.split(separator: "\n").count == 1)
    for words in ["1 of 1 samples", "1 dimension of x[0,1]", "--soft-pin 'x[0,1]"] {
      #expect(open.error.contains(words), "\(open.error)")
    }
    // Of all inputs with that output and no discord, on this branch, the one of least norm.
    let least = try equilibrate(
      "b1_241_identity", "--free", "x", "--pin", "output=2", "--least-norm", "--json")
    #expect(least.status == 0 && least.error.isEmpty)
    #expect((least.json["undetermined"] as! [Any]).count == 1)
    #expect((least.json["energy"] as! Double) < 1e-20)
    func norm(_ run: CommandTests.Outcome) -> Double {
      (run.json["input"] as! [[Double]])[0].reduce(0) { $0 + $1 * $1 }
    }
    #expect(norm(least) < norm(open) * (1 - 1e-3))
    // One coordinate is what one equation determines.
    let closed = try equilibrate("b1_241_identity", "--free", "x[1]", "--pin", "output=2", "--json")
    #expect(closed.status == 0 && (closed.json["undetermined"] as! [Any]).isEmpty)
    #expect((closed.json["energy"] as! Double) < 1e-20)
    // A pin holds what --free names.
    let held = try equilibrate(
      "b1_241_identity", "--free", "x", "--pin", "x[0]=0.25", "--pin", "output=2", "--json")
    #expect(held.status == 0 && (held.json["input"] as! [[Double]])[0][0] == 0.25)
    let nothing = try equilibrate("b1_241_identity", "--free", "x")
    #expect(nothing.status == 1 && nothing.error.contains("free at 0:2 without a prior"))
  }

  /// All methods end at a stationary point, and here at the same.
  @Test func methodsAgree() throws {
    var energies: [Double] = []
    for method in ["auto", "direct", "iterative", "coordinate", "flow"] {
      let run = try equilibrate(
        "b1_241_identity", "--pin", "output=2", "--method", method, "--json")
      #expect(run.status == 0 && (run.json["residual"] as! Double) < 1e-8, "\(run.error)")
      #expect(run.json["method"] as! String == (method == "auto" ? "direct" : method))
      energies.append(run.json["energy"] as! Double)
    }
    #expect(energies.allSatisfy { abs($0 - energies[0]) < 1e-12 }, "\(energies)")
  }

  /// A hard pin holds where a soft one pulls; the soft one's energy is counted all the same.
  @Test func hardPinsWin() throws {
    let both = try equilibrate(
      "b1_241_identity", "--pin", "z1[0]=0.5", "--soft-pin", "z1[0]=0@2", "--json")
    let hard = try equilibrate("b1_241_identity", "--pin", "z1[0]=0.5", "--json")
    let (p, q) = (both.json["energy"] as! Double, hard.json["energy"] as! Double)
    #expect(both.status == 0 && abs(p - q - 0.25) < 1e-12)
    #expect(both.json["output"] as! [[Double]] == hard.json["output"] as! [[Double]])
    let input = try equilibrate(
      "b1_241_identity", "--soft-pin", "x=0@2", "--pin", "x[0]=1", "--pin", "output=1", "--json")
    #expect((input.json["input"] as! [[Double]])[0][0] == 1)
    let pinned = input.json["pinForces"] as! [String: [String: Any]]
    #expect(pinned.keys.sorted() == ["output", "x"])
    #expect(pinned["x"]!["coordinates"] as! [Int] == [0, 1])
  }

  /// What did not converge is printed, and says so once.
  @Test func anUnfinishedDescentIsPrinted() throws {
    let r = try Reference("d_pinned_sheaf20k")
    let run = try command.sheaf(
      "equilibrate", r.path, "--input", r.path + "#X", "--samples", "columns", "--pin",
      "output=\(r.path)#Y", "--steps", "1", "--json")
    #expect(run.status == 1 && run.json["status"] as? String == "stepLimit")
    let counts = run.json["statuses"] as! [String: Int]
    #expect(counts.values.reduce(0, +) == r["X"].columns && counts["stepLimit"]! > 0)
    #expect(run.error.split(separator: "\n").count == 1)
    #expect(
      run.error.contains("\(counts["stepLimit"]!) of \(r["X"].columns) samples")
        && run.error.contains("--steps"), "\(run.error)")
    let over = try equilibrate("b1_241_identity", "--pin", "output=1e308", "--json")
    #expect(over.status == 1 && over.json["status"] as? String == "diverged")
    #expect(over.json["energy"] is NSNull && over.json["residual"] is NSNull)
    let text = try equilibrate("b1_241_identity", "--pin", "output=2")
    #expect(text.status == 0 && text.output.hasPrefix("converged: 1 sample by the direct method"))
  }

  /// The commands of the README's section on pins, in a folder of their own.
  @Test func readmeCommandsRun() throws {
    let readme = try String(
      contentsOf: Reference.folder.appendingPathComponent("../../README.md"), encoding: .utf8)
    let blocks = readme.components(separatedBy: "```")
    let script = blocks.first { $0.contains("sheaf equilibrate bowl.npz") }!
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/bin/sh")
    let built = URL(fileURLWithPath: CommandLine.arguments[0]).deletingLastPathComponent().path
    process.environment = ["PATH": built + ":/usr/bin:/bin"]
    process.arguments = ["-ec", script]
    process.currentDirectoryURL = URL(fileURLWithPath: folder)
    let out = Pipe()
    process.standardOutput = out
    try process.run()
    let output = String(decoding: out.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    #expect(process.terminationStatus == 0)
    #expect(output.components(separatedBy: "converged: 3 samples").count == 4)
    #expect(try NPZ.read(folder + "stalks.npz")["z1"]!.samples[0, 2] == 0.5)
  }

  @Test func longListsOfNamesAreShortened() throws {
    var g = RandomGenerator(seed: 0)
    let network = try Network(widths: [Int](repeating: 2, count: 40), using: &g)
    do {
      _ = try network.vertex(named: "a4O")
      Issue.record("a stalk called a4O")
    } catch {
      let text = "\(error)"
      #expect(text.contains("did you mean \"a4\"?"), "\(text)")
      #expect(text.contains("x, z1, a1,") && text.contains("… (59 more), a38, z39, output"))
    }
  }
}
