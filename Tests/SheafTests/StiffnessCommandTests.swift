import ArrayFiles
import FaultLocation
import Foundation
import LinearAlgebra
import ModelFormats
import NeuralSheaves
import SheafProbability
import Testing

@testable import SheafCommands

/// `sheaf stiffness`, `sheaf locate` and `sheaf forward --uncertainty` on files.
@Suite struct StiffnessCommandTests {
  private let command = CommandTests()
  private let folder: String

  /// A regression network r.npz, a classifier c.npz with a deployed one d.npz whose second layer is off, 60 inputs and what
  /// the networks make of them.
  init() throws {
    folder = NSTemporaryDirectory() + "sheaf-\(UInt64.random(in: 0...UInt64.max))/"
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    var g = RandomGenerator(seed: 17)
    func layers(_ widths: [Int]) -> [String: NumericArray] {
      var arrays: [String: NumericArray] = [:]
      for l in 1..<widths.count {
        let deviation = (2 / Double(widths[l - 1])).squareRoot()
        arrays["W\(l)"] = NumericArray(
          g.normalMatrix(rows: widths[l], columns: widths[l - 1], deviation: deviation))
        arrays["b\(l)"] = NumericArray(
          shape: [widths[l]], elements: (0..<widths[l]).map { _ in 0.2 * g.normal() })
      }
      return arrays
    }
    try NPZ.write(layers([3, 8, 1]), to: folder + "r.npz")
    try NPZ.write(layers([3, 8, 1]), to: folder + "r2.npz")
    let classifier = layers([6, 16, 16, 16, 4])
    try NPZ.write(classifier, to: folder + "c.npz")
    var deployed = classifier
    let w = classifier["W2"]!
    deployed["W2"] = NumericArray(
      shape: w.shape, elements: w.elements.map { $0 + 0.2 * g.normal() })
    try NPZ.write(deployed, to: folder + "d.npz")
    let (x, u) = (
      g.normalMatrix(rows: 3, columns: 60), g.normalMatrix(rows: 6, columns: 60)
    )
    // A member of another depth, a last layer of zeros, a network of one layer.
    try NPZ.write(layers([3, 8, 8, 1]), to: folder + "r3.npz")
    var silent = classifier
    silent["W4"] = NumericArray(Matrix(rows: 4, columns: 16))
    try NPZ.write(silent, to: folder + "s.npz")
    try NPZ.write(layers([6, 4]), to: folder + "one.npz")
    var huge = x
    huge[0, 1] = 1e308
    let r = try NetworkFile.read(folder + "r.npz", NetworkReading())
    let c = try NetworkFile.read(folder + "c.npz", NetworkReading())
    var y = r.logits(x)
    for j in 0..<60 { y[0, j] += 0.3 * g.normal() * (1 + abs(x[0, j])) }
    let z = c.logits(u)
    try NPZ.write(
      [
        "x": NumericArray(samples: x), "y": NumericArray(samples: y),
        "huge": NumericArray(samples: huge),
        "u": NumericArray(samples: u), "z": NumericArray(samples: z),
        "p": NumericArray(samples: OutputActivation.softmax(z)),
        "same": NumericArray(samples: Matrix(rows: 4, columns: 60, repeating: 2)),
        "few": NumericArray(samples: u.columns(0..<2)),
        "fewz": NumericArray(samples: z.columns(0..<2)),
        "classes": NumericArray(shape: [60], elements: (0..<60).map { Double($0 % 4) }),
      ], to: folder + "data.npz")
  }

  private func run(_ call: String) throws -> CommandTests.Outcome {
    try command.run(call.replacingOccurrences(of: "%", with: folder).words())
  }

  private func clean() { try? FileManager.default.removeItem(atPath: folder) }

