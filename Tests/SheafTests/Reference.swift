import ArrayFiles
import Foundation
import LinearAlgebra
import ModelFormats
import NeuralSheaves

/// A case of Tests/ReferenceData: the arrays of NAME.npz and the settings of NAME.json.
struct Reference {
  let arrays: [String: NumericArray]
  let settings: [String: Any]
  let path: String

  static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().appendingPathComponent("ReferenceData")

  init(_ name: String) throws {
    path = Self.folder.appendingPathComponent(name + ".npz").path
    arrays = try NPZ.read(path)
    let json = try Data(contentsOf: Self.folder.appendingPathComponent(name + ".json"))
    settings = try JSONSerialization.jsonObject(with: json) as! [String: Any]
  }

  subscript(_ key: String) -> Matrix { arrays[key]!.matrix! }
  func scalar(_ key: String) -> Double { arrays[key]!.elements[0] }
  func number(_ key: String) -> Double { (settings[key] as! NSNumber).doubleValue }

  func network(prefix: String = "", activation: OutputActivation = .identity) throws -> Network {
    try NPZNetwork.read(path, NetworkReading(prefix: prefix, outputActivation: activation))
  }

  func state(_ prefix: String, _ network: Network, hasOutput: Bool = false) throws -> SheafState {
    try NPZState.read(
      path, prefix: prefix, network: network, input: self["X"], samplesInColumns: true,
      hasOutput: hasOutput)
  }
}

/// The largest difference relative to the largest magnitude of the second array.
func relativeError(_ a: Matrix, _ b: Matrix) -> Double {
  var d = a
  d.add(b, scale: -1)
  return d.maximumMagnitude / max(b.maximumMagnitude, .leastNormalMagnitude)
}

/// The largest relative difference between the stalks of two states.
func relativeError(_ a: SheafState, _ b: SheafState) -> Double {
  var worst = zip(a.stalks, b.stalks).map(relativeError).max()!
  if let p = a.output, let q = b.output { worst = max(worst, relativeError(p, q)) }
  return worst
}
