import ArgumentParser
import ArrayFiles
import Figures
import Foundation
import LinearAlgebra
import ModelFormats
import NeuralSheaves
import SheafTraining

struct Train: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Train a network: by local discrepancy, or by backpropagation.",
    discussion: """
      Methods: equilibrium relaxes the stalks with the output clamped, then steps the weights; evidence \
      adds what the network's sensitivity costs as a probability model; \
      coordinate sets stalks and weights in turn, each to its best value; flow is the paper's joint \
      flow; backpropagation is the baseline.
      With --validation the network of least validation loss is kept, else the last. Ctrl-C ends a run \
      after the step in hand; --resume goes on from a checkpoint exactly where it was.
      Examples:
        sheaf train --layers 64,128,64,10 --data digits --epochs 20 --history history.csv
        sheaf train --layers 64,128,64,10 --data digits --epochs 200 --checkpoint run.safetensors
        sheaf train --resume run.safetensors --epochs 300 --out digits.onnx
      """)

  @OptionGroup var options: TrainingOptions
  @Option(
    help: """
      Keep a .safetensors file from which the run can go on; default that of --resume. A file that is \
      there is kept without --overwrite.
      """) var checkpoint: String?
  @Flag(help: "Replace a checkpoint of another run.") var overwrite = false
  @Option(help: "Go on from a checkpoint, with its settings.") var resume: String?
  @OptionGroup var limit: TimeLimitOption
  @Option(help: "Write a record of each epoch to a .csv file.") var history: String?
  @Option(
    help: """
      Observe every so many steps, at the end of the epoch that they fall in: every:N. Quartiles of λ₁, λ_max and the \
      condition number, and the discord of each edge with the output clamped.
      """) var observe: String?
  @Option(help: "Write what is observed to a .csv file.") var observations: String?
  @Option(help: "How many training samples are observed.") var observedSamples = 5
  @Option(
    help: """
      Write what sheaf diagnose asks for to an .npz file: moments of the stalks on the training samples, and the flip \
      energy of each along training.
      """) var statistics: String?
  @Option(help: "Write the trained network to an .onnx, .safetensors or .npz file.") var out:
    String?
  @OptionGroup var plot: PlotOption
  @Flag(help: "Print one JSON object.") var json = false

  /// The command line with the settings of the checkpoint that it goes on from put before its own.
  static func completed(_ arguments: [String]) throws -> [String] {
    guard arguments.first == configuration.commandName ?? "train" else { return arguments }
    var path: String?
    var given = Set<String>()
    for (i, argument) in arguments.enumerated() where argument.hasPrefix("--") {
      let parts = argument.dropFirst(2).split(separator: "=", maxSplits: 1)
      guard let name = parts.first.map(String.init) else { continue }
      given.insert(name)
      if name == "resume" {
        path =
          parts.count == 2 ? String(parts[1]) : i + 1 < arguments.count ? arguments[i + 1] : nil
      }
    }
    guard let path else { return arguments }
    return [arguments[0]] + (try TrainingSession.storedArguments(path, except: given))
      + arguments.dropFirst()
  }

  /// The checkpoint that the run keeps up.
  private var kept: String? { checkpoint ?? resume }

  private func declaredFiles() throws -> CallFiles {
    var files = CallFiles()
    options.declare(in: &files)
    files.reads("--resume", resume)
    try files.writes("--checkpoint", kept, extensions: ["safetensors"])
    try files.writes("--out", out, extensions: NetworkFile.extensions)
    try files.writes("--history", history, extensions: ["csv"])
    try files.writes("--observations", observations, extensions: ["csv"])
    try files.writes("--statistics", statistics, extensions: ["npz"])
    return files
  }

  func validate() throws {
    guard (observe == nil) == (observations == nil) else {
      throw ValidationError(
        "--observe and --observations belong together, found only "
          + (observe == nil ? "--observations" : "--observe"))
    }
    try plot.check(json: json)
    guard observedSamples > 0 else {
      throw ValidationError("--observed-samples is \(observedSamples), expected at least 1")
    }
    _ = try observe.map(TrainingObserver.interval)
  }

  func run() throws {
    try declaredFiles().check(sharing: [("--checkpoint", "--resume")])
    if let out { try NetworkFile.check(try options.startNetwork(), fits: out) }
    // From here on the lock is to be given back.
    let halt = Halt.onSignals(timeLimit: limit.timeLimit)
    let lock = try kept.map { try FileLock($0) }
    defer { withExtendedLifetime(lock) {} }
    try checkNothingIsReplaced()
    let bar = ProgressBar()
    var session = TrainingSession(
      options: options, history: history, checkpoint: kept, resume: resume)
    if let observe, let observations {
      session.observations = (
        try TrainingObserver.interval(observe), observedSamples, observations
      )
    }
    session.statistics = statistics
    let outcome = try session.run(until: halt) {
      bar.show($0.epoch, of: options.epochs, "loss \(TextOutput.number($0.train.loss))")
    }
    bar.end()
    var delivery = Delivery()
    for problem in outcome.problems { delivery.put { throw problem } }
    // A network that is not finite could not be read again, and an older file may be better.
    let isFinite = outcome.record.train.loss.isFinite
    if let out, isFinite { delivery.put { try NetworkFile.write(outcome.network, to: out) } }
    let ending = halt.reason.flatMap { outcome.status == .interrupted ? $0 : nil }
    if json {
      delivery.put { try JSONOutput.print(object(outcome, ending)) }
    } else {
      delivery.print(text(outcome, ending))
      plot.add(
        Panel.losses(
          [("training", outcome.records.map { ($0.step, $0.train.loss) })]
            + (outcome.records[0].test == nil
              ? [] : [("test", outcome.records.map { ($0.step, $0.test?.loss ?? .nan) })])),
        to: &delivery)
    }
    try delivery.end(failure(outcome, ending))
  }

  /// A new run does not replace the checkpoint of another.
  private func checkNothingIsReplaced() throws {
    guard let checkpoint, !overwrite, FileManager.default.fileExists(atPath: checkpoint) else {
      return
    }
    if let resume, FileIdentity(resume) == FileIdentity(checkpoint) { return }
    throw ArrayFileError(
      file: checkpoint,
      problem:
        "is there already, expected a new file for --checkpoint; --resume \(checkpoint) goes on "
        + "from it, --overwrite replaces it")
  }

  private func failure(
    _ outcome: TrainingSession.Outcome, _ ending: SolutionStatus?
  ) -> WorkFailure? {
    let epoch = outcome.records.last!.epoch
    switch outcome.status {
    case .completed, .stoppedEarly: return nil
    case .diverged:
      let isFinite = outcome.record.train.loss.isFinite
      return WorkFailure(
        description: "training diverged after epoch \(epoch): the loss grew "
          + "beyond bounds; use a smaller \(options.method == .flow ? "--step or --beta" : "--rate")"
          + (out == nil || isFinite ? "" : "; \(out!) was not written"))
    case .interrupted:
      return WorkFailure(
        description: (ending?.haltWords ?? "interrupted")
          + " after epoch \(epoch) of \(options.epochs)"
          + (kept.flatMap { path in
            outcome.problems.contains { $0.file == path }
              ? nil : "; --resume \(path) goes on from there"
          } ?? ""))
    }
  }

  private func object(
    _ outcome: TrainingSession.Outcome, _ ending: SolutionStatus?
  ) -> [String: Any] {
    let (last, kept) = (outcome.records.last!, outcome.record)
    let rate = last.seconds > 0 ? Double(last.step) / last.seconds : nil
    return [
      "classes": outcome.network.classNames,
      "status": ending?.rawValue ?? outcome.status.rawValue, "method": options.method.rawValue,
      "history": JSONOutput.history(outcome.records), "epoch": kept.epoch,
      "trainLoss": JSONOutput.number(kept.train.loss),
      "validationLoss": JSONOutput.number(kept.validation?.loss),
      "testLoss": JSONOutput.number(kept.test?.loss),
      "trainAccuracy": JSONOutput.number(kept.train.accuracy),
      "validationAccuracy": JSONOutput.number(kept.validation?.accuracy),
      "testAccuracy": JSONOutput.number(kept.test?.accuracy),
      "seconds": last.seconds, "stepsPerSecond": JSONOutput.number(rate),
      "unsettledFraction": JSONOutput.number(last.relaxation.unsettledFraction),
      "medianResidual": JSONOutput.number(last.relaxation.medianResidual),
    ]
  }

  private func text(_ outcome: TrainingSession.Outcome, _ ending: SolutionStatus?) -> String {
    let (last, kept) = (outcome.records.last!, outcome.record)
    let n = TextOutput.number
    let parts = [
      ("train", kept.train as Evaluation?), ("validation", kept.validation), ("test", kept.test),
    ].filter { $0.0 != "validation" || $0.1 != nil }
    var lines = [
      "\(options.method.rawValue): \(ending?.rawValue ?? outcome.status.rawValue) after \(last.step) "
        + "steps in \(n(last.seconds)) s"
        + (kept.epoch == last.epoch ? "" : "; the network is that of epoch \(kept.epoch)"),
      TextOutput.table([
        [""] + parts.map(\.0), ["loss"] + parts.map { n($0.1?.loss) },
        ["accuracy"] + parts.map { n($0.1?.accuracy) },
      ]),
    ]
    if !outcome.network.classNames.isEmpty {
      lines.append("classes: " + outcome.network.classNames.joined(separator: ", "))
    }
    if let residual = last.relaxation.medianResidual {
      let isBudget = options.method != .coordinate && options.relaxation == .sweeps
      lines.append(
        isBudget
          ? "relaxations of the last batch: median stationarity residual \(n(residual))"
          : "relaxations of the last epoch: median stationarity residual \(n(residual)), "
            + "\(n(100 * (last.relaxation.unsettledFraction ?? 0))) % of the samples unsettled")
    }
    return lines.joined(separator: "\n")
  }
}

