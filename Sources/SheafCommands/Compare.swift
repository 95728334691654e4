import ArgumentParser
import ArrayFiles
import Foundation
import SheafTraining

struct Compare: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Compare training methods on tasks over seeds: losses, accuracies, times.",
    discussion: """
      A METHOD is flow, equilibrium, coordinate or backpropagation, or a name of your own with options of \
      sheaf train: 'NAME: --method equilibrium --optimizer local'. A TASK is a data set, or a name with \
      options: 'NAME: --data digits --layers 64,32,10 --epochs 20'; a method's options come after the \
      task's, and --seed last; options end at spaces. All methods see the same start and the same batches for a seed, one run at \
      a time, by turns. The first method is what the others are compared with, seed by seed.
      A target is a test loss or accuracy; the time to it is training time. --target-loss first takes the \
      loss at which the first method ends, seed by seed. --target-loss and --target-accuracy may also stand \
      among a task's options.
      Example: sheaf compare --task digits --method backpropagation --method equilibrium --seeds 5 \
      --target-accuracy 0.975
      """)

  @Option(name: .customLong("task"), help: "A TASK; repeatable.") var tasks: [String] = []
  @Option(name: .customLong("method"), help: "A METHOD; repeatable.") var methods: [String] = []
  @Option(help: "The number of seeds: 0, 1, ….") var seeds = 5
  @Option(help: "A test loss to reach, or first.") var targetLoss: String?
  @Option(help: "A test accuracy to reach, from 0 to 1.") var targetAccuracy: Double?
  @Option(help: "Write the table to a .csv file.") var csv: String?
  @Option(help: "Write each run to a .csv file.") var runs: String?
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
        arguments = text[text.index(after: colon)...].split(whereSeparator: \.isWhitespace)
          .map(String.init)
        guard !name.isEmpty else {
          throw ValidationError("--\(kind) \(text): expected a name before the colon")
        }
      } else if let list = plain(text) {
        (name, arguments) = (text, list)
      } else {
        throw ValidationError(
          "--\(kind) \(text): expected \(known.joined(separator: ", ")), or 'NAME: OPTIONS'")
      }
    }
  }

  private static let layers = [
    "digits": "64,128,64,10", "paraboloid": "2,30,1", "saddle": "2,30,1", "circular": "2,25,1",
    "blobs": "2,25,4",
  ]

  func validate() throws {
    guard !tasks.isEmpty, !methods.isEmpty else {
      throw ValidationError("expected at least one --task and one --method")
    }
    guard seeds >= 1 else { throw ValidationError("--seeds is \(seeds), expected at least 1") }
    guard targetLoss == nil || targetAccuracy == nil else {
      throw ValidationError("expected --target-loss or --target-accuracy, not both")
    }
    let all = try (specifications(), specifications(of: tasks))
    for names in [all.0.map(\.name), all.1.map(\.name)] where Set(names).count < names.count {
      throw ValidationError("a name stands twice among \(names.joined(separator: ", "))")
    }
    for task in all.1 {
      for method in all.0 { _ = try options(task, method, seed: 0) }
    }
  }

  private func specifications() throws -> [Specification] {
    try methods.map {
      try Specification(
        $0, plain: { TrainingMethod(rawValue: $0).map { ["--method", $0.rawValue] } },
        kind: "method", known: TrainingMethod.allCases.map(\.rawValue))
    }
  }

  private func specifications(of tasks: [String]) throws -> [Specification] {
    try tasks.map {
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

  func run() throws {
    try checkWritable(csv, extensions: ["csv"])
    try checkWritable(runs, extensions: ["csv"])
    let (methods, tasks) = (try specifications(), try specifications(of: tasks))
    let interruption = Interruption()
    let bar = ProgressBar(total: tasks.count * methods.count * seeds)
    var comparison = Comparison()
    var done = 0
    runs: for task in tasks {
      for seed in 0..<UInt64(seeds) {
        var first: Double?
        for method in methods {
          let (training, loss, accuracy) = try options(task, method, seed: seed)
          bar.show(done, "\(task.name), \(method.name), seed \(seed)")
          let outcome = try TrainingSession(options: training).run(
            isInterrupted: { interruption.isRaised })
          if outcome.status == .interrupted { break runs }
          done += 1
          let record = outcome.record
          if method.name == methods[0].name { first = record.test?.loss }
          var run = Comparison.Run(
            task: task.name, method: method.name, seed: seed, status: outcome.status,
            steps: outcome.records.last!.step, seconds: outcome.records.last!.seconds,
            train: record.train, test: record.test,
            course: outcome.records.compactMap { r in r.test.map { (r.seconds, $0) } })
          let goal = loss == "first" ? first : loss.flatMap { Double($0) }
          if (loss ?? accuracy.map { "\($0)" }) != nil && record.test == nil {
            throw ValidationError("\(task.name) has a target and no test samples to reach it on")
          }
          run.set(goal.map { .loss($0) } ?? accuracy.map { .accuracy($0) })
          comparison.runs.append(run)
        }
      }
    }
    bar.show(tasks.count * methods.count * seeds, "")
    if let csv { try ArrayFile.write(Data(comparison.csv.utf8), to: csv) }
    if let runs { try ArrayFile.write(Data(comparison.runsCSV.utf8), to: runs) }
    if json {
      try JSONOutput.print(comparison.json)
    } else if !comparison.runs.isEmpty {
      print(comparison.table)
    }
    if interruption.isRaised {
      throw WorkFailure(
        description: "interrupted after \(done) of \(tasks.count * methods.count * seeds) runs")
    }
  }
}
