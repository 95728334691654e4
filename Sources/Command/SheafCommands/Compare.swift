import ArgumentParser
import Figures
import Foundation
import LinearAlgebra
import NeuralSheaves
import SheafTraining

struct Compare: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Compare training methods on tasks over seeds: losses, accuracies, times.",
    discussion: """
      A METHOD is flow, equilibrium, evidence, coordinate or backpropagation, or a name of your own with options of \
      sheaf train: 'NAME: --method equilibrium --optimizer local'. A TASK is a data set, or a name with \
      options: 'NAME: --data digits --layers 64,32,10 --epochs 20'; a method's options come after the \
      task's, and --seed last; options end at spaces, but for those between quotes. All methods see the same start and the same batches for a seed, one run at \
      a time, by turns. The first method is what the others are compared with, seed by seed.
      A target is a test loss or accuracy; the time to it is training time. --target-loss first takes the \
      loss at which the first method ends, seed by seed. --target-loss and --target-accuracy may also stand \
      among a task's options.
      Example: sheaf compare --task digits --method backpropagation --method equilibrium --seeds 5 \
      --target-accuracy 0.975
      """)

  @Option(help: "A TASK; repeatable.") var task: [String] = []
  @Option(help: "A METHOD; repeatable.") var method: [String] = []
  @Option(help: "The number of seeds: 0, 1, ….") var seeds = 5
  @Option(help: "A test loss to reach, or first.") var targetLoss: String?
  @Option(help: "A test accuracy to reach, from 0 to 1.") var targetAccuracy: Double?
  @Option(help: "Write the table to a .csv file.") var csv: String?
  @Option(help: "Write each run to a .csv file.") var runs: String?
  @OptionGroup var limit: TimeLimitOption
  @OptionGroup var plot: PlotOption
  @Flag(help: "Print one JSON object.") var json = false

  /// The options of a run, with its target.
  private struct RunOptions: ParsableArguments {
    @Option var targetLoss: String?
    @Option var targetAccuracy: Double?
    @OptionGroup var training: TrainingOptions
  }

  /// A name and the options behind it.
  struct Specification {
    let name: String
    let arguments: [String]

    init(_ text: String, plain: (String) -> [String]?, kind: String, known: [String]) throws {
      if let colon = text.firstIndex(of: ":") {
        name = text[..<colon].trimmingCharacters(in: .whitespaces)
        guard !name.isEmpty else {
          throw ValidationError("--\(kind) \(text): expected a name before the colon")
        }
        let words = try text[text.index(after: colon)...].description.words()
        arguments = try CommandLineCheck(
          RunOptions.self, of: "--\(kind) \(name)", allowsHelp: false
        ).joined(words)
        guard !arguments.contains(where: { $0.hasPrefix("--seed=") }) else {
          throw ValidationError("--\(kind) \(name): --seed is set by --seeds, expected no --seed")
        }
      } else if let list = plain(text) {
        (name, arguments) = (text, list)
      } else {
        throw ValidationError(
          "--\(kind) \(text): expected \(known.joined(separator: ", ")), or 'NAME: OPTIONS'"
            + (text.meant(of: known).map { "; did you mean \($0)?" } ?? ""))
      }
    }
  }

  private static let layers = [
    "digits": "64,128,64,10", "paraboloid": "2,30,1", "saddle": "2,30,1", "circular": "2,25,1",
    "blobs": "2,25,4",
  ]

  func validate() throws {
    try plot.check(json: json)
    guard !task.isEmpty, !method.isEmpty else {
      throw ValidationError("expected at least one --task and one --method")
    }
    guard seeds >= 1 else { throw ValidationError("--seeds is \(seeds), expected at least 1") }
    guard targetLoss == nil || targetAccuracy == nil else {
      throw ValidationError("expected --target-loss or --target-accuracy, not both")
    }
    let all = try (methods(), tasks())
    for names in [all.0.map(\.name), all.1.map(\.name)] where Set(names).count < names.count {
      throw ValidationError("a name stands twice among \(names.joined(separator: ", "))")
    }
    for task in all.1 {
      for method in all.0 { _ = try options(task, method, seed: 0) }
    }
  }

  private func methods() throws -> [Specification] {
    try method.map {
      try Specification(
        $0, plain: { TrainingMethod(rawValue: $0).map { ["--method", $0.rawValue] } },
        kind: "method", known: TrainingMethod.allCases.map(\.rawValue))
    }
  }

  private func tasks() throws -> [Specification] {
    try task.map {
      try Specification(
        $0, plain: { name in Self.layers[name].map { ["--data", name, "--layers", $0] } },
        kind: "task", known: Self.layers.keys.sorted())
    }
  }

  private func options(
    _ task: Specification, _ method: Specification, seed: UInt64
  ) throws -> (training: TrainingOptions, loss: String?, accuracy: Double?) {
    do {
      let parsed = try RunOptions.parse(task.arguments + method.arguments + ["--seed", "\(seed)"])
      let loss = parsed.targetLoss ?? (parsed.targetAccuracy == nil ? targetLoss : nil)
      let accuracy = parsed.targetAccuracy ?? (parsed.targetLoss == nil ? targetAccuracy : nil)
      if let loss, loss != "first", !(Double(loss)?.isFinite ?? false) {
        throw ValidationError("--target-loss \(loss): expected a finite number or first")
      }
      if let accuracy, !(accuracy > 0 && accuracy <= 1) {
        throw ValidationError("--target-accuracy \(accuracy): expected a number in (0, 1]")
      }
      return (parsed.training, loss, accuracy)
    } catch {
      throw ValidationError(
        "\(task.name) by \(method.name): \(RunOptions.message(for: error))")
    }
  }

  private func declaredFiles() throws -> CallFiles {
    var files = CallFiles()
    for task in try tasks() {
      for method in try methods() {
        try options(task, method, seed: 0).training.declare(in: &files)
      }
    }
    try files.writes("--csv", csv, extensions: ["csv"], orPrints: true)
    try files.writes("--runs", runs, extensions: ["csv"], orPrints: true)
    files.prints("--json", json)
    return files
  }

  func run() throws {
    try declaredFiles().check()
    try checkHeldSamples()
    let all = try tasks().count * methods().count * seeds
    let halt = Halt.onSignals(timeLimit: limit.timeLimit)
    let comparison = try compared(of: all, until: halt)
    let ending = comparison.runs.count < all ? halt.reason : nil
    var delivery = Delivery()
    if let csv { delivery.put { try Table(lines: comparison.csv).write(to: csv) } }
    if let runs { delivery.put { try Table(lines: comparison.runsCSV).write(to: runs) } }
    if json {
      var object = comparison.json
      object["status"] = ending?.rawValue ?? "done"
      delivery.put { try JSONOutput.print(object) }
    } else if !comparison.runs.isEmpty && ![csv, runs].contains(CallFiles.standardStream) {
      delivery.print(comparison.table)
      for task in comparison.tasks { plot.add(comparison.panel(of: task), to: &delivery) }
    }
    try delivery.end(failure(comparison, of: all, ending))
  }

  private func failure(
    _ comparison: Comparison, of all: Int, _ ending: SolutionStatus?
  ) -> WorkFailure? {
    if let ending {
      return WorkFailure(
        description: ending.haltWords
          + " after \(comparison.runs.count) of \(all) runs")
    }
    guard comparison.runs.allSatisfy({ !($0.test?.loss.isFinite ?? false) }) else { return nil }
    return WorkFailure(
      description: "all \(all) runs diverged: nothing was compared; use a smaller --rate or --step")
  }

  /// The runs that there was time for.
  private func compared(of all: Int, until halt: Halt) throws -> Comparison {
    let bar = ProgressBar()
    defer { bar.end() }
    var comparison = Comparison()
    for task in try tasks() {
      for seed in 0..<UInt64(seeds) {
        var first: Double?
        for (m, method) in try methods().enumerated() {
          let (training, loss, accuracy) = try options(task, method, seed: seed)
          bar.show(
            comparison.runs.count, of: all, "\(task.name), \(method.name), seed \(seed)")
          let outcome = try TrainingSession(options: training).run(until: halt)
          if outcome.status == .interrupted { return comparison }
          let record = outcome.record
          let held = record.test ?? record.validation
          if m == 0 { first = held?.loss }
          var run = Comparison.Run(
            task: task.name, method: method.name, seed: seed, status: outcome.status,
            steps: outcome.records.last!.step, seconds: outcome.records.last!.seconds,
            train: record.train, test: held,
            isValidation: record.test == nil && held != nil,
            course: outcome.records.compactMap { r in
              (r.test ?? r.validation).map { (r.seconds, $0) }
            })
          let goal = loss == "first" ? first : loss.flatMap { Double($0) }
          run.set(goal.map { .loss($0) } ?? accuracy.map { .accuracy($0) })
          comparison.runs.append(run)
        }
      }
    }
    return comparison
  }

  /// There are test samples, or validation samples in their stead, for every run.
  private func checkHeldSamples() throws {
    for task in try tasks() {
      for method in try methods() {
        let options = try options(task, method, seed: 0).training
        if options.source.hasTestSamples { continue }
        guard options.validation != nil else {
          throw WorkFailure(
            description: "\(task.name) has no samples to compare on: expected --test-input, "
              + "--test-share or --validation among its options")
        }
        Note.say(
          "\(task.name) has no test samples: losses and accuracies are those of its validation "
            + "samples, which also choose the networks")
      }
    }
  }
}
