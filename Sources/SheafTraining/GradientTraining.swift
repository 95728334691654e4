import Foundation
import HeatFlow
import LinearAlgebra
import NeuralSheaves

/// Training by a gradient rule and an optimiser, in full or mini-batches.
public struct GradientTraining: Sendable {
  /// The network being trained.
  public private(set) var network: Network
  private let rule: any GradientRule
  private var optimizer: Optimizer
  private let batch: Int
  private let threads: Int
  private var generator: RandomGenerator

  /// A run.
  ///
  /// - Parameters:
  ///   - batch: samples per step; nil for all.
  ///   - seed: of the order of the mini-batches. Two rules with one seed see the same batches.
  public init(
    _ network: Network, rule: any GradientRule, optimizer: Optimizer.Rule, rate: Double,
    batch: Int? = nil, seed: UInt64 = 0,
    threads: Int = ProcessInfo.processInfo.activeProcessorCount
  ) throws(TrainingError) {
    guard rate > 0 && rate.isFinite else {
      throw .setting(name: "rate", found: "\(rate)", expected: "a positive finite number")
    }
    if let batch, batch < 1 {
      throw .setting(name: "batch", found: "\(batch)", expected: "at least 1")
    }
    self.network = network
    self.rule = rule
    self.optimizer = Optimizer(optimizer, rate: rate, for: network)
    self.batch = batch ?? .max
    self.threads = threads
    generator = RandomGenerator(seed: seed)
  }

  /// Trains for some epochs.
  ///
  /// - Parameter onEpoch: called before the first epoch and after each.
  /// - Throws: what the rule throws, such as `EquilibriumError` where its method does not apply.
  public mutating func run(
    epochs: Int, data: TrainingData, test: TrainingData?, onEpoch: (EpochRecord) -> Void
  ) throws -> TrainingStatus {
    var (step, seconds) = (0, 0.0)
    func record(_ epoch: Int, _ report: RelaxationReport) -> Bool {
      let record = EpochRecord(
        epoch: epoch, step: step, train: Evaluation(network, on: data),
        test: test.map { Evaluation(network, on: $0) }, seconds: seconds, relaxation: report)
      onEpoch(record)
      return record.train.loss.isFinite
    }
    guard record(0, RelaxationReport()) else { return .diverged }
    let size = min(batch, data.count)
    for epoch in 1...max(epochs, 1) where epochs > 0 {
      var report = RelaxationReport()
      let clock = ContinuousClock()
      let start = clock.now
      let order = size == data.count ? [] : generator.permutation(data.count)
      for first in stride(from: 0, to: data.count, by: size) {
        let indices = order.isEmpty ? [] : Array(order[first..<min(first + size, data.count)])
        let (x, y) =
          order.isEmpty
          ? (data.input, data.target)
          : (data.input.columns(indices), data.target.columns(indices))
        report.add(try trainStep(x, y))
        step += 1
      }
      seconds += (clock.now - start) / .seconds(1)
      if !record(epoch, report) { return .diverged }
    }
    return .completed
  }

  /// One weight step on a batch, its samples shared out over the threads.
  private mutating func trainStep(_ x: Matrix, _ y: Matrix) throws -> RelaxationReport {
    let parts = SampleBlocks.threads(
      network: network, batch: x.columns * rule.sweeps(network), limit: min(threads, x.columns))
    var shares = (0..<parts).map { i in
      let range = i * x.columns / parts..<(i + 1) * x.columns / parts
      return Share(
        input: parts == 1 ? x : x.columns(range), target: parts == 1 ? y : y.columns(range),
        gradients: ParameterGradients(of: network))
    }
    let (sheaf, rule) = (NeuralSheaf(network), rule)
    let weight = 1 / Double(x.columns)
    forEachInParallel(&shares, threads: parts) { share in
      share.report = Result {
        try rule.setGradients(
          sheaf, input: share.input, target: share.target, weight: weight, into: &share.gradients)
      }
    }
    var report = try shares[0].report.get()
    for share in shares.dropFirst() {
      shares[0].gradients.add(share.gradients)
      report.add(try share.report.get())
    }
    optimizer.step(&network, shares[0].gradients)
    return report
  }

  private struct Share: Sendable {
    let input, target: Matrix
    var gradients: ParameterGradients
    var report: Result<RelaxationReport, any Error> = .success(RelaxationReport())
  }
}