  @Test func stiffnessIsThatOfTheLibrary() throws {
    defer { clean() }
    let made = try run(
      "stiffness %r.npz --input %data.npz#x --target %data.npz#y --by kind --gains --draws 19 --json --out %noise.json"
    )
    #expect(made.status == 0, "\(made.error)")
    let network = try NetworkFile.read(folder + "r.npz", NetworkReading())
    let x = try NPZ.read(folder + "data.npz")["x"]!.samples
    let y = try NPZ.read(folder + "data.npz")["y"]!.samples
    let state = NeuralSheaf(network).forwardPass(x)
    var r = y
    r.add(state.stalks[network.lastVertex], scale: -1)
    let components = network.kindComponents(gains: true)
    let model = try VarianceModel(
      residuals: r,
      components: GaussianSheaf(network).componentCovariances(of: components, at: state),
      floor: 1e-6 * dot(r, r) / Double(r.count))
    let fit = try model.fit()
    let value = try #require(made.json["logLikelihood"] as? Double)
    #expect(abs(value - fit.logLikelihood) < 1e-5)
    let listed = try #require(made.json["components"] as? [[String: Any]])
    // With one output and one hidden layer noise on its activations is constant.
    #expect(
      listed.map { $0["kind"] as! String }
        == ["constant", "input", "affine", "affine", "activation"])
    #expect(listed.map { $0["gain"] as! Bool } == [false, false, false, true, true])
    #expect(listed[0]["twins"] as? [String] == ["activation"])
    let shares = listed.reduce(0) { $0 + ($1["share"] as! Double) }
    #expect(abs(shares - 1) < 0.3)
    // What was written is what predictions are made of.
    let forward = try run(
      "forward %r.npz --input %data.npz#x --uncertainty --noise %noise.json --json")
    #expect(forward.status == 0, "\(forward.error)")
    let noise = try NoiseFile.read(folder + "noise.json", for: network)
    let expected = GaussianSheaf(network).predictiveVariances(of: noise, at: state)
    let found = try #require(forward.json["standardDeviation"] as? [[Double]])
    for j in 0..<60 {
      #expect(abs(found[j][0] - expected[0, j].squareRoot()) < 1e-9 * found[j][0])
    }
    let outputs = try #require(forward.json["output"] as? [[Double]])
    #expect(abs(outputs[7][0] - state.stalks[network.lastVertex][0, 7]) < 1e-12)
  }

  @Test func ensemblesAddTheVarianceBetweenThem() throws {
    defer { clean() }
    let one = try run("forward %r.npz --input %data.npz#x --uncertainty --json").json
    let other = try run("forward %r2.npz --input %data.npz#x --uncertainty --json").json
    let both = try run(
      "forward %r.npz --input %data.npz#x --uncertainty --ensemble %r2.npz --json"
    ).json
    func list(_ json: [String: Any], _ key: String) -> [Double] {
      (json[key] as! [[Double]]).map { $0[0] }
    }
    let (a, b) = (list(one, "output"), list(other, "output"))
    let (s, t) = (list(one, "standardDeviation"), list(other, "standardDeviation"))
    let (mean, deviation) = (list(both, "output"), list(both, "standardDeviation"))
    for j in a.indices {
      #expect(abs(mean[j] - (a[j] + b[j]) / 2) < 1e-12)
      let between = (a[j] - b[j]) * (a[j] - b[j]) / 4
      let expected = ((s[j] * s[j] + t[j] * t[j]) / 2 + between).squareRoot()
      #expect(abs(deviation[j] - expected) < 1e-10 * expected)
    }
  }

  /// Residuals of the mean over two networks, the covariance between them known.
  @Test func ensemblesAreFittedAsOne() throws {
    defer { clean() }
    let found = try run(
      "stiffness %r.npz --ensemble %r2.npz --input %data.npz#x --target %data.npz#y --by kind --draws 0 --json"
    )
    #expect(found.status == 0, "\(found.error)")
    let networks = try ["r", "r2"].map {
      try NetworkFile.read(folder + $0 + ".npz", NetworkReading())
    }
    let arrays = try NPZ.read(folder + "data.npz")
    let (x, y) = (arrays["x"]!.samples, arrays["y"]!.samples)
    let states = networks.map { NeuralSheaf($0).forwardPass(x) }
    let z = states.map { $0.stalks[networks[0].lastVertex] }
    var residuals = y
    for one in z { residuals.add(one, scale: -0.5) }
    let components = networks[0].kindComponents()
    let parts = zip(networks, states).map {
      GaussianSheaf($0).componentCovariances(of: components, at: $1)
    }
    func known(_ j: Int) -> Matrix {
      let half = (z[0][0, j] - z[1][0, j]) / 2
      return Matrix([[half * half]])
    }
    let model = try VarianceModel(
      residuals: residuals,
      components: components.indices.map { c in
        (0..<x.columns).map { j in
          Matrix([[(parts[0][c][j][0, 0] + parts[1][c][j][0, 0]) / 2]])
        }
      },
      known: (0..<x.columns).map(known),
      floor: 1e-6 * residuals.sumOfSquares / Double(residuals.count))
    let fit = try model.fit()
    let value = try #require(found.json["logLikelihood"] as? Double)
    #expect(abs(value - fit.logLikelihood) < 1e-6 * abs(value))
    // And the model's likelihood is that of independent numbers here.
    var sum = 0.0
    for j in 0..<x.columns {
      var s = known(j)[0, 0] + model.floor
      for (c, tau) in fit.variances.enumerated() {
        s += tau * (parts[0][c][j][0, 0] + parts[1][c][j][0, 0]) / 2
      }
      let r = residuals[0, j]
      sum -= (log(2 * .pi * s) + r * r / s) / 2
    }
    #expect(abs(sum - fit.logLikelihood) < 1e-9 * abs(sum))
  }

  /// Deviations of probabilities are those of small draws of the noise.
  @Test func probabilitiesHaveDeviations() throws {
    defer { clean() }
    let found = try run(
      "forward %c.npz --output-activation softmax --input %data.npz#u --uncertainty --json")
    #expect(found.status == 0, "\(found.error)")
    var network = try NetworkFile.read(folder + "c.npz", NetworkReading())
    network.outputActivation = .softmax
    let u = try NPZ.read(folder + "data.npz")["u"]!.samples
    let scale = 1e-4
    let model = GaussianSheaf(
      network, noise: try EdgeNoise(1 / (scale * scale), of: network))
    var g = RandomGenerator(seed: 3)
    let listed = try #require(found.json["standardDeviation"] as? [[Double]])
    for j in 0..<5 {
      let copies = u.columns([Int](repeating: j, count: 4000))
      let draws = OutputActivation.softmax(
        model.sample(copies, using: &g).stalks[network.lastVertex])
      for i in 0..<4 {
        let values = (0..<4000).map { draws[i, $0] }
        let mean = values.reduce(0, +) / 4000
        let spread = (values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / 4000).squareRoot()
        #expect(abs(spread / scale / listed[j][i] - 1) < 0.1, "sample \(j), output \(i)")
      }
    }
  }

  @Test func locateNamesTheLayer() throws {
    defer { clean() }
    for reference in [
      "--reference %data.npz#z", "--reference %data.npz#p", "--reference-model %c.npz",
      "--reference %data.npz#z --fine-tune",
    ] {
      let found = try run("locate %d.npz --input %data.npz#u \(reference) --draws 19 --json")
      #expect(found.status == 0, "\(found.error)")
      let layers = try #require(found.json["layers"] as? [[String: Any]])
      #expect(layers.count == 4)
      // Probabilities tell less than logits.
      let first = layers.prefix(reference.contains("#p") ? 2 : 1).map { $0["layer"] as? String }
      #expect(first.contains("z2"), "\(reference): \(layers)")
      let isCompared = reference.contains("model")
      #expect((layers[0]["rankSum"] is Int) == reference.contains("fine"))
      #expect((layers[0]["discrepancy"] is Double) == isCompared)
      #expect((found.json["pValue"] is Double) == !isCompared)
      let note = try #require(found.json["note"] as? String)
      #expect(note.contains("better than by outputs alone") == isCompared)
      let text = try run("locate %d.npz --input %data.npz#u \(reference) --draws 9")
      let suspect = layers[0]["layer"] as? String ?? ""
      #expect(text.output.hasPrefix("suspect: \(suspect)\n"), "\(text.output)")
    }
  }

  /// What residuals cannot tell apart is one row, and what is left has standard errors.
  @Test func twinsAreOneRow() throws {
    defer { clean() }
    let call = "stiffness %r.npz --input %data.npz#x --target %data.npz#y --gains --draws 0"
    let found = try run(call + " --json")
    #expect(found.status == 0, "\(found.error)")
    let components = try #require(found.json["components"] as? [[String: Any]])
    #expect(components.map { $0["edge"] as? String } == ["z1", "a1", "z1", "z2"])
    #expect(components.map { $0["twins"] as? [String] } == [[], ["z2"], ["a1 (gain)"], []])
    for component in components {
      let isPositive = (component["variance"] as? Double ?? 0) > 0
      #expect((component["standardError"] is Double) == isPositive, "\(component)")
    }
    #expect(try run(call).output.contains("z1 (gain) = a1 (gain)"))
  }

  /// Networks for which there is no p-value have a ranking all the same.
  @Test(arguments: ["s", "one"]) func noPValueIsNoFailure(network: String) throws {
    defer { clean() }
    let found = try run("locate %\(network).npz --input %data.npz#u --reference %data.npz#z --json")
    #expect(found.status == 0, "\(found.error)")
    let layers = try #require(found.json["layers"] as? [[String: Any]])
    #expect(layers[0]["layer"] as? String == (network == "s" ? "z4" : "z1"))
    #expect(found.json["pValue"] is NSNull)
    let note = try #require(found.json["note"] as? String)
    #expect(note.contains("nothing of z1 reaches the outputs") == (network == "s"), "\(note)")
    #expect(found.error.contains("no p-value") == (network == "s"), "\(found.error)")
    let without = try run(
      "locate %d.npz --input %data.npz#u --reference %data.npz#z --draws 0 --json")
    #expect(without.status == 0 && without.json["pValue"] is NSNull)
  }

  /// The entropy of probabilities, which no training takes away, does not level the losses.
  @Test func trainingCountsForProbabilitiesToo() throws {
    defer { clean() }
    let found = try run(
      "locate %d.npz --input %data.npz#u --reference %data.npz#p --fine-tune --draws 0 --json")
    let layers = try #require(found.json["layers"] as? [[String: Any]])
    let losses = layers.compactMap { $0["fineTuneLoss"] as? Double }
    #expect(losses.count == 4 && losses.allSatisfy { $0 >= 0 })
    #expect(losses.max()! > 1.5 * losses.min()!, "\(losses)")
  }

  /// A sample that overflows has no deviation; the others have theirs.
  @Test func samplesDoNotSpoilEachOther() throws {
    defer { clean() }
    let whole = try run("forward %r.npz --input %data.npz#x --uncertainty --json")
    let found = try run("forward %r.npz --input %data.npz#huge --uncertainty --json")
    let (a, b) = (
      try #require(whole.json["standardDeviation"] as? [[Any]]),
      try #require(found.json["standardDeviation"] as? [[Any]])
    )
    for j in a.indices where j != 1 {
      #expect(a[j][0] as? Double == b[j][0] as? Double, "sample \(j)")
    }
  }

  @Test func badInputIsNamed() throws {
    defer { clean() }
    let other = try run(
      "stiffness %c.npz --input %data.npz#u --reference %data.npz#same --out %never.json")
    #expect(
      other.status == 1 && other.error.contains("the same for all 60 probes"), "\(other.error)")
    #expect(
      try run(
        "stiffness %r.npz --input %data.npz#x --target %data.npz#y --draws 9 --out %noise.json"
      ).status == 0)
    try "[1, 2]".write(toFile: folder + "list.json", atomically: true, encoding: .utf8)
    let forward = "forward %c.npz --input %data.npz#u"
    let locate = "locate %d.npz --input %data.npz#u"
    let stiffness = "stiffness %r.npz --input %data.npz#x"
    let soft = "stiffness %c.npz --output-activation softmax --input %data.npz#u"
    let cases: [(String, Int32, [String])] = [
      (
        forward + " --uncertainty --noise %noise.json", 1, ["noise.json", "3 inputs", "expected 6"]
      ),
      (forward + " --uncertainty --noise %list.json", 1, ["list.json", "sheaf stiffness --out"]),
      (forward + " --uncertainty --noise %none.json", 1, ["none.json"]),
      (forward + " --noise %noise.json", 64, ["--noise", "--uncertainty"]),
      (forward + " --uncertainty --ensemble %r.npz", 1, ["r.npz", "3 inputs", "expected 6"]),
      (locate, 64, ["neither of --reference and --reference-model"]),
      (locate + " --reference %data.npz#y", 1, ["(60 samples, 1)", "(60 samples, 4)"]),
      (locate + " --reference %data.npz#same", 1, ["the same for all 60 probes"]),
      (locate + " --reference-model %r.npz", 1, ["r.npz", "3 inputs", "6"]),
      (
        "locate %c.npz --input %data.npz#u --reference %data.npz#z", 1,
        ["no difference: nothing to locate"]
      ),
      (
        "locate %c.npz --input %data.npz#u --reference-model %c.npz", 1,
        ["no difference: nothing to locate"]
      ),
      (
        "locate %d.npz --input %data.npz#few --reference %data.npz#fewz", 1,
        ["8 variance components for 8 residuals"]
      ),
      (stiffness, 64, ["0 of --reference, --target and --labels"]),
      (stiffness + " --target %data.npz#y --draws -1", 64, ["--draws is -1"]),
      (
        stiffness + " --reference %data.npz#y --ensemble %r2.npz", 64,
        ["--ensemble", "not for --reference"]
      ),
      (
        stiffness + " --target %data.npz#y --ensemble %r3.npz", 1,
        ["--ensemble", "dense 8→8", "expected those of the first"]
      ),
      (forward + " --uncertainty --output -", 64, ["--output -", "--uncertainty"]),
      (
        stiffness + " --target %data.npz#y --ensemble %c.npz", 1,
        ["c.npz", "6 inputs", "expected 3"]
      ),
      (stiffness + " --target %data.npz#z", 1, ["(60 samples, 4)", "(60 samples, 1)"]),
      (
        soft + " --labels %data.npz#classes", 1,
        ["--labels", "--reference", "one label of a sample"]
      ),
      (soft + " --target %data.npz#p", 1, ["--target", "--reference"]),
    ]
    for (call, status, words) in cases {
      let outcome = try run(call)
      #expect(outcome.status == status, "\(call): \(outcome.error)")
      let line = outcome.error.split(separator: "\n").last.map(String.init) ?? ""
      #expect(line.hasPrefix("error: "), "\(call): \(outcome.error)")
      for word in words { #expect(line.contains(word), "\(call): \(line)") }
    }
  }
}
