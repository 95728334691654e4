import Foundation
import LinearAlgebra
import NeuralSheaves
import Testing

@testable import SheafTraining

/// Schedules, early stopping and what decides it.
struct TrainingRunTests {
  @Test func schedulesGoFromStartToEnd() throws {
    let values: [(Schedule.Shape, [Double])] = [
      (.constant, [4, 4, 4]), (.linear, [4, 2.5, 1]), (.geometric, [4, 2, 1]),
      (.cosine, [4, 2.5, 1]), (.anneal, [4, 1, 0]),
    ]
    #expect(Set(values.map(\.0)) == Set(Schedule.Shape.allCases))
    for (shape, expected) in values {
      let schedule = try Schedule(shape, named: "rate", from: 4, to: 1)
      for (t, value) in zip([0, 0.5, 1], expected) {
        #expect(abs(schedule.value(at: t) - value) < 1e-15, "\(shape) at \(t)")
      }
    }
    let quarter = try Schedule(.cosine, named: "rate", from: 4, to: 1).value(at: 0.25)
    #expect(abs(quarter - (2.5 + 1.5 * 0.5.squareRoot())) < 1e-14)
    #expect(try Schedule(.linear, named: "rate", from: 4).end == 0.04)
    #expect(try Schedule(.linear, named: "rate", from: 4, to: 0).value(at: 1) == 0)
  }

  @Test func schedulesOutOfRange() {
    func message(_ shape: Schedule.Shape, _ start: Double, _ end: Double?) -> String {
      do {
        _ = try Schedule(shape, named: "coupling", from: start, to: end)
        return ""
      } catch { return error.description }
    }
    for start in [0, -1, Double.nan, .infinity] {
      for shape in Schedule.Shape.allCases {
        #expect(message(shape, start, 1).hasPrefix("coupling is \(start), expected a positive"))
      }
    }
    for shape in [Schedule.Shape.linear, .geometric, .cosine] {
      for end in [-1, Double.nan, .infinity] {
        #expect(message(shape, 1, end).hasPrefix("coupling-end is \(end)"))
      }
    }
    #expect(message(.geometric, 1, 0) == "coupling-end is 0.0, expected a positive finite number")
  }

  /// A trainer whose network's one weight goes through a list; its validation loss is w².
  private struct Script: Trainer {
    var network: Network
    let data: TrainingData
    let weights: [Double]
    var next = 1

    init(_ weights: [Double]) throws {
      var network = Network(inputDimension: 1)
      network.append(Dense(weight: Matrix([[weights[0]]]), bias: [0]), to: 0)
      (self.network, self.weights) = (network, weights)
      data = try TrainingData(input: Matrix([[1]]), target: Matrix([[0]]), for: network)
    }

    mutating func runEpoch(
      _ progress: ClosedRange<Double>, isInterrupted: () -> Bool
    ) -> EpochReport {
      let w = weights[next]
      network.updateParameters(of: 0) { i, p in if i == 0 { p[0, 0] = w } }
      next += 1
      var report = EpochReport()
      report.steps = 1
      return report
    }

    func save(into state: inout TrainingState) {}
    mutating func restore(from state: TrainingState) {}
  }

  /// The epoch with the least validation loss is kept, and a tie is no progress.
  @Test(arguments: [
    ([5, 4, 3, 3, 3.5, 3.2, 1, 0.5], 3, 5, 2, TrainingStatus.stoppedEarly),
    ([5, 4, 3, 3.1, 3.5, 2, 2.5, 2.4], 3, 7, 5, .completed),
    ([1, 2, 3, 4], 1, 1, 0, .stoppedEarly), ([4, 3, 2, 1], 1, 3, 3, .completed),
    ([4, 3, .nan, 1], 5, 2, 1, .diverged),
  ])
  func patienceIsTheEpochsWithoutProgress(
    weights: [Double], patience: Int, last: Int, best: Int, status: TrainingStatus
  ) throws {
    let script = try Script(weights)
    var run = try TrainingRun(
      script, epochs: weights.count - 1, validation: script.data, patience: patience)
    #expect(try run.run() == status)
    #expect(run.records.last!.epoch == last)
    #expect(run.record!.epoch == best)
    #expect(parameters(run.network)[0][0, 0] == weights[best])
    #expect(run.record!.validation!.loss == weights[best] * weights[best])
  }

