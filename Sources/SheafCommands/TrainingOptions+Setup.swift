import ArgumentParser
import Equilibria
import LinearAlgebra
import ModelFormats
import NeuralSheaves
import SheafTraining

/// What the options ask for.
extension TrainingOptions {
  /// The network at the start.
  func startNetwork() throws -> Network {
    let activation = outputActivation ?? source.defaultActivation
    var generator = RandomGenerator(seed: initial.seed)
    if let network {
      var start = try NetworkFile.read(
        network, prefix: prefix, outputActivation: outputActivation)
      if outputActivation == nil && start.outputActivation == .identity {
        start.outputActivation = activation
      }
      if reinitialize { start.reinitialize(using: &generator) }
      return start
    }
    let widths = try layers!.split(separator: ",", omittingEmptySubsequences: false).map {
      guard let n = Int($0) else {
        throw ValidationError("--layers \(layers!): \"\($0)\" is not a whole number")
      }
      return n
    }
    do {
      return try Network(widths: widths, outputActivation: activation, using: &generator)
    } catch {
      throw ValidationError("--layers \(layers!): \(error)")
    }
  }

  /// Training, validation and test samples.
  func loadData(
    for network: Network
  ) throws -> (train: TrainingData, validation: TrainingData?, test: TrainingData?) {
    let (all, test) = try source.load(for: network, arrays, seed: initial.seed)
    guard let validation else { return (all, nil, test) }
    guard method != .flow || initial.initial == nil else {
      throw ValidationError("--initial has stalks of all samples; --validation takes some away")
    }
    // A generator of its own: batches are the same with and without.
    var generator = RandomGenerator(seed: initial.seed &+ 0x5EED)
    let (train, held) = try all.split(holdingOut: validation, using: &generator)
    return (train, held, test)
  }

  func rateValue() throws(TrainingError) -> Schedule {
    try Schedule(
      rateSchedule, named: "rate", from: rate ?? optimizerValue.defaultRate, to: rateEnd)
  }

  func couplingValue() throws(TrainingError) -> Schedule {
    try Schedule(
      couplingSchedule, named: "coupling", from: coupling ?? (method == .coordinate ? 1 : 0.1),
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
    switch method {
    case .flow, .backpropagation: return Backpropagation()
    case .coordinate:
      return try EquilibriumRule(
        coupling: couplingValue(), stiffness: stiffnessValue(),
        relaxation: .solver(
          .coordinate, tolerance: relaxationTolerance, stepLimit: relaxationSteps ?? 3),
        discordClip: discordClip)
    case .equilibrium:
      let solver = EquilibriumMethod(rawValue: relaxation.rawValue)
      return try EquilibriumRule(
        coupling: couplingValue(), stiffness: stiffnessValue(),
        relaxation: solver.map {
          .solver($0, tolerance: relaxationTolerance, stepLimit: relaxationSteps)
        } ?? .sweeps(directions: (sweeps - 1) / 2),
        discordClip: discordClip)
    }
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
