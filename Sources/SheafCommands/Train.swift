import ArgumentParser
import ArrayFiles
import Foundation
import ModelFormats
import NeuralSheaves
import SheafTraining

struct Train: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Train a network: by local discrepancy, or by backpropagation.",
    discussion: """
      Methods: equilibrium relaxes the stalks with the output clamped, then steps the weights; \
      coordinate sets stalks and weights in turn, each to its best value; flow is the paper's joint \
      flow; backpropagation is the baseline.
      With --validation the network of least validation loss is kept, else the last. Ctrl-C ends a run \
      after the step in hand; --resume goes on from a checkpoint exactly where it was.
      Examples:
        sheaf train --layers 64,128,64,10 --data digits --epochs 20 --history history.csv
        sheaf train --layers 64,128,64,10 --data digits --epochs 200 --checkpoint run.safetensors
        sheaf train --resume run.safetensors --checkpoint run.safetensors --out digits.onnx
      """)

  @OptionGroup var options: TrainingOptions
  @Option(help: "Keep a .safetensors file from which the run can go on.") var checkpoint: String?
  @Option(help: "Go on from a checkpoint, with its settings.") var resume: String?
  @Option(help: "Write a record of each epoch to a .csv file.") var history: String?
  @Option(help: "Write the trained network to an .onnx, .safetensors or .npz file.") var out:
    String?
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

  func validate() throws {
    let files = [
      ("--checkpoint", checkpoint), ("--out", out), ("--history", history), ("--resume", resume),
    ].compactMap { name, path in
      path.map { (name, URL(fileURLWithPath: $0).standardizedFileURL.path) }
    }
    for (i, first) in files.enumerated() {
      for second in files.dropFirst(i + 1)
      where first.1 == second.1 && (first.0, second.0) != ("--checkpoint", "--resume") {
        throw ValidationError("\(first.0) and \(second.0) are one file, \(first.1)")
      }
    }
  }

  func run() throws {
    try checkWritable(history, extensions: ["csv"])
    try checkWritable(checkpoint, extensions: ["safetensors"])
    try checkWritable(out, extensions: NetworkFile.extensions)
    if let out { try NetworkFile.check(try options.startNetwork(), fits: out) }
    let interruption = Interruption()
    let bar = ProgressBar(total: options.epochs)
    let session = TrainingSession(
      options: options, history: history, checkpoint: checkpoint, resume: resume)
    let outcome = try session.run(isInterrupted: { interruption.isRaised }) {
      bar.show($0.epoch, "loss \(TextOutput.number($0.train.loss))")
    }
    // A network that is not finite could not be read again, and an older file may be better.
    let isFinite = outcome.record.train.loss.isFinite
    if let out, isFinite { try NetworkFile.write(outcome.network, to: out) }
    try report(outcome)
    switch outcome.status {
    case .completed, .stoppedEarly: return
    case .diverged:
      throw WorkFailure(
        description: "training diverged after epoch \(outcome.records.last!.epoch): the loss grew "
          + "beyond bounds; use a smaller \(options.method == .flow ? "--step or --beta" : "--rate")"
          + (out == nil || isFinite ? "" : "; \(out!) was not written"))
    case .interrupted:
      throw WorkFailure(
        description: "interrupted after epoch \(outcome.records.last!.epoch) of "
          + "\(options.epochs)"
          + (checkpoint.map { "; --resume \($0) goes on from there" } ?? ""))
    }
  }

  private func report(_ outcome: TrainingSession.Outcome) throws {
    let (last, kept) = (outcome.records.last!, outcome.record)
    let rate = last.seconds > 0 ? Double(last.step) / last.seconds : nil
    if json {
      return try JSONOutput.print(
        [
          "status": outcome.status.rawValue, "method": options.method.rawValue,
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
        ])
    }
    let n = TextOutput.number
    print(
      "\(options.method.rawValue): \(outcome.status.rawValue) after \(last.step) steps in "
        + "\(n(last.seconds)) s"
        + (kept.epoch == last.epoch ? "" : "; the network is that of epoch \(kept.epoch)"))
    let parts = [
      ("train", kept.train as Evaluation?), ("validation", kept.validation), ("test", kept.test),
    ].filter { $0.0 != "validation" || $0.1 != nil }
    print(
      TextOutput.table([
        [""] + parts.map(\.0), ["loss"] + parts.map { n($0.1?.loss) },
        ["accuracy"] + parts.map { n($0.1?.accuracy) },
      ]))
    if let residual = last.relaxation.medianResidual {
      let isBudget = options.method == .equilibrium && options.relaxation == .sweeps
      print(
        isBudget
          ? "relaxations of the last batch: median stationarity residual \(n(residual))"
          : "relaxations of the last epoch: median stationarity residual \(n(residual)), "
            + "\(n(100 * (last.relaxation.unsettledFraction ?? 0))) % of the samples unsettled")
    }
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
