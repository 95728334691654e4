import ArrayFiles
import Equilibria
import Foundation
import LinearAlgebra
import NeuralSheaves
import Testing

@testable import SheafCommands
@testable import SheafTraining

/// A run that goes on from a checkpoint is the run that never stopped, bit by bit.
struct CheckpointTests {
  enum Method: String, CaseIterable {
    case backpropagationGradient, backpropagationMomentum, backpropagationAdam
    case sweepsAdam, sweepsLocal, sweepsLeastSquares
    case directKeepingStalks, directKeepingStalksFullBatch
    case coordinate, warmFlow, coldMiniBatchFlow, warmMiniBatchFlow
  }

  /// A trainer with every setting that makes a difference between epochs.
  static func trainer(_ method: Method) throws -> any Trainer {
    let (network, data) = try TrainingRunTests.blobs(70, seed: 8)
    func gradient(
      _ optimizer: Optimizer.Rule, _ rule: any GradientRule, rate: Double, batch: Int?,
      steps: Int? = nil, keepsStalks: Bool = false
    ) throws -> GradientTraining {
      var settings = try GradientTraining.Settings(
        optimizer, batch: batch, stepsPerEpoch: steps, seed: 3)
      settings.rate = try Schedule(.cosine, named: "rate", from: rate, to: rate / 10)
      settings.weightDecay = 1e-3
      settings.keepsStalks = keepsStalks
      return try GradientTraining(network, data: data, rule: rule, settings: settings)
    }
    let coupling = try Schedule(.geometric, named: "coupling", from: 0.5, to: 0.05)
    let sweeps = try EquilibriumRule(coupling: coupling, relaxation: .sweeps(directions: 2))
    let direct = try EquilibriumRule(coupling: coupling, relaxation: .solver(.direct))
    // 70 samples in batches of 16, 3 steps an epoch: passes over the data end within epochs.
    switch method {
    case .backpropagationGradient:
      return try gradient(.gradient, Backpropagation(), rate: 0.1, batch: 16, steps: 3)
    case .backpropagationMomentum:
      return try gradient(.momentum, Backpropagation(), rate: 0.02, batch: 16, steps: 3)
    case .backpropagationAdam:
      return try gradient(.adam, Backpropagation(), rate: 0.01, batch: 16, steps: 3)
    case .sweepsAdam: return try gradient(.adam, sweeps, rate: 0.01, batch: 16, steps: 3)
    case .sweepsLocal: return try gradient(.local, sweeps, rate: 0.1, batch: 16, steps: 7)
    case .sweepsLeastSquares:
      return try gradient(.leastSquares, sweeps, rate: 0.5, batch: 35)
    case .directKeepingStalks:
      return try gradient(.adam, direct, rate: 0.01, batch: 16, steps: 3, keepsStalks: true)
    case .directKeepingStalksFullBatch:
      return try gradient(.adam, direct, rate: 0.01, batch: nil, steps: 3, keepsStalks: true)
    case .coordinate:
      return try gradient(
        .leastSquares,
        EquilibriumRule(
          coupling: .constant(1), relaxation: .solver(.coordinate, tolerance: 1e-8, stepLimit: 3)),
        rate: 0.5, batch: nil, steps: 2, keepsStalks: true)
    case .warmFlow:
      return try JointFlow(network, data: data, settings: .init(step: 0.05, stepsPerEpoch: 150))
    case .coldMiniBatchFlow:
      return try JointFlow(
        network, data: data,
        settings: .init(step: 0.05, batch: 16, stepsPerEpoch: 13, isColdStart: true, seed: 3))
    case .warmMiniBatchFlow:
      return try JointFlow(
        network, data: data,
        settings: .init(step: 0.05, batch: 16, stepsPerEpoch: 13, seed: 3))
    }
  }

  /// Six epochs, with early stopping that does not stop.
  static func run<T: Trainer>(_ trainer: T) throws -> TrainingRun<T> {
    let (_, validation) = try TrainingRunTests.blobs(30, seed: 21)
    return try TrainingRun(trainer, epochs: 6, validation: validation, patience: 6)
  }

