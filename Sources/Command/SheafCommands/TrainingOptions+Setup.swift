import ArgumentParser
import Equilibria
import LinearAlgebra
import ModelFormats
import NeuralSheaves
import SheafTraining

/// What the options ask for.
extension TrainingOptions {
  /// The network at the start; with --standardize behind a scaling whose numbers are those of
  /// `prepare`.
  func startNetwork() throws -> Network {
    let activation = reading.outputActivation ?? source.defaultActivation
    var generator = RandomGenerator(seed: initial.seed)
    var start: Network
    if let network {
      start = try reading.load(network)
      if reading.outputActivation == nil && start.outputActivation == .identity {
        start.outputActivation = activation
      }
      if reinitialize { start.reinitialize(using: &generator) }
      if source.standardize && start.isScaledFirst {
        throw ValidationError(
          "--standardize: \(network) scales its input already, in \(start.edgeName(0)); expected a "
            + "network without, or no --standardize")
      }
    } else {
      start = try Network(layers: layers!, outputActivation: activation, using: &generator)
    }
    guard source.standardize else { return start }
    let n = start.inputDimension
    return start.preceded(
      by: ChannelAffine(
        scale: [Double](repeating: 1, count: n), shift: [Double](repeating: 0, count: n), extent: 1,
        isTrained: false))
  }

  /// Training, validation and test samples, and the network with what it takes of them: the names of
  /// its classes and its scaling.
  func prepare(
    _ network: inout Network
  ) throws -> (train: TrainingData, validation: TrainingData?, test: TrainingData?) {
    let samples = try source.load(for: network, arrays, seed: initial.seed)
    if !samples.classNames.isEmpty { network.classNames = samples.classNames }
    var (train, held) = (samples.train, TrainingData?.none)
    if validation != nil || source.testShare != nil {
      guard method != .flow || initial.initial == nil else {
        throw ValidationError(
          "--initial has stalks of all samples; "
            + "\(validation == nil ? "--test-share" : "--validation") takes some away")
      }
    }
    if let validation {
      // A generator of its own: batches are the same with and without.
      var generator = RandomGenerator(seed: initial.seed &+ 0x5EED)
      (train, held) = try train.split(holdingOut: validation, using: &generator)
    }
    let scales = Standardization(train.input)
    if source.standardize {
      network.replaceOperation(of: 0, by: scales.operation)
    } else if source.input != nil && !network.isScaledFirst, let extremes = scales.extremes,
      extremes.ratio > 100
    {
      let name = { samples.inputNames?[$0] ?? "coordinate \($0)" }
      Note.say(
        "inputs differ in scale by a factor of \(TextOutput.number(extremes.ratio)) "
          + "(\(name(extremes.largest)) to \(name(extremes.least))); --standardize brings them to one"
      )
    }
    return (train, held, samples.test)
  }

  func rateValue() throws(TrainingError) -> Schedule {
    try Schedule(
      rateSchedule, named: "rate", from: rate ?? optimizerValue.defaultRate, to: rateEnd)
  }

  private var defaultCoupling: Double {
    switch method {
    case .coordinate: 1
    case .evidence: 0.1
    // Its steps are proportional to κ.
    default: optimizerValue == .leastSquares ? 0.1 : EquilibriumRule.defaultCoupling
    }
  }

  func couplingValue() throws(TrainingError) -> Schedule {
    try Schedule(
      couplingSchedule, named: "coupling", from: coupling ?? defaultCoupling,
      to: couplingEnd)
  }

  func stiffnessValue() throws -> EdgeStiffness {
    var factors: [OperationKind: Double] = [:]
    for text in stiffnessOf {
      let parts = text.split(separator: "=", maxSplits: 1)
      guard parts.count == 2, let kind = OperationKind(rawValue: String(parts[0])),
        let value = Double(parts[1])
      else {
        let kinds = OperationKind.allCases.filter { $0 != .output }.map(\.rawValue)
        throw ValidationError(
          "--stiffness-of \(text): expected KIND=NUMBER, KIND one of "
            + kinds.joined(separator: ", "))
      }
      factors[kind] = value
    }
    return try EdgeStiffness(
      Schedule(stiffnessSchedule, named: "stiffness", from: stiffness, to: stiffnessEnd),
      factors: factors)
  }

  var optimizerValue: Optimizer.Rule {
    optimizer ?? (method == .coordinate ? .leastSquares : .adam)
  }

  /// The rule of the methods that follow one.
  private func rule() throws -> any GradientRule {
    let rule: any GradientRule
    switch method {
    case .flow, .backpropagation: rule = Backpropagation()
    case .coordinate:
      rule = try equilibriumRule(
        .solver(.coordinate, tolerance: relaxationTolerance, stepLimit: relaxationSteps ?? 3))
    case .equilibrium, .evidence:
      let solver = EquilibriumMethod(rawValue: relaxation.rawValue)
      let equilibrium = try equilibriumRule(
        solver.map { .solver($0, tolerance: relaxationTolerance, stepLimit: relaxationSteps) }
          ?? .sweeps(directions: (sweeps - 1) / 2))
      rule = method == .evidence ? try EvidenceRule(equilibrium) : equilibrium
    }
    return try relativeNoise.map { try RelativeNoise($0, on: rule) } ?? rule
  }

  private func equilibriumRule(
    _ relaxation: EquilibriumRule.Relaxation
  ) throws -> EquilibriumRule {
    try EquilibriumRule(
      coupling: couplingValue(), stiffness: stiffnessValue(), relaxation: relaxation,
      discordClip: discordClip)
  }

  /// The trainer, ready for its first epoch.
  func trainer(_ network: Network, _ data: TrainingData) throws -> any Trainer {
    guard method != .flow else {
      return try JointFlow(
        network, data: data,
        initial: initial.state(
          NeuralSheaf(network), input: data.input, default: "forward", arrays: arrays,
          hasOutput: false),
        settings: .init(
          step: step, alpha: alpha, beta: beta, batch: batch, stepsPerEpoch: stepsPerEpoch,
          isColdStart: coldStart, seed: initial.seed))
    }
    var settings = try GradientTraining.Settings(optimizerValue)
    settings.rate = try rateValue()
    (settings.damping, settings.weightDecay) = (damping, weightDecay)
    let isFull = method == .coordinate || data.count <= 300
    settings.batch = batch ?? (isFull ? nil : 32)
    settings.stepsPerEpoch = stepsPerEpoch
    settings.keepsStalks = warmStart || method == .coordinate
    settings.seed = initial.seed
    return try GradientTraining(network, data: data, rule: rule(), settings: settings)
  }
}

extension Network {
  /// Whether its first operation is a scaling that is not trained, as --standardize makes one.
  fileprivate var isScaledFirst: Bool {
    guard let first = edges.first?.operation as? ChannelAffine else { return false }
    return !first.isTrained
  }
}
