import ArrayFiles
import Foundation
import LinearAlgebra
import NeuralSheaves
import Testing

@testable import ModelFormats

/// State dicts that others wrote: read as what they are, or refused; never read as another network.
struct StateDictTests {
  /// How people name the modules of a chain.
  enum Style: String, CaseIterable {
    case sequential, moduleList, numbered, zeroBased, named, nested, parallel, compiled, blocks
  }

  /// The layers of a random chain, four Linear with ReLU between; with `blocks`, each of the first three
  /// has a normalisation behind it.
  struct Chain {
    var network: Network
    var weights: [Matrix] = []
    var biases: [[Double]] = []
    var normalizations: [[[Double]]] = []
  }

  private static let widths = [3, 7, 5, 6, 2]
  /// The numbers in every sample.
  static let count = zip(widths, widths.dropFirst()).reduce(0) { $0 + $1.0 * $1.1 + $1.1 }

  private static func chain(_ style: Style, seed: UInt64) -> Chain {
    var g = RandomGenerator(seed: seed)
    var chain = Chain(network: Network(inputDimension: widths[0]))
    var last = 0
    for l in 0..<4 {
      chain.weights.append(g.normalMatrix(rows: widths[l + 1], columns: widths[l]))
      chain.biases.append(g.normals(widths[l + 1]))
      last = chain.network.append(Dense(weight: chain.weights[l], bias: chain.biases[l]), to: last)
      guard l < 3 else { break }
      let n = widths[l + 1]
      if style == .blocks {
        let parts = (0..<4).map { k in (0..<n).map { _ in k == 3 ? g.uniform(0.1, 2) : g.normal() }
        }
        chain.normalizations.append(parts)
        let scale = (0..<n).map { parts[0][$0] / (parts[3][$0] + 1e-5).squareRoot() }
        last = chain.network.append(
          ChannelAffine(
            scale: scale, shift: (0..<n).map { parts[1][$0] - parts[2][$0] * scale[$0] }, extent: 1,
            isTrained: true), to: last)
      }
      last = chain.network.append(Elementwise.rectifier(dimension: n), to: last)
    }
    return chain
  }

  private static func name(_ style: Style, _ l: Int) -> String {
    switch style {
    case .sequential: "\(2 * l)"
    case .moduleList: "layers.\(l)"
    case .numbered: "fc\(l + 1)"
    case .zeroBased: "net.layer_\(l + 8)"
    case .named: ["input", "hidden_a", "hidden_b", "output"][l]
    case .nested: l < 3 ? "encoder.\(l / 2).\(2 * (l % 2))" : "head.linear"
    case .parallel: "module.fc\(l)"
    case .compiled: "module._orig_mod.net.\(3 * l)"
    case .blocks: l < 3 ? "blocks.\(l).linear" : "head"
    }
  }

  static func sample(_ style: Style, seed: UInt64) throws -> Safetensors {
    dict(style, chain(style, seed: seed))
  }

  private static func dict(_ style: Style, _ chain: Chain) -> Safetensors {
    var arrays: [String: NumericArray] = [:]
    for l in 0..<4 {
      arrays[name(style, l) + ".weight"] = NumericArray(chain.weights[l])
      arrays[name(style, l) + ".bias"] = NumericArray(
        shape: [widths[l + 1]], elements: chain.biases[l])
      for (k, part) in ["weight", "bias", "running_mean", "running_var"].enumerated()
      where l < chain.normalizations.count {
        arrays["blocks.\(l).norm.\(part)"] = NumericArray(
          shape: [widths[l + 1]], elements: chain.normalizations[l][k])
      }
    }
    return Safetensors(arrays: arrays)
  }

  private func read(
    _ dict: Safetensors, _ reading: NetworkReading, note: (String) -> Void = { _ in }
  ) throws -> Network {
    try SafetensorsNetwork.decode(dict.encoded(.float64), file: "a", reading, note: note)
  }

  private static let relu = LayerActivation.function(.rectifier)

