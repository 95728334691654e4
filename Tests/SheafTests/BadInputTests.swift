import ArrayFiles
import Foundation
import LinearAlgebra
import ModelFormats
import NeuralSheaves
import SheafFlows
import SheafTraining
import Testing

/// Bad input gets one clear error that names what was found and what was expected.
struct BadInputTests {
  func folder() throws -> String {
    let path = NSTemporaryDirectory() + "sheaf-\(UInt64.random(in: 0...UInt64.max))/"
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    return path
  }

  @Test func widthsAndShapes() throws {
    var g = RandomGenerator(seed: 0)
    #expect(message { _ = try Network(widths: [3], using: &g) }.contains("[3]"))
    #expect(message { _ = try Network(widths: [3, 0, 2], using: &g) }.contains("[3, 0, 2]"))
    let w = [Matrix(rows: 4, columns: 2), Matrix(rows: 1, columns: 5)]
    let chain = message { _ = try Network(weights: w, biases: [[0, 0, 0, 0], [0]]) }
    #expect(chain.contains("W2") && chain.contains("(1, 5)") && chain.contains("4"))
    let bias = message {
      _ = try Network(weights: [Matrix(rows: 4, columns: 2)], biases: [[0, 0]])
    }
    #expect(bias.contains("b1") && bias.contains("(2)") && bias.contains("(4)"))
    var broken = Matrix(rows: 2, columns: 2)
    broken[1, 0] = .nan
    #expect(
      message { _ = try Network(weights: [broken], biases: [[0, 0]]) }.contains("W1[1, 0]"))
  }

  @Test func targetsAreNeverBroadcast() throws {
    var g = RandomGenerator(seed: 0)
    let network = try Network(widths: [2, 3, 2], using: &g)
    let x = Matrix(rows: 2, columns: 5)
    for target in [Matrix(rows: 1, columns: 5), Matrix(rows: 2, columns: 1)] {
      let text = message { _ = try TrainingData(input: x, target: target, for: network) }
      #expect(text.contains("target") && text.contains("(5 samples, 2)"))
    }
    var y = Matrix(rows: 2, columns: 5)
    y[1, 3] = .infinity
    #expect(
      message { _ = try TrainingData(input: x, target: y, for: network) }
        .contains("sample 3, coordinate 1"))
    for label in [-1, 2, 0.5, .nan] {
      #expect(
        message { _ = try TrainingData.oneHot([0, label], classes: 2) }.contains("label 1"))
    }
  }

  @Test func targetsOfACrossEntropyAreProbabilities() throws {
    var g = RandomGenerator(seed: 0)
    let x = Matrix(rows: 2, columns: 1)
    let y = Matrix([[0.5], [0.7]])
    let sigmoid = try Network(widths: [2, 2], outputActivation: .sigmoid, using: &g)
    _ = try TrainingData(input: x, target: y, for: sigmoid)
    let softmax = try Network(widths: [2, 2], outputActivation: .softmax, using: &g)
    #expect(
      message { _ = try TrainingData(input: x, target: y, for: softmax) }.contains("1.2"))
    #expect(
      message { _ = try TrainingData(input: x, target: Matrix([[5], [0]]), for: sigmoid) }
        .contains("sample 0, coordinate 0"))
  }

  @Test func everyElementIsVisitedByAnyNumberOfThreads() {
    for threads in [1, 2, 3, 64, 65, 100] {
      let loop = ParallelLoop([Int](repeating: 0, count: 150), threads: threads) { $0 += 1 }
      for _ in 0..<3 { loop.run() }
      #expect(loop.elements == [Int](repeating: 3, count: 150), "\(threads) threads")
    }
  }

  @Test func aFlowWithNothingFreeConverges() throws {
    var g = RandomGenerator(seed: 0)
    let network = try Network(widths: [2, 1], using: &g)
    let x = Matrix(rows: 2, columns: 1)
    let pin = Pin(vertex: 1, coordinates: [0], values: Matrix([[3]]))
    let flow = try HeatFlow(
      NeuralSheaf(network), pins: Pins([pin], network: network, input: x))
    let end = try Euler().run(flow, from: NeuralSheaf(network).zeroState(x))
    #expect(end.status == .converged)
    #expect(end.discords.total == 9)
  }

  @Test func settingsOutOfRange() throws {
    var g = RandomGenerator(seed: 0)
    let network = try Network(widths: [2, 3, 2], using: &g)
    let x = Matrix(rows: 2, columns: 5)
    let sheaf = NeuralSheaf(network)
    let pins = try Pins(network: network, input: x)
    #expect(message { _ = try HeatFlow(sheaf, pins: pins, alpha: 0) }.contains("alpha"))
    let flow = try HeatFlow(sheaf, pins: pins)
    let state = sheaf.zeroState(x)
    for step in [0, -1, Double.nan] {
      #expect(message { _ = try Euler(step: step).run(flow, from: state) }.contains("step"))
    }
    for rule in [StoppingRule.change(-1), .residual(0)] {
      #expect(message { _ = try Euler(stop: rule).run(flow, from: state) }.contains("tolerance"))
    }
    let unstable = message { _ = try Euler(step: 1000).run(flow, from: state) }
    #expect(unstable.contains("2/(α λ_max)"))
    let data = try TrainingData(input: x, target: Matrix(rows: 2, columns: 5), for: network)
    for batch in [0, -3] {
      #expect(
        message {
          _ = try GradientTraining(
            network, data: data, rule: Backpropagation(), settings: .init(rate: 1, batch: batch))
        }.contains("batch"))
      #expect(
        message { _ = try JointFlow(network, data: data, settings: .init(batch: batch)) }
          .contains("batch"))
    }
  }

  @Test func pins() throws {
    var g = RandomGenerator(seed: 0)
    let network = try Network(widths: [2, 3, 2], using: &g)
    let x = Matrix(rows: 2, columns: 4)
    func pin(_ c: [Int], _ v: Double, _ s: Pin.Strength = .hard) -> Pin {
      Pin(
        vertex: 1, coordinates: c, values: Matrix(rows: c.count, columns: 1, repeating: v),
        strength: s)
    }
    func fail(_ pins: [Pin]) -> String {
      message { _ = try Pins(pins, network: network, input: x) }
    }
    #expect(fail([pin([3], 0)]).contains("z1[3]"))
    #expect(fail([pin([1, 1], 0)]).contains("twice"))
    let conflict = fail([pin([1], 0.5), pin([0, 1], 0.25)])
    #expect(conflict.contains("z1[1]"))
    #expect(conflict.contains("pin 0 at 0.5") && conflict.contains("pin 1 at 0.25"))
    #expect(fail([pin([1], .nan)]).contains("not finite"))
    for gamma in [0, -1, Double.infinity] {
      #expect(fail([pin([1], 0, .soft(gamma))]).contains("γ"))
    }
    let shape = Pin(vertex: 1, coordinates: [0], values: Matrix(rows: 1, columns: 3))
    #expect(fail([shape]).contains("(1, 3)"))
  }

  @Test func divergenceStopsAtOnce() throws {
    let r = try Reference("b1_241_identity")
    let network = try r.network()
    let flow = try HeatFlow(
      NeuralSheaf(network), pins: Pins(network: network, input: r["X"]))
    let end = try Euler(step: 10, allowsUnstable: true).run(flow, from: r.state("init_", network))
    #expect(end.status == .diverged)
    #expect(end.steps < 20)
  }

  @Test func arrayFiles() throws {
    let good = NPY.encode(NumericArray(shape: [2, 3], elements: [1, 2, 3, 4, 5, 6]))
    #expect(try NPY.decode(good, file: "a.npy").elements == [1, 2, 3, 4, 5, 6])
    for n in [0, 5, 11, 60, good.count - 1] {
      let text = message { _ = try NPY.decode(good.prefix(n), file: "a.npy") }
      #expect(text.hasPrefix("a.npy: "), "\(n) bytes")
    }
    func with(_ descr: String) -> Data {
      var text = String(decoding: good.prefix(128), as: Unicode.ASCII.self)
      text = text.replacingOccurrences(of: "'<f8'", with: "'\(descr)'")
      return Data([0x93]) + Data("NUMPY".utf8) + Data([1, 0, 118, 0])
        + Data(text.dropFirst(10).utf8).prefix(118) + good.suffix(48)
    }
    #expect(try NPY.decode(with("<f8"), file: "a.npy").shape == [2, 3])
    #expect(message { _ = try NPY.decode(with("|O"), file: "a") }.contains("object"))
    #expect(message { _ = try NPY.decode(with(">f8"), file: "a") }.contains("big-endian"))
    #expect(message { _ = try NPY.decode(with("<c8"), file: "a") }.contains("<c8"))
    #expect(message { _ = try NPY.decode(with("<U2"), file: "a") }.contains("<U"))
    #expect(message { _ = try NPY.decode(with("<U99999"), file: "a") }.contains("<U99999"))

    let f = try folder()
    try NPZ.write(
      [
        "W1": NumericArray(shape: [1, 1], elements: [2]), "k": .init(shape: [2], elements: [1, 2]),
      ],
      to: f + "a.npz", deflated: true)
    #expect(try NPZ.read(f + "a.npz")["k"]!.elements == [1, 2])
    #expect(message { _ = try ArrayFile.read(f + "a.npz#q") }.contains("W1, k"))
    #expect(message { _ = try NPZNetwork.read(f + "k.npz") }.contains("no such file"))
    #expect(message { _ = try NPZ.read(f + "a.npz", byteLimit: 100) }.contains("100 bytes"))
    let bytes = try Data(contentsOf: URL(fileURLWithPath: f + "a.npz"))
    try bytes.prefix(bytes.count / 2).write(to: URL(fileURLWithPath: f + "half.npz"))
    #expect(message { _ = try NPZ.read(f + "half.npz") }.contains("half.npz"))
    #expect(message { _ = try ArrayFile.read(f + "none.npy") }.contains("no such file"))
    #expect(message { try ArrayFile.write(good, to: f + "no/where.npy") }.contains("where.npy"))
    #expect(message { try NPZ.write([:], to: f + "no/where.npz") }.contains("where.npz"))

  }
}
