import ArgumentParser
import Foundation
import LinearAlgebra
import ModelFormats
import NeuralSheaves

struct Init: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Make a random network: dense layers with ReLU between them.",
    discussion: """
      Weights are normal with variance 2/n, n the width before (He et al. 2015), biases 0.
      Example: sheaf init --layers 64,128,10 --output-activation softmax --out start.safetensors
      """)

  @Option(help: "The widths of the layers, the input's first, such as 64,128,10.")
  var layers: String
  @Option(help: "The seed of random numbers.") var seed: UInt64 = 0
  @Option(help: "The output activation: identity, sigmoid or softmax.")
  var outputActivation: OutputActivation = .identity
  @Option(help: "The file to write: .onnx, .safetensors or .npz.") var out: String
  @Flag(help: "Print one JSON object.") var json = false

  func run() throws {
    var files = CallFiles()
    try files.writes("--out", out, extensions: NetworkFile.extensions)
    try files.check()
    var generator = RandomGenerator(seed: seed)
    let network = try Network(
      layers: layers, outputActivation: outputActivation, using: &generator)
    var delivery = Delivery()
    delivery.put { try NetworkFile.write(network, to: out) }
    if delivery.isWhole { delivery.report(network, writtenTo: out, asJSON: json) }
    try delivery.end()
  }
}

extension Network {
  /// The random chain that `--layers` asks for.
  init(
    layers: String, outputActivation: OutputActivation, using generator: inout RandomGenerator
  ) throws {
    let widths = try layers.split(separator: ",", omittingEmptySubsequences: false).map {
      guard let n = Int($0.trimmingCharacters(in: .whitespaces)) else {
        throw ValidationError(
          "--layers \(layers): \"\($0)\" is not a whole number, expected widths such as 64,128,10")
      }
      return n
    }
    do {
      try self.init(widths: widths, outputActivation: outputActivation, using: &generator)
    } catch {
      throw ValidationError("--layers \(layers): \(error)")
    }
  }
}
