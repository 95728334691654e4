import Foundation
import LinearAlgebra
import NeuralSheaves
import PiecewiseEnergies
import SheafFlows

/// The paper's training: stalks and parameters follow one flow with the output clamped,
/// ω̇ = −α∇_ωE, Ẇ_ℓ = −β r_ℓ a_{ℓ−1}ᵀ, ḃ_ℓ = −β r_ℓ with r = W a + b − z, summed over the batch
/// (Bosca, Ghrist 2026, §5). No backward pass: each edge sees its own discrepancy only.
///
/// Forward Euler; a step computes every update from the old values. The clamp has weight 1: the
/// squared energy ½‖z_{k+1} − y‖² for identity output, the cross-entropy otherwise.
public final class JointFlow: Trainer {
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
  /// What it is trained on.
  public let data: TrainingData
  private let output: OutputEdge
  private let pins: Pins
  private var generator: RandomGenerator
  /// What is left of the current pass over the data.
  private var order: [Int] = []
  /// The blocks of a full batch, which keep their stalks; nil between mini-batches.
  private var blocks: ParallelLoop<Block>?

  /// A run.
  ///
  /// - Parameter initial: the stalks at the start; nil for the forward pass.
  public init(
    _ network: Network, data: TrainingData, initial: SheafState? = nil, settings: Settings
  ) throws {
    try network.checkUnshared()
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
    pins = try Pins([.clamp(data.target, of: network)], network: network, input: data.input)
    generator = RandomGenerator(seed: settings.seed)
  }

  /// The network being trained.
  public var network: Network { sheaf.network }

  private var batchSize: Int { min(settings.batch ?? data.count, data.count) }

  /// What a block contributes to the change of an edge's parameters: the gradient Σ ρ aᵀ, or its
  /// factors ρ and a where they are the smaller of the two (memory, not arithmetic, is slow).
  private enum Contribution: Sendable {
    case gradient([Matrix])
    case factors(rho: Matrix, source: Matrix)

    init(_ operation: any NetworkOperation, batch: Int) {
      let (n, m) = (operation.sourceDimension, operation.targetDimension)
      let parameters = operation.parameters
      if batch * (n + m) < parameters.reduce(0, { $0 + $1.count }) {
        self = .factors(
          rho: Matrix(rows: m, columns: batch), source: Matrix(rows: n, columns: batch))
      } else {
        self = .gradient(parameters.map { Matrix(rows: $0.rows, columns: $0.columns) })
      }
    }

    mutating func record(_ operation: any NetworkOperation, _ rho: Matrix, _ source: Matrix) {
      var value = Contribution.gradient([])
      swap(&value, &self)  // so that what it holds is not shared while it changes
      switch consume value {
      case .gradient(var gradient):
        operation.addParameterGradients(
          rho, source: source, scale: 1, keeping: 0, into: &gradient)
        self = .gradient(gradient)
      case .factors(var r, var s):
        r.set(rho)
        s.set(source)
        self = .factors(rho: r, source: s)
      }
    }
  }

  /// Some samples with their workspace. The sheaf is lent for the time of a step, so that nobody
  /// shares the parameters when they change.
  private struct Block: Sendable {
    var state: SheafState
    var field: VectorField
    var contributions: [Contribution]
    let range: Range<Int>
    let stepSize: Double
    var sheaf: NeuralSheaf?
    var isFinite = true

    mutating func step() {
      var contributions: [Contribution] = []
      swap(&contributions, &self.contributions)
      let sheaf = sheaf!
      let report = field.step(sheaf, &state, by: stepSize) { e, rho, source in
        contributions[e].record(sheaf.network.edges[e].operation, rho, source)
      }
      swap(&contributions, &self.contributions)
      isFinite = !report.change.isNaN
    }
  }

  /// Cuts some samples into blocks; a step visits each.
  private func split(_ state: SheafState, _ pins: Pins) -> ParallelLoop<Block> {
    let network = sheaf.network
    let threads = SampleBlocks.threads(
      network: network, batch: state.batch, limit: settings.threads)
    let ranges = SampleBlocks.ranges(network: network, batch: state.batch, threads: threads)
    let blocks = ranges.map { range in
      let part = state.samples(range)
      return Block(
        state: part,
        field: VectorField(
          PinnedEnergy(sheaf, pins: pins.samples(range), output: output), at: part,
          parametersRest: false),
        contributions: network.edges.map { Contribution($0.operation, batch: range.count) },
        range: range, stepSize: settings.step * settings.alpha)
    }
    return ParallelLoop(blocks, threads: threads) { $0.step() }
  }

  /// Takes full-batch steps; false, at once, if a coordinate is no longer finite.
  public func takeSteps(_ n: Int) -> Bool { run(n).isFinite }

