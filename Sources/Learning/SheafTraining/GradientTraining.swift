import Foundation
import LinearAlgebra
import NeuralSheaves

/// Training by a gradient rule and an optimiser, in full or mini-batches.
///
/// Copies share their workspaces, and with them kept stalks: train with one of them only.
public struct GradientTraining: Trainer {
  /// The settings of a run.
  public struct Settings: Sendable {
    /// The optimiser's rule.
    public var optimizer: Optimizer.Rule
    /// Its rate η; nil for the rule's own.
    public var rate: Schedule?
    /// Its constants.
    public var coefficients = Optimizer.Coefficients()
    /// Its damping δ.
    public var damping = 0.01
    /// Its weight decay λ.
    public var weightDecay = 0.0
    /// Samples per step; nil for all.
    public var batch: Int?
    /// Steps per epoch; nil for one pass over the data.
    public var stepsPerEpoch: Int?
    /// Whether the stalks of each sample are kept from visit to visit and relaxed from there. For
    /// relaxations by a solver; sweeps start from the forward pass.
    public var keepsStalks = false
    /// Of the order of the mini-batches. Two rules with one seed see the same batches.
    public var seed: UInt64 = 0
    /// The most threads.
    public var threads = ProcessInfo.processInfo.activeProcessorCount

    /// Settings, by default full batches.
    public init(
      _ optimizer: Optimizer.Rule = .adam, rate: Double? = nil, batch: Int? = nil,
      stepsPerEpoch: Int? = nil, seed: UInt64 = 0
    ) throws(TrainingError) {
      self.optimizer = optimizer
      if let rate { self.rate = try Schedule(.constant, named: "rate", from: rate) }
      (self.batch, self.stepsPerEpoch, self.seed) = (batch, stepsPerEpoch, seed)
    }
  }

  /// The network being trained.
  public private(set) var network: Network
  /// What it is trained on.
  public let data: TrainingData
  private let settings: Settings
  private let rate: Schedule
  private let rule: any GradientRule
  private var optimizer: Optimizer
  private var generator: RandomGenerator
  /// Of the signs that a rule asks for, so that batches are the same with and without.
  private var signGenerator: RandomGenerator
  /// What is left of the current pass over the data.
  private var order: [Int] = []
  /// The stalks of all samples, where they are kept.
  private var stalks: SheafState?
  /// The shares of a batch, which keep their workspaces.
  private var shares: ParallelLoop<Share>?

  /// A run.
  ///
  /// - Throws: `TrainingError` for a setting out of its range and for shared parameters.
  public init(
    _ network: Network, data: TrainingData, rule: any GradientRule, settings: Settings
  ) throws(TrainingError) {
    try network.checkUnshared()
    for (name, value) in [
      ("batch", settings.batch), ("steps-per-epoch", settings.stepsPerEpoch),
      ("threads", settings.threads),
    ] {
      if let value, value < 1 {
        throw .setting(name: name, found: "\(value)", expected: "at least 1")
      }
    }
    (self.network, self.data, self.rule, self.settings) = (network, data, rule, settings)
    let largestRate = settings.rate.map { max($0.start, $0.end) } ?? settings.optimizer.defaultRate
    guard largestRate * settings.weightDecay < 1 else {
      throw .setting(
        name: "weight-decay", found: "\(settings.weightDecay)",
        expected: "less than 1/\(largestRate), the rate's inverse")
    }
    rate = settings.rate ?? .constant(settings.optimizer.defaultRate)
    optimizer = try Optimizer(
      settings.optimizer, damping: settings.damping, weightDecay: settings.weightDecay,
      coefficients: settings.coefficients, for: network)
    generator = RandomGenerator(seed: settings.seed)
    signGenerator = RandomGenerator(seed: settings.seed &+ 0x51675)
    stalks = settings.keepsStalks ? NeuralSheaf(network).forwardPass(data.input) : nil
  }

  private var batchSize: Int { min(settings.batch ?? data.count, data.count) }