  /// Records without what depends on the clock.
  static func timeless(_ records: [EpochRecord]) -> [String] {
    records.map { r in
      "\(r.epoch) \(r.step) \(r.train) \(r.validation as Any) \(r.rate as Any) "
        + "\(r.coupling as Any) \(r.relaxation.unsettledFraction as Any) "
        + "\(r.relaxation.medianResidual as Any) \(r.relaxation.kinkNeurons as Any) "
        + "\(r.relaxation.discords.sorted { $0.key < $1.key }) \(r.weightNorms)"
    }
  }

  private func isSame(_ a: Network, _ b: Network) -> Bool { parameters(a) == parameters(b) }

  private static func temporaryFile() -> String {
    NSTemporaryDirectory() + "sheaf-\(UInt64.random(in: 0...UInt64.max)).safetensors"
  }

  @Test(arguments: Method.allCases) func resumedRunsAreTheSame(method: Method) throws {
    func check<T: Trainer>(_ trainer: T, again: T, interrupted: T) throws {
      var whole = try Self.run(trainer)
      var states: [TrainingState] = []
      #expect(try whole.run(onEpoch: { states.append($0.state) }) == .completed)
      #expect(states.count == 7 && Set(whole.records.map(\.train.loss)).count > 5)
      // Through a file, at the start, in the middle and at the end.
      for epoch in [0, 3, 6] {
        let path = Self.temporaryFile()
        defer { try? FileManager.default.removeItem(atPath: path) }
        try CheckpointFile.write(states[epoch], settings: ["a": "b"], to: path)
        let (state, settings) = try CheckpointFile.read(path)
        #expect(settings == ["a": "b"] && state == states[epoch])
        var resumed = try Self.run(again)
        try resumed.restore(from: state)
        #expect(resumed.records == Array(whole.records.prefix(epoch + 1)))
        #expect(try resumed.run() == .completed)
        #expect(isSame(resumed.trainer.network, whole.trainer.network), "from \(epoch)")
        #expect(isSame(resumed.network, whole.network), "from \(epoch)")
        #expect(Self.timeless(resumed.records) == Self.timeless(whole.records), "from \(epoch)")
      }
      // A run that was interrupted within its fourth epoch stands where the third ended.
      var stopped = try Self.run(interrupted)
      var (asked, last) = (0, TrainingState())
      let status = try stopped.run(
        onEpoch: { (asked, last) = (0, $0.state) },
        isInterrupted: {
          asked += 1
          return stopped3(last) && asked > 1
        })
      #expect(status == .interrupted)
      #expect(stopped.records.count == 4)
      let isTakenBack = stopped.state == last  // states are long to print
      #expect(isTakenBack)
      #expect(stopped.records.last!.train == Evaluation(stopped.trainer.network, on: trainer.data))
      #expect(try stopped.run() == .completed)
      #expect(isSame(stopped.trainer.network, whole.trainer.network))
    }
    func stopped3(_ state: TrainingState) -> Bool { state.numbers["epoch"] == [3] }
    func open<T: Trainer>(_ trainer: T) throws {
      try check(
        trainer, again: Self.trainer(method) as! T, interrupted: Self.trainer(method) as! T)
    }
    try open(Self.trainer(method))
  }

