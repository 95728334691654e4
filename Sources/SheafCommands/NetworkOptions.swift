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

  func load() throws -> Network {
    try NetworkFile.read(network, prefix: prefix, outputActivation: outputActivation)
  }
}

/// Says at once, before any work, that a file cannot be written.
func checkWritable(_ path: String?, extensions expected: [String]) throws {
  guard let path else { return }
  guard expected.contains(where: { path.hasSuffix("." + $0) }) else {
    throw ValidationError(
      "\(path): expected a name that ends in .\(expected.joined(separator: ", ."))")
  }
  let folder = URL(fileURLWithPath: path).deletingLastPathComponent().path
  var isDirectory: ObjCBool = false
  guard FileManager.default.fileExists(atPath: folder, isDirectory: &isDirectory),
    isDirectory.boolValue
  else { throw ArrayFileError(file: path, problem: "cannot be written: no folder \(folder)") }
  guard FileManager.default.isWritableFile(atPath: folder),
    !FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory)
      || !isDirectory.boolValue
  else { throw ArrayFileError(file: path, problem: "cannot be written: no permission") }
}
