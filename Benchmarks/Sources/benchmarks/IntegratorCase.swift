import ArrayFiles
import Foundation
import LinearAlgebra
import ModelFormats
import NeuralSheaves
import SheafFlows

/// The reference case b2 to the end of the paper's run, t = 675.57, by every integrator.
struct IntegratorCase {
  let flow: HeatFlow
  let start: SheafState
  let time = 675.57

  init() throws {
    let path = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .appendingPathComponent("../../../Tests/ReferenceData/b2_26441_identity.npz")
      .standardizedFileURL.path
    let network = try NPZNetwork.read(path)
    let input = try NPZ.read(path)["X"]!.matrix!
    flow = try HeatFlow(NeuralSheaf(network), pins: Pins(network: network, input: input))
    start = try NPZState.read(
      path, prefix: "init_", network: network, input: input, samplesInColumns: true,
      hasOutput: false)
  }

  /// The best time of some runs in milliseconds, with the last state and its steps.
  private func measure(_ repeats: Int, _ run: () throws -> FlowSolution) rethrows
    -> (milliseconds: Double, end: FlowSolution)
  {
    var best = Double.infinity
    var end = try run()
    for _ in 0..<repeats {
      let time = try ContinuousClock().measure { end = try run() }
      best = min(best, time / .milliseconds(1))
    }
    return (best, end)
  }

  func results() throws -> [String: Any] {
    let exact = try measure(20) {
      try ExactFlow(stop: .time(time), threads: 1).run(flow, from: start)
    }
    let euler = try measure(3) {
      try Euler(stop: .time(time), stepLimit: 1_000_000, threads: 1).run(flow, from: start)
    }
    let paper = try measure(1) {
      try Euler(step: 0.01, stop: .time(time), threads: 1).run(flow, from: start)
    }
    let chebyshev = try measure(3) {
      try RungeKuttaChebyshev(stop: .time(time), threads: 1).run(flow, from: start)
    }
    func distance(_ end: FlowSolution) -> Double {
      zip(end.state.stalks, exact.end.state.stalks).map { a, b in
        var d = a
        d.add(b, scale: -1)
        return d.maximumMagnitude
      }.max()!
    }
    func row(_ run: (milliseconds: Double, end: FlowSolution)) -> [String: Any] {
      [
        "milliseconds": run.milliseconds, "steps": run.end.steps,
        "timesExact": run.milliseconds / exact.milliseconds, "distanceToExact": distance(run.end),
      ]
    }
    return [
      "milliseconds": exact.milliseconds, "bar": 20.0, "segments": exact.end.steps,
      "events": exact.end.events.count, "eulerDefaultStep": row(euler),
      "eulerPaperStep": row(paper), "rungeKuttaChebyshev": row(chebyshev),
      "allocationsPerStep": 0.0,
    ]
  }
}
