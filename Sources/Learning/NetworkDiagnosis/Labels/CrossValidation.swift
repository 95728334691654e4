import Foundation
import LinearAlgebra
import NeuralSheaves
import SheafTraining

/// Probabilities of classes for samples that were not trained on: the network is trained anew without each part of the samples in turn.
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
  /// −log d² by class, d the Mahalanobis distance in the last hidden stalk of that network from the class among the samples it was trained on; nil where
  /// there is no such stalk, or it has more than 2,048 coordinates.
  public let distanceScores: Matrix?

  /// Trains a network of this shape, with new weights, for each fold. The parts have the classes in like numbers.
  ///
  /// Cost: folds · epochs of backpropagation.
  /// - Throws: `TrainingError` for networks that cannot be trained; `NetworkError`.
  public init(
    _ samples: NetworkSamples, settings: Settings = .init(), halt: Halt = .never,
    progress: (@Sendable (Int) -> Void)? = nil
  ) throws {
    guard let target = samples.target, let classes = samples.classes,
      let count = samples.network.classCount
    else { preconditionFailure("cross-validation of samples without classes") }
    var generator = RandomGenerator(seed: settings.seed)
    let parts = Self.parts(classes, settings.folds, using: &generator)
    var runs: [Run] = []
    for held in parts where !held.isEmpty {
      let isHeld = Set(held)
      let kept = (0..<samples.count).filter { !isHeld.contains($0) }
      var network = samples.network
      network.reinitialize(using: &generator)
      runs.append(
        Run(
          network: network, held: held, input: samples.input.columns(held),
          classes: kept.map { classes[$0] },
          data: try TrainingData(
            input: samples.input.columns(kept), target: target.columns(kept), for: network)))
    }
    // Small networks train faster side by side than each on all threads.
    let isSmall = samples.network.cost * settings.batch < 4_000_000
    let threads = isSmall ? Threads.count : 1
    forEachInParallel(&runs, threads: threads) { run in
      run.train(settings, threads: isSmall ? 1 : Threads.count, halt, progress)
    }
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
    (self.logits, distanceScores) = (logits, distances)
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

  private struct Run: Sendable {
    let network: Network
    let held: [Int]
    let input: Matrix
    /// Of the samples of `data`.
    let classes: [Int]
    let data: TrainingData
    var result: Result<(logits: Matrix, distances: Matrix?), any Error>?

    mutating func train(
      _ settings: Settings, threads: Int, _ halt: Halt, _ progress: (@Sendable (Int) -> Void)?
    ) {
      result = Result {
        var training = try GradientTraining.Settings(
          .adam, rate: settings.rate, batch: settings.batch, seed: settings.seed)
        training.threads = threads
        var trainer = try GradientTraining(
          network, data: data, rule: Backpropagation(), settings: training)
        let epochs = settings.epochs(data.count)
        for epoch in 0..<epochs where halt.reason == nil {
          _ = try trainer.runEpoch(
            Double(epoch) / Double(epochs)...Double(epoch + 1) / Double(epochs),
            isInterrupted: { halt.reason != nil })
          progress?(1)
        }
        return Self.judged(trainer.network, input, data.input, classes)
      }
    }

    /// What a network says of samples held out.
    private static func judged(
      _ network: Network, _ held: Matrix, _ seen: Matrix, _ classes: [Int]
    ) -> (logits: Matrix, distances: Matrix?) {
      let sheaf = NeuralSheaf(network)
      let state = sheaf.forwardPass(held)
      let logits = network.classLogits(state.stalks[network.lastVertex])
      guard let v = network.lastHiddenVertex, network.vertices[v].dimension <= 2048,
        let gaussians = try? ClassGaussians(
          sheaf.forwardPass(seen).stalks[v], classes: classes, count: logits.rows,
          shrinkage: .ledoitWolf)
      else { return (logits, nil) }
      var scores = gaussians.squaredDistances(state.stalks[v])
      for j in 0..<scores.columns {
        // A class without samples is infinitely far.
        for c in 0..<scores.rows { scores[c, j] = -log(min(max(scores[c, j], 1e-9), 1e30)) }
      }
      return (logits, scores)
    }
  }
}
