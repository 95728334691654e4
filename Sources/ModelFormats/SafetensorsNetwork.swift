import ArrayFiles
import Foundation
import LinearAlgebra
import NeuralSheaves

/// The modules of a PyTorch `Sequential`, each with the settings that its state dict does not hold.
struct SequentialModule: Codable, Equatable {
  /// The class in `torch.nn`.
  var module: String
  /// The shape of a sample that it reads, channels first.
  var input: [Int]
  /// Settings by PyTorch's names.
  var settings: [String: [Double]]
}

/// Networks in safetensors files: the state dict of a `Sequential`, `0.weight`, `0.bias`, ….
///
/// Our own files list the modules in their metadata (`swift-sheaf.modules`, JSON) and φ
/// (`swift-sheaf.outputActivation`); the arrays are what `load_state_dict` of the same `Sequential`
/// expects. Without the list, in PyTorch's own files, modules with two axes of weight are `Linear`, those with
/// running statistics `BatchNorm1d` (ε = 10⁻⁵), those with a weight alone of one axis `PReLU`; where
/// numbers are left out between two of them, there is one ReLU.
public enum SafetensorsNetwork {
  static let modulesKey = "swift-sheaf.modules"
  static let activationKey = "swift-sheaf.outputActivation"

  /// Reads a network.
  ///
  /// - Parameter prefix: of every key, such as `net.`; "" also finds the only prefix there is.
  /// - Throws: `ArrayFileError` for the file, naming the array that is missing or does not fit.
  public static func read(_ path: String, prefix: String = "") throws(ArrayFileError) -> Network {
    try decode(try ArrayFile.bytes(path), file: path, prefix: prefix)
  }

  /// Reads a network from the bytes of a file.
  public static func decode(
    _ data: Data, file: String, prefix: String = ""
  ) throws(ArrayFileError) -> Network {
    let tensors = try Safetensors(data, file: file)
    var reader = try SequentialReader(tensors.arrays, file: file, prefix: prefix)
    guard let list = tensors.metadata[modulesKey] else { return try reader.plain() }
    guard let modules = try? JSONDecoder().decode([SequentialModule].self, from: Data(list.utf8))
    else {
      throw ArrayFileError(file: file, problem: "metadata \(modulesKey) is not a list of modules")
    }
    let name = tensors.metadata[activationKey] ?? OutputActivation.identity.rawValue
    guard let activation = OutputActivation(rawValue: name) else {
      throw ArrayFileError(
        file: file,
        problem: "metadata \(activationKey) is \"\(name)\", expected identity, sigmoid or softmax")
    }
    return try reader.listed(modules, outputActivation: activation)
  }

  /// The bytes of a file of a chain of operations.
  ///
  /// - Parameter precision: nil for float32 where every parameter is one, else float64.
  /// - Throws: `ArrayFileError` for a network that is no chain, or an operation that is no module.
  public static func encode(
    _ network: Network, precision: ElementPrecision? = nil, file: String = "network.safetensors"
  ) throws(ArrayFileError) -> Data {
    var writer = SequentialWriter(file: file)
    try writer.write(network)
    let isSingle = writer.arrays.values.allSatisfy { array in
      array.elements.allSatisfy { Double(Float($0)) == $0 }
    }
    if precision == .float32,
      let name = writer.arrays.first(where: { !$0.value.elements.allSatisfy { Float($0).isFinite } }
      )?
      .key
    {
      throw ArrayFileError(
        file: file, problem: "\(name) has numbers beyond the range of float32; write float64")
    }
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys]
    guard let list = try? encoder.encode(writer.modules) else {
      throw ArrayFileError(file: file, problem: "cannot be written: a setting is not finite")
    }
    return Safetensors(
      arrays: writer.arrays,
      metadata: [
        "format": "pt", modulesKey: String(decoding: list, as: UTF8.self),
        activationKey: network.outputActivation.rawValue,
      ]
    ).encoded(precision ?? (isSingle ? .float32 : .float64))
  }
}
