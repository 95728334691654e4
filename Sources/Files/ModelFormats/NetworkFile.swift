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
  ///   - reading: what is said beside the file.
  ///   - note: told what was read where the file does not say all of it, one line each.
  public static func read(
    _ path: String, _ reading: NetworkReading = NetworkReading(),
    note: (String) -> Void = { _ in }
  ) throws -> Network {
    let ending = URL(fileURLWithPath: path).pathExtension.lowercased()
    if ending != "onnx" {
      try reading.refuse([.outputTensor], in: path, because: "it is for .onnx files")
    }
    switch ending {
    case "onnx":
      try check(path, is: .onnx)
      try reading.refuse(
        [.prefix, .activation, .layerOrder, .batchNormEpsilon], in: path,
        because: "an .onnx file says it itself")
      return reading.applied(to: try ONNXFile.read(path, outputTensor: reading.outputTensor))
    case "safetensors": return try SafetensorsNetwork.read(path, reading, note: note)
    case "npz": return try NPZNetwork.read(path, reading, note: note)
    default:
      let found = FileSignature(try ArrayFile.firstBytes(path))
      throw ArrayFileError(
        file: path,
        problem: (found.map { "is \($0.summary), " } ?? "unknown kind of network, ") + expected)
    }
  }

  private static let expected = "expected a name that ends in .onnx, .safetensors or .npz"

  /// Names a file of another kind; what is none that is known is left to the reader.
  private static func check(_ path: String, is kind: FileSignature) throws(ArrayFileError) {
    guard let found = FileSignature(try ArrayFile.firstBytes(path)), found != kind else { return }
    throw ArrayFileError(file: path, problem: "is \(found.summary), not \(kind.summary)")
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
      let (arrays, texts) = try NPZNetwork.arrays(of: network, file: path)
      try NPZ.write(arrays, texts: texts, to: path)
    default: throw ArrayFileError(file: path, problem: expected)
    }
  }

  /// Checks that a file of this name can hold a network; the parameters' values do not matter.
  public static func check(_ network: Network, fits path: String) throws {
    switch URL(fileURLWithPath: path).pathExtension.lowercased() {
    case "onnx": _ = try ONNXFile.encode(network, file: path)
    case "safetensors": _ = try SafetensorsNetwork.encode(network, file: path)
    case "npz": _ = try NPZNetwork.arrays(of: network, file: path)
    default: throw ArrayFileError(file: path, problem: expected)
    }
  }
}
