import Foundation
import HeatFlow
import LinearAlgebra
import NeuralSheaves

/// The paper's training: stalks and parameters follow one flow with the output clamped,
/// ω̇ = −α∇_ωE, Ẇ_ℓ = −β r_ℓ a_{ℓ−1}ᵀ, ḃ_ℓ = −β r_ℓ with r = W a + b − z, summed over the batch
/// (Bosca, Ghrist 2026, §5). No backward pass: each edge sees its own discrepancy only.
///
/// Forward Euler; a step computes every update from the old values. The clamp has weight 1: the
/// squared energy ½‖z_{k+1} − y‖² for identity output, the cross-entropy otherwise.
public struct JointFlow: Sendable {
  /// The settings of a run.
  public struct Settings: Sendable {
    /// The step dt.
    public var step: Double
    /// The diffusivity α of the stalks.
    public var alpha: Double
    /// The rate β of the parameters; nil for 1/(samples in a batch), the paper's optimum.
    public var beta: Double?
    /// Samples per step; nil for all.
    public var batch: Int?
    /// Steps per epoch; nil for 1000 with full batches, one pass over the data otherwise.
    public var stepsPerEpoch: Int?
    /// Whether stalks start again from the forward pass at the end of each epoch.
    public var isColdStart: Bool
    /// Of the order of mini-batches.
    public var seed: UInt64
    /// The most threads.
    public var threads: Int

    /// The paper's settings for a full batch.
    public init(
      step: Double = 0.005, alpha: Double = 1, beta: Double? = nil, batch: Int? = nil,
      stepsPerEpoch: Int? = nil, isColdStart: Bool = false, seed: UInt64 = 0,
      threads: Int = ProcessInfo.processInfo.activeProcessorCount
    ) {
      self.step = step
      self.alpha = alpha
      self.beta = beta
      self.batch = batch
      self.stepsPerEpoch = stepsPerEpoch
      self.isColdStart = isColdStart
      self.seed = seed
      self.threads = threads
    }
  }

  /// The sheaf of the network being trained.
  public private(set) var sheaf: NeuralSheaf
  /// The stalks of all training samples; `output` is the target.
  public private(set) var state: SheafState
  private let settings: Settings
  private let data: TrainingData
  private let output: OutputEdge
  private let pins: Pins
  private var generator: RandomGenerator
  private var blocks: [Block] = []
  private var threads = 1

  /// A run.
  ///
  /// - Parameter initial: the stalks at the start; nil for the forward pass.
  public init(
    _ network: Network, data: TrainingData, initial: SheafState? = nil, settings: Settings
  ) throws {
    for (name, value) in [
      ("step", settings.step), ("alpha", settings.alpha), ("beta", settings.beta ?? 1),
    ] where !(value > 0 && value.isFinite) {
      throw TrainingError.setting(
        name: name, found: "\(value)", expected: "a positive finite number")
    }
    for (name, value) in [
      ("batch", settings.batch), ("steps-per-epoch", settings.stepsPerEpoch),
    ] {
      if let value, value < 1 {
        throw TrainingError.setting(name: name, found: "\(value)", expected: "at least 1")
      }
    }
    sheaf = NeuralSheaf(network)
    self.settings = settings
    self.data = data
    state = initial ?? sheaf.forwardPass(data.input)
    state.output = data.target
    output = OutputEdge(
      activation: network.outputActivation,
      energy: network.outputActivation == .identity ? .squared : .crossEntropy)
    pins = try Pins(
      [
        Pin(
          vertex: network.vertices.count, coordinates: Array(0..<network.outputDimension),
          values: data.target)
      ], network: network, input: data.input)
    generator = RandomGenerator(seed: settings.seed)
    if batchSize == data.count { split() }
  }

  private var batchSize: Int { min(settings.batch ?? data.count, data.count) }

  /// Some samples with their workspace.
  private struct Block: Sendable {
    var state: SheafState
    var field: VectorField
    var gradients: ParameterGradients
    let range: Range<Int>
    var change = 0.0

    mutating func step(_ sheaf: NeuralSheaf, by h: Double) {
      var sum = gradients
      gradients.edges = []  // the sum is the only owner while it is written
      let report = field.step(sheaf, &state, by: h) { e, rho, source in
        sheaf.network.edges[e].operation.addParameterGradients(
          rho, source: source, scale: 1, keeping: 0, into: &sum.edges[e])
      }
      gradients = sum
      change = report.change
    }

