import Foundation
import LinearAlgebra
import NeuralSheaves
import SheafTraining

/// What networks say of samples that they were not trained on: the network is trained anew without each part of the samples in turn.
///
/// Inputs are scaled (`InputScaling`), so that their units do not matter.
public struct CrossValidation: Sendable {
  /// How networks are trained.
  public struct Settings: Sendable {
    /// Into how many parts the samples are cut.
    public var folds = 5
    /// Samples for each step of Adam.
    public var batch = 32
    /// The rate of Adam.
    public var rate = 1e-3
    /// About how many steps.
    public var steps = 1500
    /// The fewest passes over the samples, and the most.
    public var epochs = 6...40
    /// Of the parts, the weights and the batches.
    public var seed: UInt64 = 0

    /// The usual ones.
    public init() {}

    /// The passes over so many samples.
    func epochs(_ count: Int) -> Int {
      min(max(steps * batch / max(count, 1), epochs.lowerBound), epochs.upperBound)
    }
  }

  /// The logits of classes of each sample, (classes, samples), by the network that was trained without it.
  public let logits: Matrix
  /// The squared Mahalanobis distances, from 10⁻⁹ to 10³⁰, in the last hidden stalk of that network from each class among the samples it was trained on; nil where
  /// there is no such stalk, or it has more than 2,048 coordinates.
  public let squaredDistances: Matrix?

  /// Trains a network of this shape, with new weights, for each fold. The parts have the classes in like numbers.
  ///
  /// Cost: folds · epochs of backpropagation.
  /// - Throws: `Interruption` at a halt; `TrainingError` for networks that cannot be trained; `NetworkError`.
  public init(
    _ samples: NetworkSamples, settings: Settings = .init(), halt: Halt = .never
  ) throws {
    guard let target = samples.target, let classes = samples.classes,
      let count = samples.network.classCount
    else { preconditionFailure("cross-validation of samples without classes") }
    var generator = RandomGenerator(seed: settings.seed)
    let start = samples.network.withoutInputScaling
    var runs: [Fold] = []
    for held in Self.parts(classes, settings.folds, using: &generator) where !held.isEmpty {
      var network = start
      network.reinitialize(using: &generator)
      runs.append(Fold(network: network, held: held))
    }
    // Small networks train faster side by side than each on all threads.
    let isSmall = samples.network.cost * settings.batch < 4_000_000
    let input = samples.input
    forEachInParallel(&runs, threads: isSmall ? Threads.count : 1) { run in
      run.train(
        input, target, classes, settings, threads: isSmall ? 1 : Threads.count, halt)
    }
    if let reason = halt.reason { throw Interruption(reason: reason) }
    var logits = Matrix(rows: count, columns: samples.count)
    var distances: Matrix? = logits
    for run in runs {
      let result = try run.result!.get()
      logits.scatterColumns(run.held, from: result.logits)
      if let own = result.distances {
        distances?.scatterColumns(run.held, from: own)
      } else {
        distances = nil
      }
    }
    (self.logits, squaredDistances) = (logits, distances)
  }

  /// The samples of each part: of every class one after the other into the parts by turns.
  private static func parts(
    _ classes: [Int], _ folds: Int, using generator: inout RandomGenerator
  ) -> [[Int]] {
    let order = generator.permutation(classes.count)
    let sorted = order.enumerated().sorted { (classes[$0.1], $0.0) < (classes[$1.1], $1.0) }
    var parts = [[Int]](repeating: [], count: folds)
    for (k, entry) in sorted.enumerated() { parts[k % folds].append(entry.1) }
    return parts.map { $0.sorted() }
  }
}

extension Network {
  /// The network with fixed scalings of the input, such as those of a standardisation, by 1: inputs come scaled.
  fileprivate var withoutInputScaling: Network {
    var network = self
    for (e, edge) in edges.enumerated() where edge.source == 0 && edge.operation is ChannelAffine {
      guard edge.operation.parameterNames.isEmpty else { continue }
      let n = edge.operation.sourceDimension
      network.replaceOperation(
        of: e,
        by: ChannelAffine(
          scale: [Double](repeating: 1, count: n), shift: [Double](repeating: 0, count: n),
          extent: 1, isTrained: false))
    }
    return network
  }
}

/// Work that was ended before it was done.
public struct Interruption: Error, CustomStringConvertible {
  /// Why.
  public let reason: SolutionStatus

  /// Why, in words.
  public var description: String {
    reason == .timeLimit ? "the time limit was reached" : "interrupted"
  }
}