  @Test(arguments: Style.allCases) func everyStyleIsTheChain(style: Style) throws {
    for seed in UInt64(0)..<20 {
      let chain = Self.chain(style, seed: seed)
      var activations = [Self.relu]
      if style == .blocks { activations = (0..<3).flatMap { _ in [.none, Self.relu] } }
      var notes: [String] = []
      let network = try read(
        Self.dict(style, chain), NetworkReading(activations: activations)
      ) { notes.append($0) }
      #expect(network.vertices == chain.network.vertices, "\(style), seed \(seed)")
      #expect(
        network.edges.map(\.operation.parameters)
          == chain.network.edges.map(\.operation.parameters), "\(style), seed \(seed)")
      #expect(notes.count == (style == .blocks ? 2 : 1) && notes[0].contains("read as Linear 3→7"))
      // The file's own names are names of stalks.
      let name = Self.name(style, 1).split(separator: ".").filter {
        $0 != "module" && $0 != "_orig_mod"
      }
      #expect(try network.vertex(named: name.joined(separator: ".")) == (style == .blocks ? 4 : 3))
    }
  }

  /// Nothing is assumed: without the activations no style is read, and the error has an example that is.
  @Test(arguments: Style.allCases) func activationsAreAskedFor(style: Style) throws {
    let dict = try Self.sample(style, seed: 3)
    let message = message { _ = try read(dict, NetworkReading()) }
    let example = try #require(message.components(separatedBy: "such as --activation ").last)
    let activations = try example.split(separator: ",").map { try LayerActivation(String($0)) }
    _ = try read(dict, NetworkReading(activations: activations))
  }

  private func dict(_ arrays: [String: [Int]], value: Double = 1) -> Safetensors {
    Safetensors(
      arrays: arrays.mapValues {
        NumericArray(shape: $0, elements: [Double](repeating: value, count: $0.reduce(1, *)))
      })
  }

  @Test func activationsStandWhereTheyWereSaid() throws {
    let leaky = LayerActivation.function(.leakyRectifier(slope: 0.5))
    let norm: [String: [Int]] = ["1.running_mean": [4], "1.running_var": [4]]
    let cases: [([String: [Int]], [LayerActivation], [String])] = [
      (
        ["0.weight": [4, 3], "2.weight": [2, 4]], [leaky, Self.relu],
        ["dense 3→4", "leaky ReLU 0.5", "dense 4→2", "ReLU"]
      ),
      (["0.weight": [4, 3], "2.weight": [2, 4]], [.none], ["dense 3→4", "dense 4→2"]),
      (
        ["l.0.weight": [4, 3], "l.1.weight": [2, 4], "l.2.weight": [2, 2]], [Self.relu],
        ["dense 3→4", "ReLU", "dense 4→2", "ReLU", "dense 2→2"]
      ),
      (
        norm.merging(["0.weight": [4, 3], "3.weight": [2, 4]]) { $1 }, [Self.relu],
        ["dense 3→4", "normalisation, 4 channels", "ReLU", "dense 4→2"]
      ),
      (
        ["0.weight": [4, 3], "1.weight": [1], "2.weight": [2, 4]], [],
        ["dense 3→4", "PReLU", "dense 4→2"]
      ),
      (
        ["0.weight": [4, 3], "1.weight": [4], "2.weight": [2, 4]], [.slopes],
        ["dense 3→4", "PReLU", "dense 4→2"]
      ),
      (["weight": [4, 3]], [], ["dense 3→4"]),
    ]
    for (shapes, activations, expected) in cases {
      let network = try read(dict(shapes), NetworkReading(activations: activations))
      #expect(network.edges.map(\.operation.summary) == expected)
    }
    let epsilon = try read(
      dict(["0.weight": [4, 3], "3.weight": [2, 4]].merging(norm) { $1 }, value: 3),
      NetworkReading(activations: [Self.relu], batchNormEpsilon: 1))
    let scale = try #require(epsilon.edges[1].operation as? ChannelAffine).coefficients[0]
    #expect(scale.elements.allSatisfy { $0 == 0.5 })
  }

  @Test func whatDoesNotFitIsRefused() throws {
    let two: [String: [Int]] = ["0.weight": [4, 3], "2.weight": [2, 4]]
    func with(_ more: [String: [Int]]) -> [String: [Int]] { two.merging(more) { $1 } }
    let square: [String: [Int]] = ["p.weight": [3, 3], "q.weight": [3, 3]]
    let r = [Self.relu]
    let cases: [([String: [Int]], NetworkReading, [String])] = [
      (["a": [2, 3]], .init(activations: r), ["a: ", "no array of a Linear"]),
      (with(["1.weight": [3, 3, 3, 3]]), .init(activations: r), ["1.weight", "convolution"]),
      (
        with(["1.weight": [4], "1.bias": [4]]), .init(activations: r),
        ["1.bias, 1.weight", "LayerNorm"]
      ),
      (with(["0.weight_v": [4, 3]]), .init(activations: r), ["0.weight_v", "parametrisation"]),
      (
        with(["1.parametrizations.weight.original0": [4]]), .init(activations: r),
        ["1.parametrizations", "parametrisation"]
      ),
      (with(["1.weight_ih_l0": [4, 4]]), .init(activations: r), ["recurrent"]),
      (with(["mean": [3]]), .init(activations: r), ["mean: "]),
      (with(["2.bias": [4]]), .init(activations: r), ["2.bias has shape [4], expected [2]"]),
      (with(["4.bias": [4]]), .init(activations: r), ["4.bias: ", "without its weight"]),
      (["embedding.weight": [4, 3]], .init(), ["Embedding"]),
      (with(["1.weight": [4]]), .init(activations: r), ["1.weight", "prelu", "RMSNorm"]),
      (two, .init(activations: [.slopes]), ["0→2", "no slopes"]),
      (two, .init(activations: r + r + r), ["3 activations", "1 (0→2) or 2"]),
      (with(["3.weight": [2, 2]]), .init(activations: r), ["2→3", "relu,identity"]),
      (square, .init(activations: r), ["p, q and q, p both fit", "--layer-order"]),
      (square, .init(activations: r, layerOrder: ["p"]), ["leaves out q"]),
      (square, .init(activations: r, layerOrder: ["p", "q", "p"]), ["p stands twice"]),
      (square, .init(activations: r, layerOrder: ["p", "k"]), ["\"k\"", "p, q"]),
      (
        ["a.0.weight": [2, 3], "b.0.weight": [4, 3]], .init(activations: r),
        ["--prefix a, --prefix b"]
      ),
      (["a.0.weight": [2, 3]], .init(prefix: "c"), ["--prefix c", "a.0.weight"]),
      (two, .init(activations: r, batchNormEpsilon: 1), ["--batch-norm-epsilon"]),
      (
        ["0.weight": [2, 3], "2.weight": [2, 3]], .init(activations: r),
        ["2, Linear 3→2", "2 numbers of 0"]
      ),
      (["weight": [4, 3]], .init(activations: r), ["one layer alone"]),
      (["0.weight": [0, 3]], .init(), ["[0, 3]"]),
      ([:], .init(), ["no arrays"]),
    ]
    for (shapes, reading, words) in cases {
      let found = message { _ = try read(dict(shapes), reading) }
      #expect(found.hasPrefix("a: "))
      for word in words { #expect(found.contains(word), "\(found)") }
      // The same names are named in every run, whatever the order of a hash.
      #expect(found == message { _ = try read(dict(shapes), reading) })
    }
    let nan = dict(two, value: .nan)
    #expect(
      message { _ = try read(nan, NetworkReading(activations: r)) }
        .contains("0.weight, number 0, is not finite"))
  }

  /// What a file says itself cannot be said again.
  @Test func sayingWhatAFileSaysIsRefused() throws {
    let own = try SafetensorsNetwork.encode(Self.chain(.sequential, seed: 0).network)
    let found = message {
      _ = try SafetensorsNetwork.decode(own, file: "a", NetworkReading(activations: [Self.relu]))
    }
    #expect(found.contains("--activation") && found.contains("metadata"))
    let checkpoint = Safetensors(metadata: [SafetensorsNetwork.checkpointKey: "1"]).encoded(
      .float64)
    let resumed = message {
      _ = try SafetensorsNetwork.decode(checkpoint, file: "a")
    }
    #expect(resumed.contains("checkpoint") && resumed.contains("train --resume a --out"))
  }
}
