import ArrayFiles
import Equilibria
import Foundation
import LinearAlgebra
import ModelFormats
import NeuralSheaves
import PiecewiseEnergies
import SheafTraining

/// How often the methods end where the heat flow from the forward pass does, on random networks with a
/// random target held: pinned energies have several minima, and which one is reached depends on the path.
struct FlowLimits {
  /// What the networks are called.
  let name: String
  /// How many problems, each with an input and a target of its own.
  let problems: Int
  /// The energy and the input of a problem.
  let problem: @Sendable (Int) throws -> (PinnedEnergy, Matrix)

  /// Random networks of one shape, each with its output held at a random target.
  private static func random(_ name: String, _ widths: [Int], problems: Int) -> FlowLimits {
    FlowLimits(name: name, problems: problems) { seed in
      var g = RandomGenerator(seed: UInt64(seed))
      let network = try Network(widths: widths, using: &g)
      let x = g.normalMatrix(rows: widths[0], columns: 1)
      return (
        try held(network, x, at: g.normalMatrix(rows: widths.last!, columns: 1)), x
      )
    }
  }

  /// A trained network with the labels of its 100 inputs held.
  private static func model(_ name: String) throws -> FlowLimits {
    let expected = try NPZ.read(referenceData("models/\(name)-expected.npz"))
    let network = try ONNXFile.read(referenceData("models/\(name).onnx"))
    let x = expected["input"]!.samples
    let y = try TrainingData.oneHot(expected["labels"]!.elements, classes: 10)
    return FlowLimits(name: name, problems: x.columns) { j in
      (try held(network, x.columns(j..<j + 1), at: y.columns(j..<j + 1)), x.columns(j..<j + 1))
    }
  }

  private static func held(
    _ network: Network, _ x: Matrix, at y: Matrix
  ) throws -> PinnedEnergy {
    let pin = Pin(vertex: network.lastVertex, coordinates: Array(0..<y.rows), values: y)
    return PinnedEnergy(
      NeuralSheaf(network), pins: try Pins([pin], network: network, input: x))
  }

  /// A thousand random problems, or another number, and the trained networks.
  static func cases(_ count: Int) throws -> [FlowLimits] {
    [
      random("2-16-16-1", [2, 16, 16, 1], problems: 2 * count / 5),
      random("4-64-64-3", [4, 64, 64, 3], problems: 2 * count / 5),
      random("8x64", [2] + [Int](repeating: 64, count: 8) + [1], problems: count / 5),
      try model("digits-mlp"), try model("digits-residual"), try model("digits-conv"),
    ]
  }
  static let methods: [EquilibriumMethod] = [.direct, .iterative, .coordinate]

  /// What a method came to.
  struct Count {
    var (agree, lower, higher, unfinished) = (0, 0, 0, 0)
    /// (E − E of the flow) / E of the flow where they differ.
    var gaps: [Double] = []
    var milliseconds = 0.0
  }

  private struct Problem: Sendable {
    let number: Int
    /// Energy, whether it converged, and milliseconds: the flow first, then the methods; nil where a
    /// method does not apply.
    var ends: [(energy: Double, isDone: Bool, milliseconds: Double)?] = []
  }

  /// Counts by method, and of the flow itself what it left unfinished and its time.
  func run() throws -> (flow: Count, methods: [Count]) {
    var work = (0..<problems).map { Problem(number: $0) }
    let make = problem
    forEachInParallel(&work, threads: ProcessInfo.processInfo.activeProcessorCount) { problem in
      guard let (energy, x) = try? make(problem.number) else { return }
      for method in [.flow] + Self.methods {
        let clock = ContinuousClock.now
        // Coordinate descent ends on its way, not at the face's minimiser: closer, for energies to agree.
        let tolerance = method == .coordinate ? 1e-10 : 1e-8
        let solver = method.solver(tolerance: tolerance, threads: 1)
        guard let end = try? solver.solve(energy, input: x) else {
          problem.ends.append(nil)
          continue
        }
        problem.ends.append(
          (
            end.energies[0], end.status == .converged,
            (ContinuousClock.now - clock) / .milliseconds(1)
          ))
      }
    }
    var flow = Count()
    var counts = Self.methods.map { _ in Count() }
    for problem in work {
      guard let limit = problem.ends.first ?? nil else { continue }
      flow.milliseconds += limit.milliseconds / Double(problems)
      guard limit.isDone else {
        flow.unfinished += 1
        continue
      }
      for (m, end) in problem.ends.dropFirst().enumerated() {
        guard let end else { continue }
        counts[m].milliseconds += end.milliseconds / Double(problems)
        let gap = (end.energy - limit.energy) / limit.energy
        switch gap {
        case _ where !end.isDone: counts[m].unfinished += 1
        case ..<(-1e-9): counts[m].lower += 1
        case 1e-9...: counts[m].higher += 1
        default: counts[m].agree += 1
        }
        if end.isDone && abs(gap) >= 1e-9 { counts[m].gaps.append(gap) }
      }
    }
    return (flow, counts)
  }

  /// A table of all cases, row by row.
  static func printTable(_ count: Int) throws {
    func row(_ cells: [String]) {
      let padded = cells.enumerated().map { i, cell in
        let pad = String(repeating: " ", count: max(0, (i == 0 ? 22 : 11) - cell.count))
        return i < 2 ? cell + pad : pad + cell
      }
      // At once, also into a file.
      FileHandle.standardOutput.write(Data((padded.joined(separator: " ") + "\n").utf8))
    }
    row(
      [
        "networks", "method", "agree", "lower", "higher", "unfinished", "median gap", "ms/problem",
        "flow ms",
      ])
    for this in try cases(count) {
      let (flow, counts) = try this.run()
      for (method, count) in zip(methods, counts) where count.milliseconds > 0 {
        let share = { (n: Int) in
          String(format: "%.1f %%", 100 * Double(n) / Double(this.problems - flow.unfinished))
        }
        let gaps = count.gaps.sorted()
        row([
          "\(this.name) (\(this.problems - flow.unfinished))", method.rawValue, share(count.agree),
          share(count.lower), share(count.higher), share(count.unfinished),
          gaps.isEmpty ? "-" : String(format: "%.1e", gaps[gaps.count / 2]),
          String(format: "%.2f", count.milliseconds), String(format: "%.2f", flow.milliseconds),
        ])
      }
    }
  }
}
