import ArgumentParser
import ArrayFiles
import Foundation
import ModelFormats
import NeuralSheaves

extension ElementPrecision: ExpressibleByArgument {}

struct Convert: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Write a network in another format.",
    discussion: """
      .onnx holds any network, .safetensors a Sequential, .npz a chain of dense layers with ReLU.
      Example: sheaf convert trained.npz trained.onnx
      """)

  @OptionGroup var network: NetworkOptions
  @Argument(help: "The file to write: .onnx, .safetensors or .npz.") var out: String
  @Option(
    help: """
      float32 or float64; default float32 where every number is one, else float64. ONNX Runtime has \
      no convolution of doubles.
      """) var precision: ElementPrecision?
  @Flag(help: "Print one JSON object.") var json = false

  func run() throws {
    try checkWritable(out, extensions: NetworkFile.extensions)
    let network = try network.load()
    try NetworkFile.write(network, to: out, precision: precision)
    let counts = [
      ("vertices", network.vertices.count), ("edges", network.edges.count),
      ("parameters", network.parameterCount),
    ]
    if json {
      var object: [String: Any] = ["status": "done", "out": out]
      for (name, count) in counts { object[name] = count }
      return try JSONOutput.print(object)
    }
    print("\(out): " + counts.map { "\($0.1) \($0.0)" }.joined(separator: ", "))
  }
}
