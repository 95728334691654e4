import LinearAlgebra
import NeuralSheaves
import SheafDiagnostics
import SheafTraining

/// A training run of the paper: the joint flow, and gradient descent and training by equilibria from the same start.
struct PaperTraining: Sendable {
  let task: PaperTask
  let (train, test): (TrainingData, TrainingData)
  let start: Network
  let sheaf: Course
  let descent: Course
  let equilibrium: Course
  /// The joint flow's network half way.
  let middle: Network
  /// Its training stalks at the end.
  let stalks: SheafState
  let discords: DiscordReport
  let observations: [Observation]

  /// How a network was trained.
  struct Course: Sendable {
    let network: Network
    let records: [EpochRecord]
    var last: EpochRecord { records[records.count - 1] }
    /// The seconds after which the training loss was no more than `loss` for the first time.
    func seconds(toLoss loss: Double) -> Double? {
      records.first { $0.train.loss <= loss }?.seconds
    }
  }

  /// Spectra and discords on the way of the joint flow.
  struct Observation: Sendable {
    let step: Int
    let spectrum: SheafSpectrum
    let discords: DiscordReport
  }

  /// How many samples spectra are taken of.
  static let spectralSamples = 50

  init(_ task: PaperTask, _ lab: Laboratory, seed: UInt64 = 1) throws {
    let setting = try task.setting(seed: seed)
    (self.task, start, train, test) = (task, setting.network, setting.train, setting.test)
    let steps = lab.steps(task.steps)
    let perEpoch = min(1000, steps / 10)
    var generator = RandomGenerator(seed: seed + 1000)
    let stalks =
      task.startsAtRandom
      ? NeuralSheaf(start).randomState(train.input, using: &generator) : nil
    let flow = try JointFlow(
      start, data: train, initial: stalks,
      settings: .init(
        step: task.step, stepsPerEpoch: perEpoch, isColdStart: !task.startsAtRandom))
    var run = try TrainingRun(flow, epochs: steps / perEpoch, test: test)
    let (epochs, samples) = (steps / perEpoch, Array(0..<Self.spectralSamples))
    let probe = train.input.columns(samples)
    var (observations, middle) = ([Observation](), start)
    _ = try run.run { run in
      let record = run.records[run.records.count - 1]
      if record.epoch == epochs / 2 { middle = run.trainer.network }
      guard record.epoch % max(1, epochs / 20) == 0 else { return }
      let sheaf = NeuralSheaf(run.trainer.network)
      observations.append(
        Observation(
          step: record.step, spectrum: SheafSpectrum(sheaf, at: sheaf.forwardPass(probe)),
          discords: run.trainer.discords))
    } isInterrupted: {
      lab.halt.reason != nil
    }
    try lab.check()
    (self.observations, self.middle) = (observations, middle)
    (self.stalks, discords) = (run.trainer.state, run.trainer.discords)
    sheaf = Course(network: run.network, records: run.records)
    descent = try Self.course(
      start, train, test, rule: Backpropagation(), .gradient, rate: task.rate, steps: steps,
      perEpoch: 100, lab)
    equilibrium = try Self.course(
      start, train, test, rule: EquilibriumRule(), .adam, rate: nil, steps: lab.steps(20_000),
      perEpoch: 100, lab)
  }

  private static func course(
    _ start: Network, _ train: TrainingData, _ test: TrainingData, rule: any GradientRule,
    _ optimizer: Optimizer.Rule, rate: Double?, steps: Int, perEpoch: Int, _ lab: Laboratory
  ) throws -> Course {
    let trainer = try GradientTraining(
      start, data: train, rule: rule,
      settings: .init(optimizer, rate: rate, stepsPerEpoch: perEpoch))
    var run = try TrainingRun(trainer, epochs: max(1, steps / perEpoch), test: test)
    _ = try run.run { _ in
    } isInterrupted: {
      lab.halt.reason != nil
    }
    try lab.check()
    return Course(network: run.network, records: run.records)
  }
}
