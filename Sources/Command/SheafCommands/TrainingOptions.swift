import ArgumentParser
import Equilibria
import LinearAlgebra
import NeuralSheaves
import SheafTraining

extension Optimizer.Rule: ExpressibleByArgument {}
extension Schedule.Shape: ExpressibleByArgument {}

/// How stalks are relaxed in a step of equilibrium training.
enum RelaxationName: String, CaseIterable, ExpressibleByArgument, Codable {
  case sweeps, auto, direct, iterative, coordinate, flow
}

/// A method of training.
enum TrainingMethod: String, CaseIterable, ExpressibleByArgument, Codable {
  case flow, equilibrium, evidence, coordinate, backpropagation
}

/// Everything that the outcome of a training run depends on.
struct TrainingOptions: ParsableArguments, Encodable {
  @Option(help: "Widths of a new network, such as 64,128,10.") var layers: String?
  @Option(help: "Start from a network: .onnx, .safetensors or .npz.") var network: String?
  @OptionGroup(title: "Reading --network") var reading: NetworkReadingOptions
  @Flag(help: "Draw the parameters of --network anew, by He's rule and --seed.")
  var reinitialize = false
  @OptionGroup(title: "Data") var source: TrainingSource
  @OptionGroup var arrays: ArrayOptions
  @OptionGroup var initial: InitialOptions
  @Option(help: "The method: flow, equilibrium, evidence, coordinate or backpropagation.")
  var method: TrainingMethod = .equilibrium
  @Option(help: "Epochs.") var epochs = 20
  @Option(help: "Samples per step; default all for flow, coordinate and data of 300, else 32.")
  var batch: Int?
  @Option(help: "Steps per epoch; default one pass over the data, for flow with all samples 1000.")
  var stepsPerEpoch: Int?
  @Option(
    help: ArgumentHelp(
      "The share of the training data held out to decide when to stop and which network to keep.",
      discussion: "Test data decide nothing."))
  var validation: Double?
  @Option(help: "Stop after this many epochs without a lower validation loss.") var patience: Int?

  @Option(
    help: """
      The optimiser: gradient, momentum, adam, local or leastSquares; default adam, for coordinate \
      leastSquares.
      """)
  var optimizer: Optimizer.Rule?
  @Option(help: "The optimiser's rate; default 0.001 adam, 0.1 local, 1 leastSquares, else 0.01.")
  var rate: Double?
  @Option(help: "How the rate changes: constant, linear, geometric, cosine or anneal.")
  var rateSchedule: Schedule.Shape = .constant
  @Option(help: "The rate at the end of its schedule; default a hundredth.") var rateEnd: Double?
  @Option(help: "local, leastSquares: the damping δ, relative to the mean second moment.")
  var damping = 0.01
  @Option(help: "The decay λ of weights, decoupled from the gradient.") var weightDecay = 0.0

  @Option(
    help: """
      Penalise sensitivity to noise on every edge of τ² times the power of its signal; none by default, 0.1 is worth \
      trying.
      """)
  var relativeNoise: Double?

  @Option(
    help: "The weight κ of the clamp; default 0.003, leastSquares and evidence 0.1, coordinate 1.")
  var coupling: Double?
  @Option(help: "How κ changes; anneal tends to backpropagation.")
  var couplingSchedule: Schedule.Shape = .constant
  @Option(help: "κ at the end of its schedule; default a hundredth.") var couplingEnd: Double?
  @Option(help: "The stiffness γ of all edges but the clamp.") var stiffness = 1.0
  @Option(help: "How γ changes.") var stiffnessSchedule: Schedule.Shape = .constant
  @Option(help: "γ at the end of its schedule; default a hundredth, which softens.")
  var stiffnessEnd: Double?
  @Option(help: "A further factor of γ by kind, such as activation=10; repeatable.")
  var stiffnessOf: [String] = []
  @Option(
    help: """
      How stalks are relaxed: sweeps (a budget), or to an equilibrium by auto, direct, iterative, \
      coordinate or flow.
      """)
  var relaxation: RelaxationName = .sweeps
  @Option(help: "The budget of --relaxation sweeps, the forward pass included: 3, 5, 7, ….")
  var sweeps = 3
  @Option(help: "The residual that counts as relaxed, of the other relaxations.")
  var relaxationTolerance = SolverSettings.defaultTolerance
  @Option(help: "Their most steps; for --method coordinate its rounds per step, default 3.")
  var relaxationSteps: Int?
  @Flag(help: "Keep each sample's stalks from visit to visit and relax from there.")
  var warmStart = false
  @Option(help: "Shorten discrepancies whose γ‖ρ‖/κ on an edge is longer.") var discordClip: Double?

