import ArgumentParser
import ArrayFiles
import Datasets
import Equilibria
import Foundation
import LinearAlgebra
import NeuralSheaves
import PiecewiseEnergies
import SheafTraining

struct Demo: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Train on handwritten digits without backpropagation, beside backpropagation.",
    discussion: "Example: sheaf demo --out demo")

  @Option(help: "The folder for the history files.") var out = "demo"
  @Option(help: "Epochs.") var epochs = 40
  @Option(help: "The seed of the weights and of the batches.") var seed: UInt64 = 0

  func validate() throws {
    guard epochs > 0 else { throw ValidationError("--epochs is \(epochs), expected at least 1") }
  }

  func run() throws {
    do {
      try FileManager.default.createDirectory(atPath: out, withIntermediateDirectories: true)
    } catch {
      throw ArrayFileError(file: out, problem: "the folder cannot be made")
    }
    let digits = try Digits.load()
    var generator = RandomGenerator(seed: seed)
    let network = try Network(
      widths: [64, 128, 64, 10], outputActivation: .softmax, using: &generator)
    let train = try TrainingData(input: digits.trainInput, target: digits.trainTarget, for: network)
    let test = try TrainingData(input: digits.testInput, target: digits.testTarget, for: network)
    print("\(train.count) training and \(test.count) test digits, network 64-128-64-10,")
    print("\(epochs) epochs of batches of 32, seed \(seed) for all\n")

    var rows = [["method", "test accuracy", "test loss", "seconds", "residual"]]
    var trained: [(name: String, network: Network)] = []
    let methods: [(name: String, rule: any GradientRule, optimizer: Optimizer.Rule)] = [
      ("equilibrium", try EquilibriumRule(), .adam),
      ("least squares", try EquilibriumRule(coupling: .constant(0.3)), .leastSquares),
      ("backpropagation", Backpropagation(), .adam),
    ]
    for (name, rule, optimizer) in methods {
      let bar = ProgressBar(total: epochs)
      var run = try TrainingRun(
        try GradientTraining(
          network, data: train, rule: rule,
          settings: .init(optimizer, batch: 32, seed: seed)),
        epochs: epochs, test: test)
      let status = try run.run(onEpoch: { bar.show($0.records.last!.epoch, name) })
      let last = run.records.last!
      guard status == .completed else {
        throw WorkFailure(description: "\(name) diverged in epoch \(last.epoch)")
      }
      let csv = [EpochRecord.csvHeader(network)] + run.records.map(\.csv)
      try ArrayFile.write(
        Data((csv.joined(separator: "\n") + "\n").utf8), to: "\(out)/\(Self.file(name))")
      rows.append([
        name, String(format: "%.1f %%", 100 * last.test!.accuracy!),
        String(format: "%.4f", last.test!.loss), String(format: "%.2f", last.seconds),
        last.relaxation.medianResidual.map { String(format: "%.0e", $0) } ?? "-",
      ])
      trained.append((name, run.network))
    }
    print(TextOutput.table(rows))
    print(
      "\nresidual: how far from 0 ∈ ∂E the three sweeps of a relaxation end, median of the last batch\n"
    )
    try printDiscords(trained, test)
    print("\nhistories: \(methods.map { "\(out)/\(Self.file($0.name))" }.joined(separator: ", "))")
  }

  private static func file(_ name: String) -> String {
    name.replacingOccurrences(of: " ", with: "-") + ".csv"
  }

  /// Where each network disagrees with the truth: stalks relaxed with the true labels clamped.
  private func printDiscords(_ trained: [(name: String, network: Network)], _ test: TrainingData)
    throws
  {
    var columns: [DiscordReport] = []
    var notes: [String] = []
    for (name, network) in trained {
      let sheaf = NeuralSheaf(network)
      let energy = try EquilibriumRule.energy(
        sheaf, input: test.input, target: test.target, coupling: 1)
      let end = try EquilibriumMethod.auto.solver(for: energy).solve(energy, input: test.input)
      columns.append(energy.discords(at: end.state))
      let unsettled = end.statuses.count { $0 != .converged }
      notes.append(
        "\(name): \(unsettled) of \(test.count) unsettled, residual at most "
          + String(format: "%.0e", end.residuals.max() ?? 0)
          + ", \(end.kinkNeurons.reduce(0, +)) neurons on kinks")
    }
    let number = { (x: Double) in String(format: "%.3e", x) }
    print("discord by edge, test digits clamped to their true labels (cross-entropy, κ = 1):\n")
    var rows = [["edge", "kind"] + trained.map(\.name)]
    for (e, edge) in columns[0].edges.enumerated() {
      rows.append([edge.edge, edge.kind.rawValue] + columns.map { number($0.edges[e].discord) })
    }
    rows.append(["total", ""] + columns.map { number($0.total) })
    print(TextOutput.table(rows))
    print("\n" + notes.joined(separator: "\n"))
  }
}
