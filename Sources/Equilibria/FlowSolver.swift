import Foundation
import HeatFlow
import LinearAlgebra
import NeuralSheaves
import PiecewiseEnergies

/// Pinned equilibria by the heat flow: the minimum that the sheaf heat equation
/// itself finds.
///
/// Euler steps at the largest stable size as long as they bring the energy down; where neurons slide
/// along a kink they chatter for ever and the residual does not vanish, so the end is polished by
/// descent over faces, which finds the kinks that the flow slides on.
public struct FlowSolver: EquilibriumSolver {
  /// The most steps of the flow.
  public var stepLimit: Int
  /// The residual that counts as converged.
  public var tolerance: Double
  /// The most threads.
  public var threads: Int
  /// When to end early; the samples still open then have its reason for a status.
  public var halt = Halt.never
  /// Told how many samples have ended since the last call, from any thread.
  public var progress: (@Sendable (Int) -> Void)?

  /// A solver with its settings.
  public init(
    stepLimit: Int = 200_000, tolerance: Double = 1e-8,
    threads: Int = ProcessInfo.processInfo.activeProcessorCount
  ) {
    precondition(stepLimit > 0 && tolerance > 0)
    (self.stepLimit, self.tolerance, self.threads) = (stepLimit, tolerance, threads)
  }

  /// Relaxes a batch. Cost: one to three forward passes per step, and a few steps of `AutomaticSolver`.
  ///
  /// Samples whose flow has come to its end are taken out, so that the others neither hold them up nor
  /// decide about them. `iterations` are the flow's steps and those of the descent.
  public func solve(
    _ energy: PinnedEnergy, input: Matrix, from start: SheafState?
  ) throws(EquilibriumError) -> PinnedEquilibrium {
    try energy.check(input, from: start)
    if let open = energy.openInput.first {
      throw .unsupported(
        method: "flow",
        reason: "input coordinate \(open) is free without a prior; the direct method takes it")
    }
    var state = start.map(energy.imposed) ?? energy.forwardPass(input).state
    energy.setOutput(of: &state)
    let flows = try flowed(energy, &state)
    let polish = FaceDescent(
      faceSolver: .cheaper, stepLimit: min(1000, stepLimit), tolerance: tolerance,
      threads: threads, halt: halt, progress: progress)
    let taken = flows.map { max(0, polish.stepLimit - (stepLimit - $0.steps)) }
    var end = polish.relax(energy, input: input, from: state, taken: taken)
    for (j, flow) in flows.enumerated() {
      end.iterations[j] += flow.steps - taken[j]
      // Polished from half-way it is an equilibrium, but not the one that the flow leads to.
      if !flow.isAtEnd && end.statuses[j] == .converged { end.statuses[j] = .stepLimit }
    }
    return end
  }

  /// Runs the flow of each sample until its residual is small or its energy no longer falls; the steps that
  /// it took, and whether that was the end of it.
  private func flowed(
    _ energy: PinnedEnergy, _ state: inout SheafState
  ) throws(EquilibriumError) -> [(steps: Int, isAtEnd: Bool)] {
    var result = [(steps: Int, isAtEnd: Bool)](repeating: (0, false), count: state.batch)
    var open = Array(0..<state.batch)
    var energies = [Double](repeating: .infinity, count: state.batch)
    var steps = 0
    while steps < stepLimit && !open.isEmpty && halt.reason == nil {
      let part = open.count == state.batch ? energy : energy.samples(open)
      let run: FlowSolution
      let residuals: [Double]
      do {
        let flow = try HeatFlow(part)
        var euler = Euler(
          stop: .residual(tolerance), stepLimit: min(500, stepLimit - steps), threads: threads)
        euler.halt = halt
        run = try euler.run(flow, from: state.samples(open))
        residuals = flow.residuals(at: run.state)
      } catch {
        throw .unsupported(method: "flow", reason: error.description)
      }
      steps += run.steps
      let values = part.values(at: run.state)
      var left: [Int] = []
      for (q, j) in open.enumerated() {
        result[j].steps = steps
        // What diverges stays where it was.
        guard values[q].isFinite && (run.status != .diverged || values[q] <= energies[j]) else {
          continue
        }
        state.setSamples(from: j, to: run.state.samples([q]))
        result[j].isAtEnd = residuals[q] <= tolerance || !(values[q] < energies[j] * (1 - 1e-10))
        energies[j] = values[q]
        if !result[j].isAtEnd { left.append(j) }
      }
      open = left
    }
    return result
  }
}