    mutating func restart(_ sheaf: NeuralSheaf) {
      sheaf.runForwardPass(&state)
      field.readPatterns(sheaf, at: state)
    }
  }

  /// Cuts the whole batch into blocks that keep their stalks.
  private mutating func split() {
    let network = sheaf.network
    threads = SampleBlocks.threads(network: network, batch: data.count, limit: settings.threads)
    blocks = SampleBlocks.ranges(network: network, batch: data.count, threads: threads).map {
      block(state.samples($0), pins.samples($0), $0)
    }
  }

  private func block(_ state: SheafState, _ pins: Pins, _ range: Range<Int>) -> Block {
    Block(
      state: state,
      field: VectorField(sheaf, at: state, pins: pins, output: output, parametersRest: false),
      gradients: ParameterGradients(of: sheaf.network), range: range)
  }

  /// Takes full-batch steps; false if a coordinate is no longer finite.
  public mutating func takeSteps(_ n: Int) -> Bool {
    if blocks.isEmpty { split() }
    defer { join() }
    for _ in 0..<n where !stepBlocks(size: data.count) { return false }
    return true
  }

  private mutating func join() {
    for block in blocks { state.setSamples(from: block.range.lowerBound, to: block.state) }
  }

  /// One step of all blocks and of the parameters.
  private mutating func stepBlocks(size: Int) -> Bool {
    let h = settings.step * settings.alpha
    let sheafNow = sheaf
    forEachInParallel(&blocks, threads: threads) { $0.step(sheafNow, by: h) }
    return finishStep(size: size)
  }

  private mutating func finishStep(size: Int) -> Bool {
    let rate = settings.step * (settings.beta ?? 1 / Double(size))
    for e in sheaf.network.edges.indices {
      sheaf.network.updateParameters(of: e) { i, w in
        // Ẇ = −β Σ r aᵀ = β Σ ρ aᵀ.
        for b in blocks.indices { w.add(blocks[b].gradients.edges[e][i], scale: rate) }
      }
    }
    return !blocks.contains { $0.change.isNaN }
  }

  /// The discords of the current stalks and parameters, the clamp included.
  public var discords: DiscordReport { sheaf.discords(state, output: output, isClamped: true) }

  /// Trains for some epochs.
  ///
  /// - Parameter onEpoch: called before the first epoch and after each, before a cold start.
  public mutating func run(
    epochs: Int, test: TrainingData?, onEpoch: (EpochRecord) -> Void
  ) -> TrainingStatus {
    var (step, seconds) = (0, 0.0)
    func record(_ epoch: Int) -> Bool {
      let record = EpochRecord(
        epoch: epoch, step: step, train: Evaluation(sheaf.network, on: data),
        test: test.map { Evaluation(sheaf.network, on: $0) }, seconds: seconds,
        relaxation: RelaxationReport())
      onEpoch(record)
      return record.train.loss.isFinite
    }
    guard record(0) else { return .diverged }
    let size = batchSize
    let perEpoch =
      settings.stepsPerEpoch ?? (size == data.count ? 1000 : (data.count + size - 1) / size)
    for epoch in 1...max(epochs, 1) where epochs > 0 {
      let clock = ContinuousClock()
      let start = clock.now
      let isFinite = size == data.count ? takeSteps(perEpoch) : takeMiniBatches(perEpoch, size)
      step += perEpoch
      seconds += (clock.now - start) / .seconds(1)
      if !record(epoch) || !isFinite { return .diverged }
      if settings.isColdStart { restart() }
    }
    return .completed
  }

  /// Stalks ← the forward pass.
  private mutating func restart() {
    sheaf.runForwardPass(&state)
    for b in blocks.indices { blocks[b].restart(sheaf) }
  }

  /// Steps on one mini-batch after another, in a new random order for every pass over the data;
  /// the stalks of each sample are kept.
  private mutating func takeMiniBatches(_ n: Int, _ size: Int) -> Bool {
    var order: [Int] = []
    for _ in 0..<n {
      if order.isEmpty { order = generator.permutation(data.count) }
      let indices = Array(order.prefix(size))
      order.removeFirst(indices.count)
      blocks = [block(state.samples(indices), pins.samples(indices), 0..<indices.count)]
      let isFinite = stepBlocks(size: indices.count)
      for v in state.stalks.indices {
        state.stalks[v].scatterColumns(indices, from: blocks[0].state.stalks[v])
      }
      blocks = []
      if !isFinite { return false }
    }
    return true
  }
}