  /// The same; how many steps were taken.
  private func run(_ n: Int) -> (steps: Int, isFinite: Bool) {
    let blocks = blocks ?? split(state, pins)
    self.blocks = blocks
    defer { for b in blocks.elements { state.setSamples(from: b.range.lowerBound, to: b.state) } }
    for k in 0..<n {
      if !step(blocks, size: data.count) { return (k + 1, false) }
    }
    return (n, true)
  }

  /// One step of the stalks and of the parameters; false if a coordinate is no longer finite.
  private func step(_ blocks: ParallelLoop<Block>, size: Int) -> Bool {
    for b in 0..<blocks.count { blocks.with(b) { $0.sheaf = sheaf } }
    blocks.run()
    for b in 0..<blocks.count { blocks.with(b) { $0.sheaf = nil } }
    let rate = settings.step * (settings.beta ?? 1 / Double(size))
    // Ẇ = −β Σ r aᵀ = β Σ ρ aᵀ.
    for e in sheaf.network.edges.indices
    where !sheaf.network.edges[e].operation.parameterNames.isEmpty {
      for b in 0..<blocks.count {
        blocks.with(b) { block in
          switch block.contributions[e] {
          case .gradient(let gradient):
            sheaf.network.updateParameters(of: e) { i, w in w.add(gradient[i], scale: rate) }
          case .factors(let rho, let source):
            sheaf.network.moveParameters(
              of: e, along: rho, source: source, scale: rate, threads: blocks.threads)
          }
        }
      }
    }
    return (0..<blocks.count).allSatisfy { blocks.with($0) { $0.isFinite } }
  }

  /// The discords of the current stalks and parameters, the clamp included.
  public var discords: DiscordReport { sheaf.discords(state, output: output, isClamped: true) }

  /// Trains for an epoch, then starts the stalks again if that is wanted.
  ///
  /// The report has the discords of all stalks before that. Rates are constant; `progress` is not used.
  public func runEpoch(
    _ progress: ClosedRange<Double>, isInterrupted: () -> Bool = { false }
  ) -> EpochReport {
    var report = EpochReport()
    let size = batchSize
    let steps =
      settings.stepsPerEpoch ?? (size == data.count ? 1000 : (data.count + size - 1) / size)
    report.rate = settings.beta ?? 1 / Double(size)
    report.coupling = 1
    // Rarely enough to cost nothing, often enough to stop at once.
    let stride = size == data.count ? 100 : 1
    while report.steps < steps {
      if isInterrupted() {
        report.ending = .interrupted
        return report
      }
      let n = min(stride, steps - report.steps)
      let taken = size == data.count ? run(n) : takeMiniBatches(n, size)
      report.steps += taken.steps
      if !taken.isFinite {
        report.ending = .diverged
        return report
      }
    }
    report.relaxation.samples = data.count
    for edge in discords.edges {
      report.relaxation.discordSums[edge.kind, default: 0] += edge.discord * Double(data.count)
    }
    if settings.isColdStart { restart() }
    return report
  }

  /// Stalks ← the forward pass.
  private func restart() {
    sheaf.runForwardPass(&state)
    blocks = nil
  }

  /// Steps on one mini-batch after another, in a new random order for every pass over the data;
  /// the stalks of each sample are kept.
  private func takeMiniBatches(_ n: Int, _ size: Int) -> (steps: Int, isFinite: Bool) {
    for k in 0..<n {
      if order.isEmpty { order = generator.permutation(data.count) }
      let indices = Array(order.prefix(size))
      order.removeFirst(indices.count)
      let blocks = split(state.samples(indices), pins.samples(indices))
      let isFinite = step(blocks, size: indices.count)
      for block in blocks.elements {
        let these = Array(indices[block.range])
        for v in state.stalks.indices {
          state.stalks[v].scatterColumns(these, from: block.state.stalks[v])
        }
      }
      if !isFinite { return (k + 1, false) }
    }
    return (n, true)
  }
}

/// What a checkpoint holds.
extension JointFlow {
  public func save(into state: inout TrainingState) {
    state.save(network, named: "parameters")
    state.save([self.state.stalks], named: "stalks")
    state.numbers["generator"] = generator.state
    state.numbers["order"] = order.map(UInt64.init)
  }

  public func restore(from state: TrainingState) throws(TrainingError) {
    try state.restore(&sheaf.network, named: "parameters")
    var lists = [self.state.stalks]
    try state.restore(&lists, named: "stalks")
    self.state.stalks = lists[0]
    generator = try state.generator("generator")
    order = try state.order("order", of: data.count)
    blocks = nil
  }
}
