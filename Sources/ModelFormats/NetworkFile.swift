import ArrayFiles
import Foundation
import NeuralSheaves

/// Networks in files of any kind, by the ending of the name.
public enum NetworkFile {
  /// The endings of names.
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
    case "safetensors": network = try SafetensorsNetwork.read(path, prefix: prefix)
    case "npz": network = try NPZNetwork.read(path, prefix: prefix)
    default: throw unknown(path)
    }
    if let outputActivation { network.outputActivation = outputActivation }
    return network
  }

  /// Writes a network whole or not at all.
  ///
  /// - Parameter precision: nil for float32 where every number is one, else float64; .npz files are
  ///   always float64.
  public static func write(
    _ network: Network, to path: String, precision: ElementPrecision? = nil
  ) throws {
    switch URL(fileURLWithPath: path).pathExtension.lowercased() {
    case "onnx":
      try ArrayFile.write(
        try ONNXFile.encode(network, precision: precision, file: path), to: path)
    case "safetensors":
      try ArrayFile.write(
        try SafetensorsNetwork.encode(network, precision: precision, file: path), to: path)
    case "npz":
      guard precision != .float32 else {
        throw ArrayFileError(file: path, problem: "an .npz file is float64, not float32")
      }
      try NPZ.write(try NPZNetwork.arrays(of: network, file: path), to: path)
    default: throw unknown(path)
    }
  }

  /// Checks that a file of this name can hold a network; the parameters' values do not matter.
  public static func check(_ network: Network, fits path: String) throws {
    switch URL(fileURLWithPath: path).pathExtension.lowercased() {
    case "onnx": _ = try ONNXFile.encode(network, file: path)
    case "safetensors": _ = try SafetensorsNetwork.encode(network, file: path)
    case "npz": _ = try NPZNetwork.arrays(of: network, file: path)
    default: throw unknown(path)
    }
  }

  private static func unknown(_ path: String) -> ArrayFileError {
    ArrayFileError(
      file: path, problem: "unknown kind of network, expected .onnx, .safetensors or .npz")
  }
}