  @Option(help: "flow: the diffusivity α of the stalks.") var alpha = 1.0
  @Option(help: "flow: the rate β of the weights; default 1/(samples per step).")
  var beta: Double?
  @Option(help: "flow: the step dt.") var step = 0.005
  @Flag(help: "flow: stalks start from the forward pass in every epoch.") var coldStart = false

  func validate() throws {
    guard (layers == nil) != (network == nil) else {
      throw ValidationError(
        layers == nil
          ? "expected --layers or --network, found neither"
          : "expected --layers or --network, found both")
    }
    if reinitialize && network == nil {
      throw ValidationError("--reinitialize is for --network; --layers draws a new network")
    }
    if let option = reading.givenForReading, network == nil {
      throw ValidationError("\(option) is for --network; --layers draws a new network")
    }
    let positive = [
      ("--rate", rate ?? 1), ("--alpha", alpha), ("--beta", beta ?? 1), ("--step", step),
      ("--coupling", coupling ?? 1), ("--stiffness", stiffness), ("--damping", damping),
      ("--discord-clip", discordClip ?? 1), ("--relaxation-tolerance", relaxationTolerance),
      ("--relative-noise", relativeNoise ?? 1),
    ]
    for (name, value) in positive where !(value > 0 && value.isFinite) {
      throw ValidationError("\(name) is \(value), expected a positive finite number")
    }
    let counts = [
      ("--epochs", epochs, 1), ("--batch", batch ?? 1, 1),
      ("--steps-per-epoch", stepsPerEpoch ?? 1, 1), ("--patience", patience ?? 1, 1),
      ("--sweeps", sweeps, 3), ("--relaxation-steps", relaxationSteps ?? 1, 1),
    ]
    for (name, value, least) in counts where value < least {
      throw ValidationError("\(name) is \(value), expected at least \(least)")
    }
    if !(weightDecay >= 0 && weightDecay.isFinite) {
      throw ValidationError("--weight-decay is \(weightDecay), expected 0 or a positive number")
    }
    if let validation, !(validation > 0 && validation < 1) {
      throw ValidationError("--validation is \(validation), expected a share between 0 and 1")
    }
    if sweeps > 10_001 {
      throw ValidationError("--sweeps is \(sweeps), expected at most 10001")
    }
    if sweeps % 2 == 0 {
      throw ValidationError(
        "--sweeps is \(sweeps), expected an odd number: a forward pass and two for each direction")
    }
    let largestDecay = (rate ?? optimizerValue.defaultRate) * weightDecay
    if largestDecay >= 1 {
      throw ValidationError(
        "--weight-decay \(weightDecay) times the rate is \(largestDecay), expected less than 1")
    }
    if patience != nil && validation == nil {
      throw ValidationError("--patience needs --validation, the samples to decide by")
    }
    for (name, end, shape) in [
      ("rate", rateEnd, rateSchedule), ("coupling", couplingEnd, couplingSchedule),
      ("stiffness", stiffnessEnd, stiffnessSchedule),
    ] where end != nil && (shape == .constant || shape == .anneal) {
      throw ValidationError("--\(name)-end needs --\(name)-schedule linear, geometric or cosine")
    }
    if stiffnessSchedule == .anneal {
      throw ValidationError(
        "--stiffness-schedule is anneal, expected one that stays above 0; --coupling-schedule anneal "
          + "tends to backpropagation")
    }
    try refuseForeignOptions()
    do { _ = try (rateValue(), couplingValue(), stiffnessValue()) } catch {
      throw ValidationError("\(error)")
    }
  }