  public mutating func runEpoch(
    _ progress: ClosedRange<Double>, isInterrupted: () -> Bool = { false }
  ) throws -> EpochReport {
    var report = EpochReport()
    let size = batchSize
    let steps = settings.stepsPerEpoch ?? (data.count + size - 1) / size
    for k in 0..<steps {
      if isInterrupted() {
        report.ending = .interrupted
        return report
      }
      let t =
        progress.lowerBound
        + (progress.upperBound - progress.lowerBound) * Double(k) / Double(steps)
      var indices: [Int]? = nil
      if size < data.count {
        if order.isEmpty { order = generator.permutation(data.count) }
        indices = Array(order.prefix(size))
        order.removeFirst(indices!.count)
      }
      report.relaxation.add(try trainStep(indices, at: t, isMeasured: k + 1 == steps))
      report.steps += 1
      report.rate = rate.value(at: t)
      report.coupling = rule.coupling(at: t)
    }
    return report
  }

  /// One weight step on some samples, nil for all, shared out over the threads.
  private mutating func trainStep(
    _ indices: [Int]?, at progress: Double, isMeasured: Bool
  ) throws -> RelaxationReport {
    let count = indices?.count ?? data.count
    let shares =
      shares.flatMap { Self.samples($0) == count ? $0 : nil }
      ?? split(count, isWhole: indices == nil)
    self.shares = shares
    let sheaf = NeuralSheaf(network)
    let signs =
      rule.needsSigns(network)
      ? signGenerator.signs(rows: network.outputDimension, columns: count) : nil
    for i in 0..<shares.count {
      shares.with(i) { share in
        share.sheaf = sheaf
        share.weight = 1 / Double(count)
        share.batch.progress = progress
        share.batch.isMeasured = isMeasured
        share.batch.size = count
        share.batch.sums = []
        if let signs { share.batch.signs = signs.columns(share.range) }
        if let indices {
          let these = Array(indices[share.range])
          share.batch.input.gatherColumns(these, from: data.input)
          share.batch.target.gatherColumns(these, from: data.target)
          if let stalks { share.batch.stalks = stalks.samples(these) }
        }
      }
    }
    for k in 0..<rule.sumCount {
      for i in 0..<shares.count { shares.with(i) { $0.sum = k } }
      shares.run()
      var total = shares.with(0) { $0.sums }
      for i in 1..<shares.count { shares.with(i) { total = zip(total, $0.sums).map { $0 + $1 } } }
      for i in 0..<shares.count {
        shares.with(i) { share in
          share.batch.sums.append(total)
          share.sum = nil
        }
      }
    }
    shares.run()
    var report = RelaxationReport()
    var failure: (any Error)?
    for i in 0..<shares.count {
      shares.with(i) { share in
        share.sheaf = nil
        report.add(share.report)
        failure = failure ?? share.failure
        if let ends = share.batch.stalks, let indices {
          let these = Array(indices[share.range])
          for v in ends.stalks.indices {
            stalks!.stalks[v].scatterColumns(these, from: ends.stalks[v])
          }
        }
        if i > 0 { shares.with(0) { $0.add(share) } }
      }
    }
    if let failure { throw failure }
    update(with: shares, at: progress)
    return report
  }

  private static func samples(_ shares: ParallelLoop<Share>) -> Int {
    (0..<shares.count).reduce(0) { sum, i in sum + shares.with(i) { $0.count } }
  }

  private mutating func update(with shares: ParallelLoop<Share>, at progress: Double) {
    let energyScales =
      settings.optimizer == .leastSquares ? rule.energyScales(network, at: progress) : []
    shares.with(0) { share in
      optimizer.step(
        &network, share.gradients, moments: share.moments, rate: rate.value(at: progress),
        energyScales: energyScales)
    }
  }

