import ArrayFiles
import Foundation
import LinearAlgebra
import NetworkKernels
import NeuralSheaves
import Testing

@testable import ModelFormats

/// Networks as the state dicts of a `Sequential`.
struct SafetensorsNetworkTests {
  @Test func pyTorchsStateDict() throws {
    let network = try SafetensorsNetwork.read(
      Reference.folder.appendingPathComponent("models/digits-mlp.safetensors").path,
      NetworkReading(activations: [.function(.rectifier)]))
    let expected = try ONNXTests.expected("digits-mlp")
    let logits = network.logits(expected["input"]!.samples)
    #expect(relativeError(logits, expected["logits"]!.samples) < 1e-12)
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
      Elementwise(.absolute, dimension: n),
      Elementwise(.hardSigmoid(slope: 0.4, offset: 0.5), dimension: n),
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
    for modules in ["{", "[]", #"[{"module":"Tanh","input":[3],"settings":{}}]"#] {
      let data = Safetensors(
        arrays: ["0.weight": NumericArray(shape: [1, 1], elements: [1])],
        metadata: ["swift-sheaf.modules": modules]
      ).encoded(.float32)
      #expect(message { _ = try SafetensorsNetwork.decode(data, file: "a") }.hasPrefix("a: "))
    }
    for key in ["1.weight", "0.scale", "fc1.weight"] {
      var stray = try Safetensors(
        SafetensorsNetwork.encode(Network(weights: [Matrix([[1]])], biases: [[2]])), file: "a")
      stray.arrays[key] = NumericArray(shape: [1, 1], elements: [1])
      let found = message {
        _ = try SafetensorsNetwork.decode(stray.encoded(.float32), file: "a")
      }
      #expect(found.hasPrefix("a: ") && found.contains(key.split(separator: ".")[0]), "\(found)")
    }
    let residual = try ONNXFile.read(ONNXTests.path("digits-residual"))
    #expect(
      message { _ = try SafetensorsNetwork.encode(residual) }.contains("more than a chain"))
    #expect(message { _ = try NPZNetwork.arrays(of: residual) }.contains("found; an .npz file"))
  }
}
