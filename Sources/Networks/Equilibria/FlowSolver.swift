import LinearAlgebra
import NeuralSheaves
import PiecewiseEnergies
import SheafFlows

/// Pinned equilibria by the heat flow: the minimum that the sheaf heat equation
/// itself finds.
///
/// Euler steps at the largest stable size as long as they bring the energy down; where neurons slide
/// along a kink they chatter for ever and the residual does not vanish, so the end is polished: by
/// descent over faces, which finds the kinks that the flow slides on, or on large networks by `IterativeSolver`, which
/// from there may find a lower place.
public struct FlowSolver: EquilibriumSolver {
  /// 200,000 steps of the flow.
  public static let defaultStepLimit = 200_000
  public var settings: SolverSettings
  public var progress: (@Sendable (Int) -> Void)?

  public init(_ settings: SolverSettings) { self.settings = settings }

  /// Relaxes a batch. Cost: one to three forward passes per step, and a few steps of the polish.
  ///
  /// Samples whose flow has come to its end are taken out, so that the others neither hold them up nor
  /// decide about them. `iterations` are the flow's steps and those of the descent.
  public func solve(
    _ energy: PinnedEnergy, input: Matrix, from start: SheafState?
  ) throws(EquilibriumError) -> PinnedEquilibrium {
    try energy.check(input, from: start)
    try energy.checkPriors(for: "flow")
    let flat = energy.isSmall ? nil : FlatNetwork(energy.sheaf.network)
    if let flat { try IterativeSolver(settings).checkMemory(energy, flat, batch: input.columns) }
    var state = start.map(energy.imposed) ?? energy.forwardPass(input).state
    energy.setOutput(of: &state)
    let flows = try flowed(energy, &state)
    var polishing = settings
    polishing.stepLimit = min(1000, settings.stepLimit)
    let taken = flows.map { max(0, polishing.stepLimit - (settings.stepLimit - $0.steps)) }
    var end: PinnedEquilibrium
    if let flat {
      var polish = IterativeSolver(polishing)
      polish.progress = progress
      end = polish.relax(energy, flat, input: input, from: state, taken: taken)
    } else {
      end = FaceDescent(settings: polishing, progress: progress)
        .relax(energy, input: input, from: state, taken: taken)
    }
    for (j, flow) in flows.enumerated() {
      end.iterations[j] += flow.steps - taken[j]
      // Polished from half-way it is an equilibrium, but not the one that the flow leads to.
      if !flow.isAtEnd && end.statuses[j] == .converged {
        end.statuses[j] = settings.halt.reason ?? .stepLimit
      }
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
    while steps < settings.stepLimit && !open.isEmpty && settings.halt.reason == nil {
      let part = open.count == state.batch ? energy : energy.samples(open)
      let run: FlowSolution
      let residuals: [Double]
      do {
        let flow = try HeatFlow(part)
        var euler = Euler()
        euler.settings = settings
        euler.settings.stepLimit = min(500, settings.stepLimit - steps)
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
        result[j].isAtEnd =
          residuals[q] <= settings.tolerance || !(values[q] < energies[j] * (1 - 1e-10))
        energies[j] = values[q]
        if !result[j].isAtEnd { left.append(j) }
      }
      open = left
    }
    return result
  }
}
