import ArgumentParser
import ArrayFiles
import Datasets
import Equilibria
import Figures
import Foundation
import LinearAlgebra
import ModelFormats
import NetworkDiagnosis
import NeuralSheaves
import PiecewiseEnergies
import SheafTraining

struct Demo: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Train on handwritten digits without backpropagation, beside backpropagation.",
    discussion: "Example: sheaf demo --out demo")

  @Option(help: "The folder for histories, networks, test digits and figures.") var out = "demo"
  @Option(help: "Epochs.") var epochs = 40
  @Option(help: "The seed of the weights and of the batches.") var seed: UInt64 = 0
  @OptionGroup var limit: TimeLimitOption

  func validate() throws {
    guard epochs > 0 else { throw ValidationError("--epochs is \(epochs), expected at least 1") }
  }

  func run() throws {
    try makeFolder()
    var files = CallFiles()
    for method in Method.allCases {
      try files.writes("--out", file(method), extensions: ["csv"])
      try files.writes("--out", networkFile(method), extensions: ["onnx"])
    }
    try files.writes("--out", testFile, extensions: ["csv"])
    for figure in [lossFile, discordFile] {
      try files.writes("--out", figure, extensions: ["svg"])
    }
    try files.writes("--out", reportFile, extensions: ["html"])
    try files.check()
    try ReportFile.check(reportFile)
    let digits = Digits.load()
    var generator = RandomGenerator(seed: seed)
    let network = try Network(
      widths: [64, 128, 64, 10], outputActivation: .softmax, using: &generator)
    let train = try TrainingData(input: digits.trainInput, target: digits.trainTarget, for: network)
    let test = try TrainingData(input: digits.testInput, target: digits.testTarget, for: network)
    let halt = Halt.onSignals(timeLimit: limit.timeLimit)
    var runs: [Run] = []
    for method in Method.allCases where halt.reason == nil {
      runs.append(try run(method, network, train, test, until: halt))
    }
    let isWhole = runs.count == Method.allCases.count && runs.allSatisfy { $0.status == .completed }
    let ending = isWhole ? nil : halt.reason
    var delivery = Delivery()
    for run in runs {
      delivery.put { try run.records.table(of: network).write(to: file(run.method)) }
      delivery.put { try NetworkFile.write(run.network, to: networkFile(run.method)) }
    }
    delivery.put { try Self.table(of: test).write(to: testFile) }
    var parts = [
      """
      \(train.count) training and \(test.count) test digits, network 64-128-64-10,
      \(epochs) epochs of batches of 32, seed \(seed) for all
      """,
      Self.table(of: runs),
      "residual: how far from 0 ∈ ∂E the three sweeps of a relaxation end, median of the last batch",
    ]
    if isWhole {
      let columns = try discords(runs, test, until: halt)
      parts.append(columns.text)
      parts.append(draw(runs, columns.reports, &delivery))
      parts.append(try diagnose(runs, train, test, &delivery, until: halt))
    }
    parts.append(
      """
      histories: \(runs.map { file($0.method) }.joined(separator: ", "))
      networks: \(runs.map { networkFile($0.method) }.joined(separator: ", "))
      test digits: \(testFile)
      """)
    delivery.print(parts.joined(separator: "\n\n"))
    try delivery.end(failure(runs, ending))
  }

  private func makeFolder() throws {
    do {
      try FileManager.default.createDirectory(atPath: out, withIntermediateDirectories: true)
    } catch {
      throw ArrayFileError(
        file: out,
        problem: "the folder cannot be made: "
          + (FileManager.default.fileExists(atPath: out)
            ? "a file of this name is there" : FileIdentity.obstacle(toWriting: out) ?? "\(error)"))
    }
  }

  private enum Method: String, CaseIterable {
    case equilibrium
    case leastSquares = "least squares"
    case backpropagation
  }

  private struct Run {
    let method: Method
    let status: TrainingStatus
    let records: [EpochRecord]
    let network: Network
  }

  private func run(
    _ method: Method, _ network: Network, _ train: TrainingData, _ test: TrainingData,
    until halt: Halt
  ) throws -> Run {
    let (rule, optimizer): (any GradientRule, Optimizer.Rule) =
      switch method {
      case .equilibrium: (try EquilibriumRule(), .adam)
      case .leastSquares: (try EquilibriumRule(coupling: .constant(0.3)), .leastSquares)
      case .backpropagation: (Backpropagation(), .adam)
      }
    let bar = ProgressBar()
    defer { bar.end() }
    var run = try TrainingRun(
      try GradientTraining(
        network, data: train, rule: rule, settings: .init(optimizer, batch: 32, seed: seed)),
      epochs: epochs, test: test)
    let status = try run.run(
      onEpoch: { bar.show($0.records.last!.epoch, of: epochs, method.rawValue) },
      isInterrupted: { halt.reason != nil })
    return Run(method: method, status: status, records: run.records, network: run.network)
  }

  private func failure(_ runs: [Run], _ ending: SolutionStatus?) -> WorkFailure? {
    if let run = runs.first(where: { $0.status == .diverged }) {
      return WorkFailure(
        description: "\(run.method.rawValue) diverged in epoch \(run.records.last!.epoch)")
    }
    return ending.map {
      WorkFailure(
        description: $0.haltWords
          + " after epoch \(runs.last?.records.last?.epoch ?? 0) of \(epochs), "
          + "\(runs.last?.method.rawValue ?? "before the first method")")
    }
  }

  private func file(_ method: Method) -> String {
    "\(out)/\(method.rawValue.replacingOccurrences(of: " ", with: "-")).csv"
  }

  private func networkFile(_ method: Method) -> String {
    "\(out)/\(method.rawValue.replacingOccurrences(of: " ", with: "-")).onnx"
  }

  private var testFile: String { "\(out)/test.csv" }
  private var lossFile: String { "\(out)/loss.svg" }
  private var reportFile: String { "\(out)/report.html" }
  private var discordFile: String { "\(out)/discord.svg" }

  /// Diagnoses the first network on the test digits, beside the last; what it comes to, and where the page is.
  private func diagnose(
    _ runs: [Run], _ train: TrainingData, _ test: TrainingData, _ delivery: inout Delivery,
    until halt: Halt
  ) throws -> String {
    let first = runs[0]
    let samples = try NetworkSamples(first.network, input: test.input, target: test.target)
    var evidence = Diagnosis.Evidence()
    evidence.familiarity = try FamiliarityModel(first.network, training: train.input)
    evidence.other = runs.last!.network
    var settings = Diagnosis.Settings()
    settings.halt = halt
    let summary = DiagnosisSummary(
      diagnosis: Diagnosis(samples, evidence: evidence, settings: settings),
      name: networkFile(first.method))
    delivery.put {
      let page = DiagnosisPage(
        summary, images: try SampleImages(first.network, asked: nil)
      ).page
      try ArrayFile.write(Data(page.html.utf8), to: reportFile)
    }
    return "diagnosis of \(summary.name) on the test digits:\n"
      + summary.lines.map { "  \($0.sign) \($0.text)" }.joined(separator: "\n")
      + "\nall of it, beside \(networkFile(runs.last!.method)): \(reportFile)"
  }

  /// Draws losses and discords; a line on where the pictures are, or why there are none.
  private func draw(
    _ runs: [Run], _ discords: [DiscordReport], _ delivery: inout Delivery
  ) -> String {
    let loss = Figure(panels: [
      Panel(
        "Digits", x: Axis("epoch"), y: Axis("test loss", scale: .logarithmic), legend: .topRight,
        layers: runs.map { run in
          .line(
            x: run.records.map { Double($0.epoch) },
            y: run.records.map { $0.test?.loss ?? .nan }, label: run.method.rawValue)
        })
    ])
    let discord = Figure(panels: [
      Panel(
        "Test digits clamped to their labels", y: Axis("discord", scale: .logarithmic),
        legend: .below,
        layers: [
          .bars(
            categories: discords[0].edges.map(\.edge),
            series: zip(runs, discords).map { run, report in
              .init(run.method.rawValue, report.edges.map(\.discord))
            })
        ])
    ])
    do {
      for (figure, file) in [(loss, lossFile), (discord, discordFile)] {
        let drawing = try figure.drawn(as: .svg)
        delivery.put { try ArrayFile.write(drawing, to: file) }
      }
    } catch {
      return "no figures: \(error)"
    }
    return "figures: \(lossFile), \(discordFile)"
  }

  /// Digits as people keep them: one row each, its label and its 64 pixels.
  private static func table(of digits: TrainingData) -> Table {
    var table = Table(["label"] + (0..<digits.input.rows).map { "p\($0)" })
    for j in 0..<digits.count {
      let label = (0..<digits.target.rows).first { digits.target[$0, j] == 1 }!
      table.append(["\(label)"] + digits.input.column(j).map { "\($0)" })
    }
    return table
  }

  private static func table(of runs: [Run]) -> String {
    TextOutput.table(
      [["method", "test accuracy", "test loss", "seconds", "residual"]]
        + runs.map { run in
          let last = run.records.last!
          return [
            run.method.rawValue, String(format: "%.1f %%", 100 * (last.test?.accuracy ?? .nan)),
            String(format: "%.4f", last.test?.loss ?? .nan), String(format: "%.2f", last.seconds),
            last.relaxation.medianResidual.map { String(format: "%.0e", $0) } ?? "-",
          ]
        })
  }

  /// Where each network disagrees with the truth: stalks relaxed with the true labels clamped.
  private func discords(
    _ runs: [Run], _ test: TrainingData, until halt: Halt
  ) throws -> (text: String, reports: [DiscordReport]) {
    var columns: [DiscordReport] = []
    var notes: [String] = []
    for run in runs {
      let energy = try EquilibriumRule.energy(
        NeuralSheaf(run.network), input: test.input, target: test.target, coupling: 1)
      var solver = EquilibriumMethod.auto.solver()
      solver.settings.halt = halt
      let end = try solver.solve(energy, input: test.input)
      columns.append(energy.discords(at: end.state))
      let unsettled = end.statuses.count { $0 != .converged }
      notes.append(
        "\(run.method.rawValue): \(unsettled) of \(test.count) unsettled, residual at most "
          + String(format: "%.0e", end.residuals.max() ?? 0)
          + ", \(end.kinkNeurons.reduce(0, +)) neurons on kinks")
    }
    let number = { (x: Double) in String(format: "%.3e", x) }
    var rows = [["edge", "kind"] + runs.map(\.method.rawValue)]
    for (e, edge) in columns[0].edges.enumerated() {
      rows.append([edge.edge, edge.kind.rawValue] + columns.map { number($0.edges[e].discord) })
    }
    rows.append(["total", ""] + columns.map { number($0.total) })
    let text = """
      discord by edge, test digits clamped to their true labels (cross-entropy, κ = 1):

      \(TextOutput.table(rows))

      \(notes.joined(separator: "\n"))
      """
    return (text, columns)
  }
}
