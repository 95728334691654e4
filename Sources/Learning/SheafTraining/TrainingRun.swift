import Foundation
import NeuralSheaves

/// How a training run ended.
public enum TrainingStatus: String, Sendable, Codable {
  /// All epochs were run.
  case completed
  /// The validation loss did not fall for the given number of epochs.
  case stoppedEarly
  /// A loss was not finite; the parameters are those at that moment.
  case diverged
  /// It was asked to stop; the records are those of the epochs that were finished.
  case interrupted
}

/// A training run: epochs of a trainer, each with its record, early stopping, and a state to go on from
/// after each.
public struct TrainingRun<Method: Trainer> {
  /// The trainer.
  public private(set) var trainer: Method
  /// The epochs of the whole run.
  public let epochs: Int
  /// Samples held out of training, for early stopping.
  public let validation: TrainingData?
  /// The epochs without a lower validation loss after which the run stops; nil for never.
  public let patience: Int?
  /// Samples that nothing is decided by.
  public let test: TrainingData?
  /// One record for each epoch so far, that of the start first.
  public private(set) var records: [EpochRecord] = []
  /// The epoch of least validation loss, and the network then.
  private var best: (epoch: Int, network: Network)?
  /// The epochs that were finished.
  private var epoch = 0

  /// A run of some epochs.
  ///
  /// - Throws: `TrainingError.setting` for settings out of their range.
  public init(
    _ trainer: Method, epochs: Int, validation: TrainingData? = nil, patience: Int? = nil,
    test: TrainingData? = nil
  ) throws(TrainingError) {
    for (name, value) in [("epochs", epochs), ("patience", patience ?? 1)] where value < 1 {
      throw .setting(name: name, found: "\(value)", expected: "at least 1")
    }
    if patience != nil && validation == nil {
      throw .setting(
        name: "patience", found: "\(patience!)", expected: "validation samples to decide by")
    }
    (self.trainer, self.epochs, self.validation) = (trainer, epochs, validation)
    (self.patience, self.test) = (patience, test)
  }

  /// The network of the run: that of least validation loss where there are validation samples, else
  /// the last.
  public var network: Network { best?.network ?? trainer.network }

  /// The record of `network`.
  public var record: EpochRecord? {
    records.isEmpty ? nil : records[best?.epoch ?? records.count - 1]
  }

  /// Runs the epochs that are left.
  ///
  /// - Parameters:
  ///   - isInterrupted: asked between steps. The steps of an epoch that was interrupted are taken back:
  ///     trainer, records and `state` are those of the last whole epoch.
  ///   - onEpoch: called with the run after each epoch, and before the first.
  /// - Throws: what the trainer throws, such as `EquilibriumError` where its method does not apply.
  public mutating func run(
    onEpoch: (TrainingRun) throws -> Void = { _ in }, isInterrupted: () -> Bool = { false }
  ) throws -> TrainingStatus {
    if records.isEmpty {
      append(EpochReport(), seconds: 0)
      try onEpoch(self)
    }
    guard isFinite else { return .diverged }
    while epoch < epochs {
      if isStale { return .stoppedEarly }
      // Trainers may share storage or be classes: a copy of one would not stand still.
      var before = TrainingState()
      trainer.save(into: &before)
      let clock = ContinuousClock()
      let start = clock.now
      let report: EpochReport
      do {
        report = try trainer.runEpoch(
          Double(epoch) / Double(epochs)...Double(epoch + 1) / Double(epochs),
          isInterrupted: isInterrupted)
      } catch {
        // Parameters beyond all bounds make a method fail that did apply.
        let loss = Evaluation(trainer.network, on: trainer.data).loss
        if !(loss <= 1e6 * max(1, records[0].train.loss)) { return .diverged }
        throw error
      }
      if report.ending == .interrupted {
        try trainer.restore(from: before)
        return .interrupted
      }
      epoch += 1
      append(report, seconds: (clock.now - start) / .seconds(1))
      try onEpoch(self)
      if report.ending == .diverged || !isFinite { return .diverged }
    }
    return .completed
  }

  private var isFinite: Bool { records.last!.train.loss.isFinite }

  private var isStale: Bool {
    guard let patience, let best else { return false }
    return epoch - best.epoch >= patience
  }

  private mutating func append(_ report: EpochReport, seconds: Double) {
    let network = trainer.network
    let record = EpochRecord(
      epoch: epoch, step: (records.last?.step ?? 0) + report.steps,
      train: Evaluation(network, on: trainer.data),
      validation: validation.map { Evaluation(network, on: $0) },
      test: test.map { Evaluation(network, on: $0) },
      seconds: (records.last?.seconds ?? 0) + seconds, rate: report.rate,
      coupling: report.coupling, relaxation: RelaxationSummary(report.relaxation),
      weightNorms: EpochRecord.weightNorms(of: network))
    records.append(record)
    guard let loss = record.validation?.loss else { return }
    let least = best.flatMap { records[$0.epoch].validation?.loss } ?? .infinity
    if best == nil || loss < least || least.isNaN { best = (epoch, network) }
  }
}

/// Checkpoints.
extension TrainingRun {
  /// All that the rest of the run depends on.
  public var state: TrainingState {
    var state = TrainingState()
    trainer.save(into: &state)
    state.numbers["epoch"] = [UInt64(epoch)]
    state.numbers["best"] = best.map { [UInt64($0.epoch)] } ?? []
    if let best { state.save(best.network, named: "best") }
    state.texts["records"] = EpochRecord.encode(records)
    return state
  }

  /// Goes on from a state of a run with the same settings.
  ///
  /// - Throws: `TrainingError.checkpoint` naming what is missing or does not fit.
  public mutating func restore(from state: TrainingState) throws(TrainingError) {
    guard let text = state.texts["records"], let list = EpochRecord.decode(text) else {
      throw .checkpoint("the records are missing or damaged")
    }
    let epoch = try state.integer("epoch")
    let best = try state.list("best")
    guard list.count - 1 == epoch, best.count <= 1, best.allSatisfy({ $0 <= epoch }),
      best.isEmpty == (validation == nil)
    else {
      throw .checkpoint("\(list.count) records and best epoch \(best) for epoch \(epoch)")
    }
    guard epoch <= epochs else {
      throw .checkpoint("\(epoch) epochs are done, expected at most the \(epochs) of the run")
    }
    let vertices = EpochRecord.weightNorms(of: trainer.network).map(\.vertex)
    guard list.allSatisfy({ $0.weightNorms.map(\.vertex) == vertices }) else {
      throw .checkpoint(
        "the records are of another network than \(vertices.joined(separator: ", "))")
    }
    try trainer.restore(from: state)
    (self.epoch, records) = (epoch, list)
    guard let number = best.first else { return }
    var network = trainer.network
    try state.restore(&network, named: "best")
    self.best = (Int(number), network)
  }
}

extension EpochRecord {
  /// Numbers that are not finite are kept as words.
  private static let words = ("Infinity", "-Infinity", "NaN")

  static func encode(_ records: [EpochRecord]) -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys]
    encoder.nonConformingFloatEncodingStrategy = .convertToString(
      positiveInfinity: words.0, negativeInfinity: words.1, nan: words.2)
    return String(decoding: (try? encoder.encode(records)) ?? Data(), as: UTF8.self)
  }

  static func decode(_ text: String) -> [EpochRecord]? {
    let decoder = JSONDecoder()
    decoder.nonConformingFloatDecodingStrategy = .convertFromString(
      positiveInfinity: words.0, negativeInfinity: words.1, nan: words.2)
    return try? decoder.decode([EpochRecord].self, from: Data(text.utf8))
  }
}
