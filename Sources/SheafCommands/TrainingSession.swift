import ArrayFiles
import Foundation
import LinearAlgebra
import NeuralSheaves
import SheafTraining

/// A training run by options: its files are kept up while it goes on.
struct TrainingSession {
  let options: TrainingOptions
  /// The history, a .csv file.
  var history: String?
  /// Where to put checkpoints.
  var checkpoint: String?
  /// The checkpoint to go on from.
  var resume: String?

  /// How a run ended.
  struct Outcome {
    let status: TrainingStatus
    let records: [EpochRecord]
    /// The record of `network`.
    let record: EpochRecord
    let network: Network
  }

  /// The seconds between two writings of the files.
  private static let interval = 1.0

  /// Trains.
  ///
  /// - Parameter onEpoch: called with each new record.
  func run(
    isInterrupted: () -> Bool = { false }, onEpoch: (EpochRecord) -> Void = { _ in }
  ) throws -> Outcome {
    let network = try options.startNetwork()
    let (train, validation, test) = try options.loadData(for: network)
    let trainer = try options.trainer(network, train)
    return try run(trainer, validation, test, isInterrupted, onEpoch)
  }

  private func run<Method: Trainer>(
    _ trainer: Method, _ validation: TrainingData?, _ test: TrainingData?,
    _ isInterrupted: () -> Bool, _ onEpoch: (EpochRecord) -> Void
  ) throws -> Outcome {
    var run = try TrainingRun(
      trainer, epochs: options.epochs, validation: validation, patience: options.patience,
      test: test)
    var settings = OptionSettings.of(options)
    settings[Self.samplesKey] = Self.fingerprint([trainer.data, validation, test])
    if let resume {
      let (state, stored) = try CheckpointFile.read(resume)
      try check(settings, against: stored, in: resume)
      do { try run.restore(from: state) } catch {
        throw ArrayFileError(file: resume, problem: error.description)
      }
      run.records.forEach(onEpoch)
    }
    let clock = ContinuousClock()
    var written = clock.now
    // Whether the last epoch is not on the disk yet.
    var isPending = false
    func write(_ run: TrainingRun<Method>) throws {
      // What is no longer finite is nothing to go on from.
      if let checkpoint, run.records.last!.train.loss.isFinite {
        try CheckpointFile.write(run.state, settings: settings, to: checkpoint)
      }
      if let history {
        let lines = [EpochRecord.csvHeader(run.network)] + run.records.map(\.csv)
        try ArrayFile.write(Data((lines.joined(separator: "\n") + "\n").utf8), to: history)
      }
      written = clock.now
      isPending = false
    }
    let status: TrainingStatus
    do {
      status = try run.run(
        onEpoch: { run in
          onEpoch(run.records.last!)
          isPending = true
          if (clock.now - written) / .seconds(1) >= Self.interval || run.records.count == 1 {
            try write(run)
          }
        }, isInterrupted: isInterrupted)
    } catch {
      if isPending { try? write(run) }
      throw error
    }
    // A run that was resumed at its end has had no epoch, and may have been given other files.
    if isPending || resume != nil { try write(run) }
    return Outcome(
      status: status, records: run.records, record: run.record!, network: run.network)
  }

  // MARK: What a checkpoint must agree with.

  /// No option has this name.
  private static let samplesKey = "samples.fingerprint"

  /// The options that are stored with a checkpoint, but those that are given anew.
  static func storedArguments(_ path: String, except given: Set<String>) throws -> [String] {
    var settings = try CheckpointFile.read(path).settings
    settings[samplesKey] = nil
    let known = OptionSettings.names(of: try defaults())
    if let name = settings.keys.sorted().first(where: { !known.contains($0) }) {
      throw ArrayFileError(
        file: path, problem: "its setting \"\(name.printable)\" is none of this version's")
    }
    return OptionSettings.arguments(settings.filter { !given.contains($0.key) })
  }

  /// Options of which only those that must be given are.
  private static func defaults() throws -> TrainingOptions {
    try TrainingOptions.parse(["--layers", "1,1", "--data", "digits"])
  }

  /// Every setting must be the checkpoint's; more epochs are allowed where nothing is scheduled by them,
  /// and another patience.
  private func check(
    _ settings: [String: String], against stored: [String: String], in path: String
  ) throws {
    let isScheduled = [
      options.rateSchedule, options.couplingSchedule, options.stiffnessSchedule,
    ].contains { $0 != .constant }
    // A setting that a file of an older version does not have was what it is by default.
    var defaults = OptionSettings.of(try Self.defaults())
    for name in ["layers", "data"] { defaults[name] = nil }
    let expected = defaults.merging(stored) { $1 }
    for name in Set(settings.keys).union(expected.keys).sorted()
    where settings[name] != expected[name] {
      // Other samples may follow from an option, which is then to be named.
      if name == Self.samplesKey || name == "epochs" && !isScheduled || name == "patience" {
        continue
      }
      throw ArrayFileError(
        file: path,
        problem: "--\(name) is \(settings[name] ?? "not given"), expected the checkpoint's "
          + (expected[name] ?? "default")
          + (name == "epochs" ? ": schedules depend on the number of epochs" : ""))
    }
    guard settings[Self.samplesKey] == stored[Self.samplesKey] else {
      throw ArrayFileError(
        file: path, problem: "the samples are not those that the checkpoint was trained on")
    }
  }

  /// A hash of all samples (FNV-1a, 64 bits).
  private static func fingerprint(_ parts: [TrainingData?]) -> String {
    var hash: UInt64 = 0xcbf2_9ce4_8422_2325
    for data in parts {
      for matrix in data.map({ [$0.input, $0.target] }) ?? [] {
        for x in matrix.elements { hash = (hash ^ x.bitPattern) &* 0x100_0000_01b3 }
      }
      hash = (hash ^ UInt64(data?.count ?? 0)) &* 0x100_0000_01b3
    }
    return String(hash, radix: 16)
  }
}