  /// Any doubles and any numbers, as they are.
  @Test(arguments: UInt64(0)..<10) func filesKeepEveryBit(seed: UInt64) throws {
    var g = RandomGenerator(case: seed)
    var state = TrainingState()
    for n in 0..<g.integer(0...6) {
      let (rows, columns) = (g.integer(1...5), g.integer(1...5))
      let elements = (0..<rows * columns).map { _ in
        let x = Double(bitPattern: g.next())
        return x.isNaN ? -0.0 : x
      }
      state.arrays["parameters.\(n).é \"\\"] = Matrix(
        rows: rows, columns: columns, columnMajor: elements)
      state.numbers["n\(n)"] = (0..<g.integer(0...4)).map { _ in g.next() }
      state.texts["t\(n)\n"] = "\u{0}é\"😀\(g.next())"
    }
    state.numbers["largest"] = [0, .max, 1 << 63]
    let path = Self.temporaryFile()
    defer { try? FileManager.default.removeItem(atPath: path) }
    let settings = ["layers": "2,3,1", "stiffness-of": "affine=2\nactivation=3", "": ""]
    try CheckpointFile.write(state, settings: settings, to: path)
    let read = try CheckpointFile.read(path)
    #expect(read.state == state && read.settings == settings, "seed \(seed)")
    for (name, m) in state.arrays {
      #expect(
        read.state.arrays[name]!.elements.map(\.bitPattern) == m.elements.map(\.bitPattern),
        "seed \(seed), \(name)")
    }
  }

  /// What a file lacks or what does not fit is said in one line.
  @Test func damagedCheckpointsAreRefused() throws {
    let path = Self.temporaryFile()
    defer { try? FileManager.default.removeItem(atPath: path) }
    var run = try Self.run(Self.trainer(.sweepsLocal) as! GradientTraining)
    #expect(try run.run() == .completed)
    let state = run.state
    try CheckpointFile.write(state, settings: [:], to: path)
    let bytes = try Data(contentsOf: URL(fileURLWithPath: path))
    let file = try Safetensors(bytes, file: path)

    for n in [0, 4, 8, 100, bytes.count / 2, bytes.count - 1] {
      try bytes.prefix(n).write(to: URL(fileURLWithPath: path))
      let text = message { _ = try CheckpointFile.read(path) }
      #expect(text.contains(path) && !text.contains("\n"), "\(n) bytes: \(text)")
    }
    func refusal(
      metadata change: (inout [String: String]) -> Void,
      arrays: [String: NumericArray]? = nil
    ) throws -> String {
      var metadata = file.metadata
      change(&metadata)
      try Safetensors(arrays: arrays ?? file.arrays, metadata: metadata).encoded(.float64)
        .write(to: URL(fileURLWithPath: path))
      return message { _ = try CheckpointFile.read(path) }
    }
    #expect(try refusal { $0 = [:] }.contains("is no checkpoint"))
    #expect(try refusal { $0["swift-sheaf.checkpoint"] = "7" }.contains("version 7, expected 1"))
    for key in ["settings", "numbers", "texts"] {
      #expect(try refusal { $0[key] = nil }.contains("metadata \(key)"))
      #expect(try refusal { $0[key] = "{" }.contains("metadata \(key)"))
    }
    for number in ["-1", "18446744073709551616", "x"] {
      #expect(
        try refusal { $0["numbers"] = "{\"epoch\":[\"\(number)\"]}" }.contains("number \(number)"))
    }
    #expect(
      try refusal(metadata: { _ in }, arrays: ["a": NumericArray(shape: [3], elements: [1, 2, 3])])
        .contains("1 axes, expected 2"))

    func restoring(_ change: (inout TrainingState) -> Void) -> String {
      var damaged = state
      change(&damaged)
      let text = message {
        var fresh = try Self.run(Self.trainer(.sweepsLocal) as! GradientTraining)
        try fresh.restore(from: damaged)
      }
      #expect(!text.isEmpty && !text.contains("\n"))
      return text
    }
    for name in state.arrays.keys {
      #expect(restoring { $0.arrays[name] = nil }.contains("array \(name) is missing"))
      #expect(
        restoring { $0.arrays[name] = Matrix(rows: 1, columns: 99) }
          .contains("array \(name) has shape (1, 99)"))
    }
    for name in state.numbers.keys {
      let text = restoring { $0.numbers[name] = nil }
      #expect(text.contains(name), "\(text)")
    }
    for text in [nil, "", "[]", "[{}]", "{"] as [String?] {
      #expect(restoring { $0.texts["records"] = text }.contains("records"))
    }
    #expect(restoring { $0.numbers["epoch"] = [2] }.contains("7 records"))
    #expect(restoring { $0.numbers["epoch"] = [.max] }.contains("epoch"))
    #expect(restoring { $0.numbers["best"] = [9] }.contains("best epoch"))
    #expect(restoring { $0.numbers["best"] = [] }.contains("best epoch"))
    #expect(restoring { $0.numbers["generator"] = [0, 0, 0, 0] }.contains("generator"))
    for order in [[70], [1, 1], [.max]] as [[UInt64]] {
      #expect(restoring { $0.numbers["order"] = order }.contains("no order of 70"))
    }
    #expect(restoring { $0.numbers["optimizer.steps"] = [1, 2] }.contains("optimizer.steps"))
  }
}
