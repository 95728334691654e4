import ArrayFiles
import Foundation
import LinearAlgebra
import NeuralSheaves

/// Networks in safetensors files.
///
/// Our own files are the state dict of a `Sequential`, `0.weight`, `0.bias`, …, with the list of its
/// modules in the metadata (`swift-sheaf.modules`, JSON), φ (`swift-sheaf.outputActivation`) and what the
/// outputs stand for (`swift-sheaf.classes`, JSON); the arrays are what `load_state_dict` of the same
/// `Sequential` expects. Other files are state dicts, which hold arrays and no more: `NetworkReading` has to
/// say what stands between their layers, and the reading is stated.
public enum SafetensorsNetwork {
  static let modulesKey = "swift-sheaf.modules"
  static let activationKey = "swift-sheaf.outputActivation"
  static let classesKey = "swift-sheaf.classes"
  /// The version in the metadata of a checkpoint of a training run, which is no network.
  package static let checkpointKey = "swift-sheaf.checkpoint"

  /// Reads a network.
  ///
  /// - Parameter note: told what was read where the file does not say all of it, one line each.
  /// - Throws: `ArrayFileError` for the file, naming the array that is missing or does not fit.
  public static func read(
    _ path: String, _ reading: NetworkReading = NetworkReading(),
    note: (String) -> Void = { _ in }
  ) throws(ArrayFileError) -> Network {
    try decode(try ArrayFile.bytes(path), file: path, reading, note: note)
  }

  /// Reads a network from the bytes of a file.
  public static func decode(
    _ data: Data, file: String, _ reading: NetworkReading = NetworkReading(),
    note: (String) -> Void = { _ in }
  ) throws(ArrayFileError) -> Network {
    let tensors = try Safetensors(data, file: file)
    func fail(_ problem: String) -> ArrayFileError { ArrayFileError(file: file, problem: problem) }
    guard tensors.metadata[checkpointKey] == nil else {
      throw fail(
        "is the checkpoint of a training run, not a network; sheaf train --resume \(file) --out "
          + "network.onnx goes on to its end and writes the network")
    }
    guard let list = tensors.metadata[modulesKey] else {
      let network = try StateDictReader(file: file, reading: reading)
        .read(tensors.arrays, note: note)
      return reading.applied(to: network)
    }
    try reading.refuse(
      [.prefix, .activation, .layerOrder, .batchNormEpsilon], in: file,
      because: "its metadata list its modules")
    guard let modules = try? JSONDecoder().decode([SequentialModule].self, from: Data(list.utf8))
    else { throw fail("metadata \(modulesKey) is not a list of modules") }
    let name = tensors.metadata[activationKey] ?? OutputActivation.identity.rawValue
    guard let activation = OutputActivation(rawValue: name) else {
      throw fail(
        "metadata \(activationKey) is \"\(name.printable)\", expected identity, sigmoid or softmax")
    }
    var reader = try SequentialReader(tensors.arrays, file: file)
    var network = try reader.listed(modules, outputActivation: activation)
    if let classes = tensors.metadata[classesKey] {
      try network.setClassNames(json: classes, file: file)
    }
    return reading.applied(to: network)
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
    var metadata = [
      "format": "pt", modulesKey: String(decoding: list, as: UTF8.self),
      activationKey: network.outputActivation.rawValue,
    ]
    if !network.classNames.isEmpty { metadata[classesKey] = network.classNamesJSON }
    return Safetensors(arrays: writer.arrays, metadata: metadata).encoded(
      precision ?? (isSingle ? .float32 : .float64))
  }
}
