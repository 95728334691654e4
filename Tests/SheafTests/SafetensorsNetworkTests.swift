import ArrayFiles
import Foundation
import LinearAlgebra
import NeuralSheaves
import Testing

@testable import ModelFormats

/// Networks as the state dicts of a `Sequential`.
struct SafetensorsNetworkTests {
  private func message(_ body: () throws -> Void) -> String {
    do {
      try body()
      Issue.record("nothing was thrown")
      return ""
    } catch { return "\(error)" }
  }

  private func file(_ arrays: [String: (shape: [Int], elements: [Double])]) -> Data {
    Safetensors(
      arrays: arrays.mapValues { NumericArray(shape: $0.shape, elements: $0.elements) }
    ).encoded(.float64)
  }

  @Test func pyTorchsStateDict() throws {
    let network = try SafetensorsNetwork.read(
      Reference.folder.appendingPathComponent("models/digits-mlp.safetensors").path)
    let expected = try ONNXTests.expected("digits-mlp")
    let logits = network.logits(expected["input"]!.samples)
    #expect(relativeError(logits, expected["logits"]!.samples) < 1e-12)
  }

  /// Without our metadata: a prefix, a normalisation, a PReLU, no ReLU between neighbours.
  @Test func plainStateDictOfSeveralModules() throws {
    var g = RandomGenerator(seed: 3)
    let (w, v) = (g.normalMatrix(rows: 4, columns: 3), g.normalMatrix(rows: 2, columns: 4))
    let network = try SafetensorsNetwork.decode(
      file([
        "net.0.weight": ([4, 3], w.rowMajor), "net.0.bias": ([4], [1, 2, 3, 4]),
        "net.1.weight": ([4], [1, 2, 1, 2]), "net.1.bias": ([4], [0, 0, 1, 1]),
        "net.1.running_mean": ([4], [1, 1, 1, 1]), "net.1.running_var": ([4], [4, 4, 1, 1]),
        "net.1.num_batches_tracked": ([], [7]),
        "net.2.weight": ([1], [0.25]), "net.4.weight": ([2, 4], v.rowMajor),
      ]), file: "a")
    #expect(
      network.edges.map(\.operation.summary) == [
        "dense 3→4", "normalisation, 4 channels", "PReLU", "ReLU", "dense 4→2",
      ])
    let x = g.normalMatrix(rows: 3, columns: 5)
    let y = network.logits(x)
    for j in 0..<5 {
      let product = (w * x.columns(j..<j + 1)).elements
      let (gamma, variance): ([Double], [Double]) = ([1, 2, 1, 2], [4, 4, 1, 1])
      var a: [Double] = []
      for i in 0..<4 {
        let z = product[i] + Double(i + 1)
        let n = gamma[i] * (z - 1) / (variance[i] + 1e-5).squareRoot() + (i > 1 ? 1 : 0)
        let slope: Double = n >= 0 ? 1 : 0.25
        a.append(max(0, slope * n))
      }
      #expect(relativeError(y.columns(j..<j + 1), v * Matrix(column: a)) < 1e-14)
    }
  }

  @Test(arguments: 0..<40) func roundTripIsExact(seed: Int) throws {
    var g = RandomGenerator(seed: UInt64(seed))
    var network = Network(
      inputDimension: 48, outputActivation: seed % 2 == 0 ? .softmax : .identity)
    func window(_ channels: Int, _ n: Int) -> SlidingWindow {
      SlidingWindow(
        channels: channels, image: Extent(n, n),
        kernel: Extent(g.integer(1...2), g.integer(1...2)),
        stride: Extent(g.integer(1...2), 1), paddingBefore: Extent(0, g.integer(0...1)),
        paddingAfter: Extent(0, g.integer(0...1)))
    }
    let convolution = Convolution(window: window(3, 4), filters: 3, groups: g.element([1, 3]))
    var last = network.append(
      Convolutional(
        convolution, weight: g.normalMatrix(rows: convolution.filterSize, columns: 3),
        bias: g.normals(3)), to: 0)
    let image = convolution.window.output
    let n = convolution.targetSize
    last = network.append(
      ChannelAffine(
        scale: g.normals(3), shift: g.normals(3), extent: n / 3, isTrained: seed % 3 == 0),
      to: last)
    let activations: [any NetworkOperation] = [
      Elementwise.rectifier(dimension: n), Elementwise(.leakyRectifier(slope: 0.3), dimension: n),
      Elementwise(.clip(lower: -0.1, upper: 2), dimension: n),
      ParametricRectifier(slopes: g.normals(3), extent: n / 3), Inclusion.identity(dimension: n),
    ]
    last = network.append(g.element(activations), to: last)
    let pool = SlidingWindow(
      channels: 3, image: image, kernel: Extent(2, 2), stride: Extent(2, 2),
      paddingBefore: Extent(1, 1), paddingAfter: Extent(1, 1), roundsUp: seed % 5 == 0)
    last = network.append(
      seed % 2 == 0
        ? MaximumPooling(pool) : AveragePooling(pool, includesPadding: seed % 3 == 0), to: last)
    network.append(dense(network.vertices[last].dimension, 4, &g), to: last)
    let again = try SafetensorsNetwork.decode(
      try SafetensorsNetwork.encode(network), file: "again")
    #expect(again.vertices == network.vertices, "seed \(seed)")
    #expect(again.edges.map(\.operation.parameters) == network.edges.map(\.operation.parameters))
    let x = g.normalMatrix(rows: 48, columns: 3)
    #expect(again(x) == network(x), "seed \(seed)")
  }

  @Test func whatDoesNotFitIsRefused() throws {
    let weight = (shape: [2, 3], elements: [1, 2, 3, 4, 5, 6.0])
    let cases: [(String, Data)] = [
      ("expected the state dict of a Sequential", file(["fc1.weight": weight])),
      ("several networks, with prefixes a, b", file(["a.0.weight": weight, "b.0.weight": weight])),
      ("expected 2 numbers", file(["0.weight": weight, "0.bias": ([3], [1, 2, 3])])),
      ("expected [n_out, 2]", file(["0.weight": weight, "1.weight": weight])),
      ("is not finite", file(["0.weight": ([1, 1], [.nan])])),
      ("expected a Linear, BatchNorm1d or PReLU", file(["0.weight": ([1, 1, 1, 1], [1])])),
      ("no arrays", file([:])),
    ]
    for (expected, data) in cases {
      let found = message { _ = try SafetensorsNetwork.decode(data, file: "a") }
      #expect(found.contains(expected), "\(found)")
    }
    for modules in ["{", "[]", #"[{"module":"Tanh","input":[3],"settings":{}}]"#] {
      let data = Safetensors(
        arrays: ["0.weight": NumericArray(shape: [1, 1], elements: [1])],
        metadata: ["swift-sheaf.modules": modules]
      ).encoded(.float32)
      #expect(message { _ = try SafetensorsNetwork.decode(data, file: "a") }.hasPrefix("a: "))
    }
    let residual = try ONNXFile.read(ONNXTests.path("digits-residual"))
    #expect(
      message { _ = try SafetensorsNetwork.encode(residual) }.contains("more than a chain"))
    #expect(message { _ = try NPZNetwork.arrays(of: residual) }.contains("found; an .npz file"))
  }
}