  /// Workspaces for batches of some samples.
  private func split(_ count: Int, isWhole: Bool) -> ParallelLoop<Share> {
    // Measured: a step of less than a millisecond is not worth handing over, with its gradients to add up.
    let parts = SampleBlocks.threads(
      network: network, batch: count * rule.sweeps(network) / 8,
      limit: min(settings.threads, count))
    let shares = (0..<parts).map { i in
      let range = i * count / parts..<(i + 1) * count / parts
      return Share(
        range: range,
        batch: RuleBatch(
          input: data.input.columns(range), target: data.target.columns(range),
          stalks: isWhole ? stalks?.samples(range) : nil),
        rule: rule, gradients: ParameterGradients(of: network),
        moments: optimizer.needsMoments ? Optimizer.blankMoments(network) : [])
    }
    return ParallelLoop(shares, threads: parts) { $0.run() }
  }

  /// Some samples of a batch with their workspace. The sheaf is lent for the time of a step, so that
  /// nobody shares the parameters when they change.
  private struct Share: Sendable {
    let range: Range<Int>
    var batch: RuleBatch
    var rule: any GradientRule
    var gradients: ParameterGradients
    var moments: [[Matrix]]
    var weight = 0.0
    var sheaf: NeuralSheaf?
    /// Which sums are asked for next; nil for the gradient.
    var sum: Int?
    var sums: [Double] = []
    var report = RelaxationReport()
    var failure: (any Error)?

    var count: Int { range.count }

    mutating func run() {
      let sheaf = sheaf!
      if let sum {
        sums = rule.sums(sum, sheaf, batch)
        return
      }
      // Out of self, so that the rule and what it hands over can both be written.
      var (gradients, moments) = (ParameterGradients(edges: []), [[Matrix]]())
      swap(&gradients, &self.gradients)
      swap(&moments, &self.moments)
      var isVisited = [Bool](repeating: false, count: sheaf.network.edges.count)
      do {
        report = try rule.visitEdges(sheaf, &batch) { part in
          let e = part.edge
          part.add(
            of: sheaf.network, weight: weight, keeping: isVisited[e] ? 1 : 0,
            into: &gradients.edges[e])
          // The moments are those of what the rule sees first.
          if !moments.isEmpty && !moments[e].isEmpty && !isVisited[e] {
            sheaf.network.edges[e].operation.addRegressorMoments(
              part.source, scale: weight, keeping: 0, into: &moments[e])
          }
          isVisited[e] = true
        }
      } catch {
        failure = error
      }
      swap(&gradients, &self.gradients)
      swap(&moments, &self.moments)
    }

    mutating func add(_ other: Share) {
      gradients.add(other.gradients)
      for e in moments.indices {
        for b in moments[e].indices { moments[e][b].add(other.moments[e][b]) }
      }
    }
  }
}

/// What a checkpoint holds.
extension GradientTraining {
  public func save(into state: inout TrainingState) {
    state.save(network, named: "parameters")
    optimizer.save(into: &state)
    state.numbers["generator"] = generator.state
    if rule.needsSigns(network) { state.numbers["signs"] = signGenerator.state }
    state.numbers["order"] = order.map(UInt64.init)
    if let stalks = currentStalks { state.save([stalks.stalks], named: "stalks") }
  }

  public mutating func restore(from state: TrainingState) throws(TrainingError) {
    try state.restore(&network, named: "parameters")
    try optimizer.restore(from: state)
    generator = try state.generator("generator")
    if rule.needsSigns(network) { signGenerator = try state.generator("signs") }
    order = try state.order("order", of: data.count)
    if let stalks {
      var lists = [stalks.stalks]
      try state.restore(&lists, named: "stalks")
      self.stalks!.stalks = lists[0]
    }
    shares = nil
  }

  /// The stalks of all samples; with full batches the shares hold them.
  private var currentStalks: SheafState? {
    guard var result = stalks else { return nil }
    guard batchSize == data.count, let shares else { return result }
    for i in 0..<shares.count {
      shares.with(i) { share in
        if let part = share.batch.stalks {
          result.setSamples(from: share.range.lowerBound, to: part)
        }
      }
    }
    return result
  }
}
