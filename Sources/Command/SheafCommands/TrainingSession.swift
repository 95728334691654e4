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
  /// Observations on the way: the steps between them, how many samples, a .csv file.
  var observations: (interval: Int, samples: Int, path: String)?
  /// What later diagnoses ask for, an .npz file.
  var statistics: String?
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
    /// The files whose last writing failed.
    let problems: [ArrayFileError]
  }

  /// The seconds between two writings of the files.
  private static let interval = 1.0

  /// Trains.
  ///
  /// - Parameters:
  ///   - halt: asked between steps.
  ///   - onEpoch: called with each new record.
  func run(
    until halt: Halt, onEpoch: (EpochRecord) -> Void = { _ in }
  ) throws -> Outcome {
    var network = try options.startNetwork()
    let (train, validation, test) = try options.prepare(&network)
    let trainer = try options.trainer(network, train)
    let observer = try observations.map {
      try TrainingObserver(
        every: $0.interval, to: $0.path, on: train, samples: $0.samples, isResumed: resume != nil,
        halt: halt, network: network)
    }
    let recorder = try statistics.map {
      try StatisticsObserver(
        to: $0, on: train, epochs: options.epochs, isResumed: resume != nil)
    }
    return try run(
      trainer, validation, test, observer, recorder, { halt.reason != nil }, onEpoch)
  }

  private func run<Method: Trainer>(
    _ trainer: Method, _ validation: TrainingData?, _ test: TrainingData?,
    _ observer: TrainingObserver?, _ recorder: StatisticsObserver?,
    _ isInterrupted: () -> Bool, _ onEpoch: (EpochRecord) -> Void
  ) throws -> Outcome {
    var run = try TrainingRun(
      trainer, epochs: options.epochs, validation: validation, patience: options.patience,
      test: test)
    var settings = try OptionSettings.of(options)
    settings[Self.samplesKey] = Self.fingerprint([trainer.data, validation, test])
    settings[Self.networkKey] = Self.fingerprint(of: trainer.network)
    if let resume {
      let (state, stored) = try CheckpointFile.read(resume)
      try check(settings, against: stored, in: resume)
      do { try run.restore(from: state) } catch {
        throw ArrayFileError(file: resume, problem: error.description)
      }
      run.records.forEach(onEpoch)
    }
    var (observer, recorder) = (observer, recorder)
    let clock = ContinuousClock()
    var written = clock.now
    // Whether the last epoch is not on the disk yet.
    var isPending = false
    var problems: [String: ArrayFileError] = [:]
    // A disk that is full may have room again: what could not be written does not end the run.
    func attempt(_ path: String, _ write: () throws -> Void) {
      problems[path] = nil
      do { try write() } catch {
        problems[path] = error as? ArrayFileError ?? ArrayFileError(file: path, problem: "\(error)")
      }
    }
    func write(_ run: TrainingRun<Method>) {
      // What is no longer finite is nothing to go on from.
      if let checkpoint, run.records.last!.train.loss.isFinite {
        attempt(checkpoint) {
          try CheckpointFile.write(run.state, settings: settings, to: checkpoint)
        }
      }
      if let history {
        attempt(history) { try run.records.table(of: run.network).write(to: history) }
      }
      if let observer { attempt(observer.path, observer.write) }
      written = clock.now
      isPending = false
    }
    let status: TrainingStatus
    do {
      status = try run.run(
        onEpoch: { run in
          onEpoch(run.records.last!)
          try observer?.look(at: run.trainer.network, run.records.last!)
          recorder?.look(at: run.trainer.network, epoch: run.records.last!.epoch)
          isPending = true
          if (clock.now - written) / .seconds(1) >= Self.interval || run.records.count == 1 {
            write(run)
          }
        }, isInterrupted: isInterrupted)
    } catch {
      if isPending { write(run) }
      throw error
    }
    // A run that was resumed at its end has had no epoch, and may have been given other files.
    if isPending || resume != nil { write(run) }
    if let recorder, run.record!.train.loss.isFinite {
      attempt(recorder.path) { try recorder.write(of: run.network) }
    }
    return Outcome(
      status: status, records: run.records, record: run.record!, network: run.network,
      problems: problems.sorted { $0.key < $1.key }.map(\.value))
  }

  // MARK: What a checkpoint must agree with.

  /// No options have these names.
  private static let (samplesKey, networkKey) = ("samples.fingerprint", "network.fingerprint")
  /// Where samples are: other files may hold the same.
  private static let samplesFiles: Set = [
    "input", "target", "labels", "test-input", "test-target", "test-labels", "samples",
    "header",
  ]

  /// The options that are stored with a checkpoint, but those that are given anew.
  static func storedArguments(_ path: String, except given: Set<String>) throws -> [String] {
    var settings = try CheckpointFile.read(path).settings
    for key in [samplesKey, networkKey] { settings[key] = nil }
    let known = Declarations(of: TrainingOptions.self)
    if let name = settings.keys.sorted().first(where: { known.option($0) == nil }) {
      throw ArrayFileError(
        file: path, problem: "its setting \"\(name.printable)\" is none of this version's")
    }
    return OptionSettings.arguments(settings.filter { !given.contains($0.key) })
  }

  /// The settings of a run whose options were written down, perhaps by an older version: what that did not
  /// know is what it is by default.
  private static func settings(_ stored: [String: String]) throws -> [String: String] {
    let keys = [samplesKey, networkKey]
    let options = OptionSettings.arguments(stored.filter { !keys.contains($0.key) })
    let settings = try OptionSettings.of(TrainingOptions.parse(options))
    return settings.merging(stored.filter { keys.contains($0.key) }) { $1 }
  }

  /// Every setting must be the checkpoint's; more epochs are allowed where nothing is scheduled by them,
  /// another patience, and other files of the same samples.
  private func check(
    _ settings: [String: String], against stored: [String: String], in path: String
  ) throws {
    let isScheduled = [
      options.rateSchedule, options.couplingSchedule, options.stiffnessSchedule,
    ].contains { $0 != .constant }
    let expected = try Self.settings(stored)
    let isSameData = settings[Self.samplesKey] == stored[Self.samplesKey]
    for name in Set(settings.keys).union(expected.keys).sorted()
    where settings[name] != expected[name] {
      // Other samples may follow from an option, which is then to be named.
      if [Self.samplesKey, Self.networkKey, "patience"].contains(name)
        || name == "epochs" && !isScheduled || Self.samplesFiles.contains(name) && isSameData
        || name == "network" && stored[Self.networkKey] != nil
      {
        continue
      }
      throw ArrayFileError(
        file: path,
        problem: "--\(name) is \(settings[name] ?? "not given"), expected the checkpoint's "
          + (expected[name] ?? "default")
          + (name == "epochs"
            ? ": schedules depend on the number of epochs"
            : Self.samplesFiles.contains(name) ? ": the samples differ" : ""))
    }
    guard isSameData else {
      throw ArrayFileError(
        file: path, problem: "the samples are not those that the checkpoint was trained on")
    }
    if let start = stored[Self.networkKey], settings[Self.networkKey] != start {
      throw ArrayFileError(
        file: path, problem: "the network is not the one that the checkpoint's run started from")
    }
  }

  /// A hash of all samples.
  private static func fingerprint(_ parts: [TrainingData?]) -> String {
    var hash = Fingerprint()
    for data in parts {
      for matrix in data.map({ [$0.input, $0.target] }) ?? [] { hash.combine(matrix) }
      hash.combine(UInt64(data?.count ?? 0))
    }
    return hash.text
  }

  /// A hash of a network's operations and of its parameters at the start.
  private static func fingerprint(of network: Network) -> String {
    var hash = Fingerprint()
    for edge in network.edges {
      "\(edge.source) \(edge.target) \(edge.operation.summary)".unicodeScalars
        .forEach { hash.combine(UInt64($0.value)) }
      edge.operation.parameters.forEach { hash.combine($0) }
    }
    return hash.text
  }
}

extension [EpochRecord] {
  /// The lines of a history.
  func table(of network: Network) -> Table {
    Table(lines: [EpochRecord.csvHeader(network)] + map(\.csv))
  }
}
