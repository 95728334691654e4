import ArgumentParser
import ArrayFiles
import Foundation
import ModelFormats
import NeuralSheaves

extension OutputEdge.Energy: ExpressibleByArgument {}

/// NETWORK and how to read it.
struct NetworkOptions: ParsableArguments {
  @Argument(
    help: "The network: .onnx, .safetensors (a state dict), or .npz with W1, b1, W2, b2, ….")
  var network: String

  @OptionGroup(title: "Reading the network") var reading: NetworkReadingOptions

  /// Declares the network's file.
  func declare(in files: inout CallFiles) { files.reads("NETWORK", network) }

  func load() throws -> Network { try reading.load(network) }
}
