import ArrayFiles
import Foundation
import LinearAlgebra
import ModelFormats
import SheafTraining

/// Checkpoints in safetensors files: the arrays of a `TrainingState` in double precision and, in the
/// metadata, a version, the run's settings, its numbers and its texts.
///
/// Files are written under a temporary name and renamed: there is always a whole one.
enum CheckpointFile {
  private static let versionKey = SafetensorsNetwork.checkpointKey
  private static let version = "1"
  private static let settingsKey = "settings"

  /// Whether a file is a checkpoint, of any version.
  static func isOne(_ path: String) -> Bool {
    path.lowercased().hasSuffix(".safetensors")
      && (try? Safetensors(contentsOf: path))?.metadata[versionKey] != nil
  }

  static func write(
    _ state: TrainingState, settings: [String: String], to path: String
  ) throws {
    var metadata = [versionKey: version, settingsKey: try json(settings)]
    // Decimal texts: JSON's numbers do not reach 2⁶⁴ everywhere.
    metadata["numbers"] = try json(state.numbers.mapValues { $0.map { "\($0)" } })
    metadata["texts"] = try json(state.texts)
    let file = Safetensors(
      arrays: state.arrays.mapValues { NumericArray(samples: $0) }, metadata: metadata)
    try ArrayFile.write(file.encoded(.float64), to: path)
  }

  static func read(_ path: String) throws -> (state: TrainingState, settings: [String: String]) {
    let file = try safetensors(path)
    guard let found = file.metadata[versionKey] else {
      throw ArrayFileError(
        file: path,
        problem:
          "is no checkpoint, expected a file that --checkpoint wrote: metadata \(versionKey) is missing"
      )
    }
    guard found == version else {
      throw ArrayFileError(
        file: path, problem: "is a checkpoint of version \(found), expected \(version)")
    }
    func decode<Value: Decodable>(_ key: String, as type: Value.Type) throws -> Value {
      guard let text = file.metadata[key],
        let value = try? JSONDecoder().decode(type, from: Data(text.utf8))
      else {
        throw ArrayFileError(
          file: path, problem: "metadata \(key) of the checkpoint is missing or damaged")
      }
      return value
    }
    var state = TrainingState()
    state.texts = try decode("texts", as: [String: String].self)
    for (name, list) in try decode("numbers", as: [String: [String]].self) {
      state.numbers[name] = try list.map {
        guard let n = UInt64($0) else {
          throw ArrayFileError(
            file: path, problem: "number \($0) of \(name) is not a whole number below 2⁶⁴")
        }
        return n
      }
    }
    for (name, array) in file.arrays {
      guard array.shape.count == 2 else {
        throw ArrayFileError(
          file: path, problem: "array \(name) has \(array.shape.count) axes, expected 2")
      }
      state.arrays[name] = array.samples
    }
    return (state, try decode(settingsKey, as: [String: String].self))
  }

  private static func safetensors(_ path: String) throws -> Safetensors {
    do { return try Safetensors(contentsOf: path) } catch {
      guard FileManager.default.isReadableFile(atPath: path), !FileIdentity.isFolder(path) else {
        throw error
      }
      throw ArrayFileError(
        file: path,
        problem: "is no checkpoint, expected a .safetensors file that --checkpoint wrote: "
          + error.problem)
    }
  }

  private static func json(_ value: some Encodable) throws -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    return String(decoding: try encoder.encode(value), as: UTF8.self)
  }
}