  /// Declares the files that a run reads.
  func declare(in files: inout CallFiles) {
    files.reads("--network", network)
    for (option, array) in [
      ("--input", source.input), ("--target", source.target), ("--labels", source.labels),
      ("--test-input", source.testInput), ("--test-target", source.testTarget),
      ("--test-labels", source.testLabels),
    ] { files.reads(option, array) }
    initial.declare(in: &files)
  }

  /// Options of other methods are mistakes, not to be passed over.
  private func refuseForeignOptions() throws {
    func refuse(_ names: [(String, Bool)], _ reason: String) throws {
      if let (name, _) = names.first(where: \.1) {
        throw ValidationError("\(name) is for \(reason), not for --method \(method.rawValue)")
      }
    }
    if method != .flow {
      try refuse(
        [
          ("--initial", initial.initial != nil), ("--cold-start", coldStart),
          ("--initial-prefix", !initial.initialPrefix.isEmpty),
          ("--alpha", alpha != 1), ("--beta", beta != nil), ("--step", step != 0.005),
        ], "--method flow")
    } else {
      try refuse(
        [
          ("--optimizer", optimizer != nil), ("--rate", rate != nil),
          ("--rate-schedule", rateSchedule != .constant), ("--weight-decay", weightDecay != 0),
          ("--damping", damping != 0.01),
        ], "the other methods")
    }
    if method == .flow || method == .backpropagation {
      try refuse(
        [
          ("--coupling", coupling != nil), ("--coupling-schedule", couplingSchedule != .constant),
          ("--stiffness", stiffness != 1), ("--stiffness-of", !stiffnessOf.isEmpty),
          ("--stiffness-schedule", stiffnessSchedule != .constant),
          ("--discord-clip", discordClip != nil), ("--relaxation", relaxation != .sweeps),
          ("--sweeps", sweeps != 3), ("--warm-start", warmStart),
          ("--relaxation-steps", relaxationSteps != nil),
          ("--relaxation-tolerance", relaxationTolerance != SolverSettings.defaultTolerance),
        ], "--method equilibrium, evidence and coordinate")
    }
    if method == .flow || method == .coordinate {
      try refuse(
        [("--relative-noise", relativeNoise != nil)],
        "--method equilibrium, evidence and backpropagation")
    }
    if method == .evidence {
      try refuse([("--discord-clip", discordClip != nil)], "--method equilibrium and coordinate")
      if couplingSchedule == .anneal {
        throw ValidationError(
          "--coupling-schedule is anneal, expected one that stays above 0 for --method evidence")
      }
    }
    if method == .coordinate && (relaxation != .sweeps || sweeps != 3) {
      throw ValidationError(
        "--relaxation and --sweeps are for --method equilibrium and evidence; coordinate relaxes by "
          + "--relaxation-steps rounds of block descent")
    }
    if method == .equilibrium || method == .evidence {
      if relaxation != .sweeps && sweeps != 3 {
        throw ValidationError(
          "--sweeps is for --relaxation sweeps, not for --relaxation \(relaxation.rawValue)")
      }
      if relaxation == .sweeps
        && (relaxationSteps != nil || relaxationTolerance != SolverSettings.defaultTolerance)
      {
        throw ValidationError(
          "--relaxation-steps and --relaxation-tolerance are for a --relaxation by a solver; sweeps have "
            + "the budget --sweeps")
      }
    }
    if method != .flow && damping != 0.01 && ![.local, .leastSquares].contains(optimizerValue) {
      throw ValidationError("--damping is for --optimizer local and leastSquares")
    }
    if warmStart && method != .coordinate && relaxation == .sweeps {
      throw ValidationError(
        "--warm-start needs a --relaxation by a solver; sweeps start from the forward pass")
    }
  }
}
