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

  /// Relaxes a batch. Cost: one to three forward passes per step, and a few steps of `DirectSolver`.
  ///
  /// `iterations` are the flow's steps.
  public func solve(
    _ energy: PinnedEnergy, input: Matrix, from start: SheafState?
  ) throws(EquilibriumError) -> PinnedEquilibrium {
    try energy.check(input, from: start)
    if let open = energy.openInput.first {
      throw .unsupported(
        method: "flow",
        reason: "input coordinate \(open) is free without a prior; the direct method takes it")
    }
    guard let flow = try? HeatFlow(energy.sheaf, pins: energy.pins, output: energy.output) else {
      throw .unsupported(method: "flow", reason: "the flow cannot be run")
    }
    var state = start.map(energy.imposed) ?? energy.forwardPass(input).state
    energy.setOutput(of: &state)
    var (steps, value, isAtEnd) = (0, Double.infinity, false)
    while steps < stepLimit {
      let run: FlowSolution
      do {
        var euler = Euler(
          stop: .residual(tolerance), stepLimit: min(500, stepLimit - steps), threads: threads)
        euler.halt = halt
        run = try euler.run(flow, from: state)
      } catch {
        throw .unsupported(method: "flow", reason: error.description)
      }
      steps += run.steps
      guard run.status != .diverged else { break }
      state = run.state
      if halt.reason != nil { break }
      isAtEnd = run.status == .converged || !(run.energy < value * (1 - 1e-10))
      if isAtEnd { break }
      value = run.energy
    }
    var end = FaceDescent(
      faceSolver: .direct, stepLimit: 1000, tolerance: tolerance, threads: threads, halt: halt,
      progress: progress
    ).relax(energy, input: input, from: state)
    for j in end.iterations.indices {
      end.iterations[j] = steps
      // Polished from half-way it is an equilibrium, but not the one that the flow leads to.
      if !isAtEnd && end.statuses[j] == .converged { end.statuses[j] = .stepLimit }
    }
    return end
  }
}
