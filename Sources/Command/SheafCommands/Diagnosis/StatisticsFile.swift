import ArrayFiles
import Foundation
import LinearAlgebra
import NetworkDiagnosis
import NeuralSheaves
import SheafTraining

/// What training puts down for later diagnoses, in an .npz file: the moments of the stalks on the training inputs, and the flip energies of the
/// training samples along training.
struct StatisticsFile {
  /// What training inputs are like; nil where there are too few to say.
  var familiarity: FamiliarityModel?
  /// The flip energies; empty where outputs are no classes.
  var flips = FlipRecord()

  private static let (flipKey, epochKey, markKey) = (
    "flipEnergies", "flipEpochs", "flipFingerprints"
  )

  /// Reads a file that `write` wrote for this network, or one of its shape.
  static func read(_ path: String, for network: Network) throws -> StatisticsFile {
    let arrays = try NPZ.read(path).compactMapValues(\.matrix)
    do {
      return StatisticsFile(
        familiarity: arrays["calibration"] == nil
          ? nil : try FamiliarityModel(arrays, of: network),
        flips: try flips(arrays, path))
    } catch let error as FamiliarityError {
      throw ArrayFileError(file: path, problem: "\(error)")
    }
  }

  /// The record of a file, if it is there, for a run that goes on.
  static func readFlips(_ path: String) throws -> FlipRecord {
    guard FileManager.default.fileExists(atPath: path) else { return FlipRecord() }
    return try flips(NPZ.read(path).compactMapValues(\.matrix), path)
  }

  private static func flips(_ arrays: [String: Matrix], _ path: String) throws -> FlipRecord {
    guard let energies = arrays[flipKey], let epochs = arrays[epochKey], let marks = arrays[markKey]
    else { return FlipRecord() }
    let whole = epochs.elements.compactMap { Int(exactly: $0) }
    guard energies.firstNonFinite == nil, whole.count == epochs.count,
      let record = FlipRecord(
        epochs: whole, energies: energies, fingerprints: marks.elements)
    else {
      throw ArrayFileError(
        file: path,
        problem:
          "\(flipKey) has shape \(energies.shape), \(epochKey) \(epochs.shape) and \(markKey) \(marks.shape), expected a row for each sample and a column for each epoch in turn"
      )
    }
    return record
  }

  /// Writes it.
  func write(to path: String, of network: Network) throws {
    var arrays = familiarity?.arrays(of: network) ?? [:]
    if !flips.epochs.isEmpty {
      arrays[Self.flipKey] = flips.energies
      arrays[Self.markKey] = Matrix(column: flips.fingerprints)
      arrays[Self.epochKey] = Matrix(column: flips.epochs.map(Double.init))
    }
    try NPZ.write(arrays.mapValues { NumericArray($0) }, to: path)
  }
}