  @Test func settingsOutOfRange() throws {
    let script = try Script([1, 2])
    for (epochs, patience, word) in [(0, 1, "epochs"), (1, 0, "patience"), (-1, 1, "epochs")] {
      let error = #expect(throws: TrainingError.self) {
        _ = try TrainingRun(script, epochs: epochs, validation: script.data, patience: patience)
      }
      #expect(error?.description.hasPrefix("\(word) is ") == true)
    }
    let error = #expect(throws: TrainingError.self) {
      _ = try TrainingRun(script, epochs: 1, patience: 3)
    }
    #expect(error?.description.contains("validation") == true)
  }

  static func blobs(_ n: Int, seed: UInt64) throws -> (network: Network, data: TrainingData) {
    var g = RandomGenerator(case: seed)
    let network = try Network(widths: [3, 9, 4], outputActivation: .softmax, using: &g)
    let x = g.normalMatrix(rows: 3, columns: n)
    var y = Matrix(rows: 4, columns: n)
    for j in 0..<n { y[(x[0, j] > 0 ? 2 : 0) + (x[1, j] * x[2, j] > 0.2 ? 1 : 0), j] = 1 }
    return (network, try TrainingData(input: x, target: y, for: network))
  }

  /// Two disjoint parts that are all, the same for the same seed.
  @Test(arguments: UInt64(0)..<20) func validationIsAPartition(seed: UInt64) throws {
    let (_, data) = try Self.blobs(40 + Int(seed), seed: seed)
    var (g, same, other) = (
      RandomGenerator(case: seed), RandomGenerator(case: seed), RandomGenerator(seed: seed + 1)
    )
    let share = 0.05 + 0.04 * Double(seed)
    let parts = try data.split(holdingOut: share, using: &g)
    let held = Int((share * Double(data.count)).rounded())
    #expect(parts.held.count == held && parts.training.count == data.count - held)
    func samples(_ d: TrainingData) -> [[Double]] {
      (0..<d.count).map { d.input.column($0) + d.target.column($0) }
    }
    let (all, a, b) = (samples(data), samples(parts.training), samples(parts.held))
    #expect(Set(a).isDisjoint(with: b) && Set(a + b) == Set(all), "seed \(seed)")
    #expect(a.count + b.count == all.count)
    let again = try data.split(holdingOut: share, using: &same)
    #expect(samples(again.training) == a && samples(again.held) == b)
    let different = try data.split(holdingOut: share, using: &other)
    #expect(samples(different.held) != b, "seed \(seed)")
    for share in [0, 1, -0.1, 0.001, 0.999, Double.nan] {
      let error = #expect(throws: TrainingError.self) {
        _ = try data.split(holdingOut: share, using: &g)
      }
      #expect(error?.description.hasPrefix("validation is \(share)") == true)
    }
  }

  /// Test samples decide nothing: neither when a run stops, nor which network it keeps.
  @Test func testSamplesDecideNothing() throws {
    let (network, all) = try Self.blobs(120, seed: 3)
    var g = RandomGenerator(seed: 1)
    let (train, validation) = try all.split(holdingOut: 0.3, using: &g)
    let tests: [TrainingData?] = [nil, train, try Self.blobs(50, seed: 9).data]
    var ends: [[EpochRecord]] = []
    var networks: [[Matrix]] = []
    for test in tests {
      var run = try TrainingRun(
        GradientTraining(
          network, data: train, rule: EquilibriumRule(),
          settings: .init(.adam, rate: 0.05, batch: 8, seed: 4)),
        epochs: 60, validation: validation, patience: 4, test: test)
      #expect(try run.run() == .stoppedEarly)
      #expect(run.records.allSatisfy { ($0.test == nil) == (test == nil) })
      ends.append(run.records)
      networks.append(parameters(run.network))
      let least = run.records.map { $0.validation!.loss }.min()!
      #expect(Evaluation(run.network, on: validation).loss == least)
      #expect(run.record!.epoch < run.records.last!.epoch)
    }
    for k in 1..<tests.count {
      #expect(networks[k] == networks[0])
      #expect(ends[k].map(\.validation) == ends[0].map(\.validation))
    }
  }
}
