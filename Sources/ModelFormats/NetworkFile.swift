import ArrayFiles
import Foundation
import NeuralSheaves

/// Networks in files of any kind, by the ending of the name.
public enum NetworkFile {
  /// The endings of names that are read, and written.
  public static let extensions = ["onnx", "safetensors", "npz"]

  /// Reads a network.
  ///
  /// - Parameters:
  ///   - prefix: of the keys in an .npz or .safetensors file.
  ///   - outputActivation: φ; nil for what the file says, else the identity.
  public static func read(
    _ path: String, prefix: String = "", outputActivation: OutputActivation? = nil
  ) throws -> Network {
    var network: Network
    switch URL(fileURLWithPath: path).pathExtension.lowercased() {
    case "onnx": network = try ONNXFile.read(path)
    case "npz": network = try NPZNetwork.read(path, prefix: prefix)
    default:
      throw ArrayFileError(
        file: path,
        problem: "unknown kind of network, expected .onnx, .safetensors or .npz")
    }
    if let outputActivation { network.outputActivation = outputActivation }
    return network
  }
}
