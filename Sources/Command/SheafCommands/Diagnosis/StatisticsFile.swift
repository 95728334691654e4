import ArrayFiles
import LinearAlgebra
import NetworkDiagnosis
import NeuralSheaves

/// What training puts down for later diagnoses, in an .npz file: the moments of the stalks on the training inputs, and the flip energy of each
/// training sample along training.
struct StatisticsFile {
  /// What training inputs are like.
  let familiarity: FamiliarityModel
  /// The mean along training of the flip energy of each sample; empty where outputs are no classes.
  let flipEnergies: [Double]

  private static let flipKey = "flipEnergies"

  /// Reads a file that `write` wrote for this network, or one of its shape.
  static func read(_ path: String, for network: Network) throws -> StatisticsFile {
    var arrays = try NPZ.read(path).compactMapValues(\.matrix)
    let flips = arrays.removeValue(forKey: flipKey)?.elements ?? []
    do {
      return StatisticsFile(
        familiarity: try FamiliarityModel(arrays, of: network), flipEnergies: flips)
    } catch {
      throw ArrayFileError(file: path, problem: "\(error)")
    }
  }

  /// Writes it.
  func write(to path: String, of network: Network) throws {
    var arrays = familiarity.arrays(of: network)
    if !flipEnergies.isEmpty { arrays[Self.flipKey] = Matrix(column: flipEnergies) }
    try NPZ.write(arrays.mapValues { NumericArray($0) }, to: path)
  }
}
