import Equilibria
import Foundation
import LinearAlgebra
import NeuralSheaves
import PiecewiseEnergies

/// How often the methods end where the heat flow from the forward pass does, on random networks with a
/// random target held: pinned energies have several minima, and which one is reached depends on the path.
struct FlowLimits {
  /// Networks of these widths.
  let widths: [Int]
  /// How many, each with an input and a target of its own.
  let problems: Int

  /// A thousand problems, or another number.
  static func cases(_ count: Int) -> [FlowLimits] {
    [
      FlowLimits(widths: [2, 16, 16, 1], problems: 2 * count / 5),
      FlowLimits(widths: [4, 64, 64, 3], problems: 2 * count / 5),
      FlowLimits(widths: [2] + [Int](repeating: 64, count: 8) + [1], problems: count / 5),
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
    let seed: UInt64
    /// Energy, whether it converged, and milliseconds: the flow first, then the methods.
    var ends: [(energy: Double, isDone: Bool, milliseconds: Double)] = []
  }

  /// Counts by method, and of the flow itself what it left unfinished and its time.
  func run() throws -> (flow: Count, methods: [Count]) {
    var work = (0..<problems).map { Problem(seed: UInt64($0)) }
    let widths = widths
    forEachInParallel(&work, threads: ProcessInfo.processInfo.activeProcessorCount) { problem in
      var g = RandomGenerator(seed: problem.seed)
      guard let network = try? Network(widths: widths, using: &g) else { return }
      let x = g.normalMatrix(rows: widths[0], columns: 1)
      let y = g.normalMatrix(rows: widths.last!, columns: 1)
      let pin = Pin(
        vertex: network.lastVertex, coordinates: Array(0..<widths.last!), values: y)
      guard let pins = try? Pins([pin], network: network, input: x) else { return }
      let energy = PinnedEnergy(NeuralSheaf(network), pins: pins)
      for method in [.flow] + Self.methods {
        let clock = ContinuousClock.now
        // Coordinate descent ends on its way, not at the face's minimiser: closer, for energies to agree.
        let tolerance = method == .coordinate ? 1e-10 : 1e-8
        let solver = method.solver(for: energy, tolerance: tolerance, threads: 1)
        guard let end = try? solver.solve(energy, input: x) else { return }
        problem.ends.append(
          (
            end.energies[0], end.status == .converged,
            (ContinuousClock.now - clock) / .milliseconds(1)
          ))
      }
    }
    var flow = Count()
    var counts = Self.methods.map { _ in Count() }
    for problem in work where problem.ends.count == counts.count + 1 {
      let limit = problem.ends[0]
      flow.milliseconds += limit.milliseconds / Double(problems)
      guard limit.isDone else {
        flow.unfinished += 1
        continue
      }
      for (m, end) in problem.ends.dropFirst().enumerated() {
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
        "widths", "method", "agree", "lower", "higher", "unfinished", "median gap", "ms/problem",
        "flow ms",
      ])
    for this in cases(count) {
      let (flow, counts) = try this.run()
      let name =
        this.widths.count > 5
        ? "\(this.widths.count - 2)x\(this.widths[1])"
        : this.widths.map(String.init).joined(separator: "-")
      for (method, count) in zip(methods, counts) {
        let share = { (n: Int) in
          String(format: "%.1f %%", 100 * Double(n) / Double(this.problems - flow.unfinished))
        }
        let gaps = count.gaps.sorted()
        row([
          "\(name) (\(this.problems - flow.unfinished))", method.rawValue, share(count.agree),
          share(count.lower), share(count.higher), share(count.unfinished),
          gaps.isEmpty ? "-" : String(format: "%.1e", gaps[gaps.count / 2]),
          String(format: "%.2f", count.milliseconds), String(format: "%.2f", flow.milliseconds),
        ])
      }
    }
  }
}
