import LinearAlgebra
import NeuralSheaves
import SheafTraining

/// The flip energies m_y of training samples (`FlipEnergies`) looked at along training: labels that are learned late, or never, stay low.
public struct FlipRecord: Sendable, Equatable {
  /// The epochs of the looks, ascending.
  public private(set) var epochs: [Int]
  /// m_y, (samples, looks).
  public private(set) var energies: Matrix
  /// Of each sample a number made of its input and its class, by which it is known again.
  public private(set) var fingerprints: [Double]

  /// A record of nothing yet.
  public init() { (epochs, energies, fingerprints) = ([], Matrix(rows: 0, columns: 0), []) }

  /// A record from its parts; nil where they do not fit together.
  public init?(epochs: [Int], energies: Matrix, fingerprints: [Double]) {
    guard energies.columns == epochs.count, energies.rows == fingerprints.count,
      zip(epochs, epochs.dropFirst()).allSatisfy({ $0 < $1 })
    else { return nil }
    (self.epochs, self.energies, self.fingerprints) = (epochs, energies, fingerprints)
  }

  /// Looks at a network after an epoch; later looks, as of a run that is taken up again before them, are forgotten.
  ///
  /// Cost: n_{k+1} reverse sweeps. Nothing is done where targets are no classes.
  public mutating func look(at network: Network, epoch: Int, _ data: TrainingData) {
    guard let classes = network.classes(ofTargets: data.target) else { return }
    forget(from: epoch)
    if epochs.isEmpty { fingerprints = Self.fingerprints(data.input, classes) }
    var found: [Double] = []
    for start in stride(from: 0, to: data.count, by: 512) {
      let range = start..<min(start + 512, data.count)
      let samples = NetworkSamples(unchecked: network, input: data.input.columns(range))
      found += FlipEnergies(samples, classes: Array(classes[range])).energies
    }
    energies = Matrix(
      rows: data.count, columns: epochs.count + 1,
      columnMajor: (0..<epochs.count).flatMap { energies.column($0) } + found)
    epochs.append(epoch)
  }

  /// Forgets looks at an epoch and after.
  public mutating func forget(from epoch: Int) {
    let kept = epochs.count { $0 < epoch }
    energies = energies.columns(0..<kept)
    epochs = Array(epochs.prefix(kept))
  }

  /// The mean over the looks of each of some samples, (n₀, samples); NaN of those that are not in the record.
  public func means(_ input: Matrix, _ classes: [Int]) -> [Double] {
    var known: [Double: Double] = [:]
    for i in 0..<energies.rows where !epochs.isEmpty {
      known[fingerprints[i]] =
        (0..<epochs.count).reduce(0) { $0 + energies[i, $1] } / Double(epochs.count)
    }
    return Self.fingerprints(input, classes).map { known[$0] ?? .nan }
  }

  /// The fingerprint of the numbers in single precision and the class, 53 bits of it.
  private static func fingerprints(_ input: Matrix, _ classes: [Int]) -> [Double] {
    classes.enumerated().map { j, c in
      var print = Fingerprint()
      for i in 0..<input.rows { print.combine(UInt64(Float(input[i, j]).bitPattern)) }
      print.combine(UInt64(c))
      return Double(print.hash >> 11)
    }
  }
}
