import LinearAlgebra
import NetworkDiagnosis
import NeuralSheaves
import SheafTraining

/// Looks at the training samples while a network is trained, and at the end at what they are like.
struct StatisticsObserver {
  let path: String
  private let data: TrainingData
  /// The epochs from one look to the next.
  private let interval: Int
  private var record = FlipRecord()

  /// About how many looks there are in a run.
  private static let looks = 20

  /// - Parameter isResumed: whether looks that the file has of earlier epochs stay.
  init(to path: String, on data: TrainingData, epochs: Int, isResumed: Bool) throws {
    (self.path, self.data) = (path, data)
    interval = max(1, epochs / Self.looks)
    if isResumed {
      let earlier = try StatisticsFile.readFlips(path)
      if earlier.energies.rows == data.count { record = earlier }
    }
  }

  /// Looks after an epoch, if it is time to.
  mutating func look(at network: Network, epoch: Int) {
    record.forget(from: epoch)
    guard epoch > 0, epoch % interval == 0 else { return }
    record.look(at: network, epoch: epoch, data)
  }

  /// Writes what was seen, with what training inputs look like to a network.
  func write(of network: Network) throws {
    var file = StatisticsFile()
    file.flips = record
    do {
      file.familiarity = try FamiliarityModel(
        network, training: data.input, hasNeighbours: false)
    } catch {
      Note.say("--statistics: no statistics of the stalks: \(error)")
    }
    try file.write(to: path, of: network)
  }
}
