import ArgumentParser
import ArrayFiles
import Foundation
import ModelFormats
import NeuralSheaves

extension OutputActivation: ExpressibleByArgument {}
extension OutputEdge.Energy: ExpressibleByArgument {}

/// NETWORK and how to read it.
struct NetworkOptions: ParsableArguments {
  @Argument(
    help: "The network: .onnx, .safetensors (a Sequential), or .npz with W1, b1, W2, b2, ….")
  var network: String

  @Option(help: "The prefix of the network's keys in an .npz or .safetensors file, such as init_.")
  var prefix = ""

  @Option(
    help: "The output activation: identity, sigmoid or softmax; default what the file says.")
  var outputActivation: OutputActivation?

  @Option(
    help: """
      The tensor of an .onnx file that is the output: one of several, or one before a softmax, \
      log-softmax or arg-max at the end.
      """)
  var outputTensor: String?

  /// Declares the network's file.
  func declare(in files: inout CallFiles) { files.reads("NETWORK", network) }

  func load() throws -> Network {
    try NetworkFile.read(
      network, prefix: prefix, outputActivation: outputActivation, outputTensor: outputTensor)
  }
}
