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
      .onnx holds any network, .safetensors a Sequential, .npz a chain of dense layers with an activation \
      behind each; what a format cannot hold is refused.
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
    var files = CallFiles()
    network.declare(in: &files)
    try files.writes("OUT", out, extensions: NetworkFile.extensions)
    try files.check()
    let network = try network.load()
    var delivery = Delivery()
    delivery.put { try NetworkFile.write(network, to: out, precision: precision) }
    if delivery.isWhole { delivery.report(network, writtenTo: out, asJSON: json) }
    try delivery.end()
  }
}

extension Delivery {
  /// Says what a network file holds that was written.
  mutating func report(_ network: Network, writtenTo path: String, asJSON: Bool) {
    let counts = [
      ("vertices", network.vertices.count), ("edges", network.edges.count),
      ("parameters", network.parameterCount),
    ]
    if asJSON {
      var object: [String: Any] = ["status": "done", "out": path]
      for (name, count) in counts { object[name] = count }
      put { try JSONOutput.print(object) }
    } else {
      print("\(path): " + counts.map { "\($0.1) \($0.0)" }.joined(separator: ", "))
    }
  }
}