extension JSONOutput {
  /// The columns of a history, each a list by epoch.
  static func history(_ records: [EpochRecord]) -> [String: Any] {
    func list(_ value: (EpochRecord) -> Double?) -> Any { records.map { number(value($0)) } }
    var columns: [String: Any] = [
      "step": records.map(\.step), "epoch": records.map(\.epoch),
      "trainLoss": list(\.train.loss), "validationLoss": list(\.validation?.loss),
      "testLoss": list(\.test?.loss), "trainAccuracy": list(\.train.accuracy),
      "validationAccuracy": list(\.validation?.accuracy),
      "testAccuracy": list(\.test?.accuracy), "seconds": list(\.seconds), "rate": list(\.rate),
      "coupling": list(\.coupling), "unsettledFraction": list(\.relaxation.unsettledFraction),
      "medianResidual": list(\.relaxation.medianResidual),
      "kinkNeurons": list(\.relaxation.kinkNeurons),
    ]
    var discords: [String: Any] = [:]
    for kind in OperationKind.allCases {
      guard records.contains(where: { $0.relaxation.discord(kind) != nil }) else { continue }
      discords[kind.rawValue] = list { $0.relaxation.discord(kind) }
    }
    columns["discords"] = discords
    var norms: [String: Any] = [:]
    for (k, norm) in (records.first?.weightNorms ?? []).enumerated() {
      norms[norm.vertex] = list { $0.weightNorms[k].norm }
    }
    columns["weightNorms"] = norms
    return columns
  }
}
