import Equilibria
import Foundation
import LinearAlgebra
import NeuralSheaves
import PiecewiseEnergies
import SheafFlows
import Testing

/// Solvers and flows that are asked to end do so, and hand over what they have.
struct HaltTests {
  /// Counts questions, and has a reason from a given one on.
  private final class Counter: @unchecked Sendable {
    private let lock = NSLock()
    private var value = 0
    var count: Int { lock.withLock { value } }
    func add(_ n: Int) { lock.withLock { value += n } }

    func halt(after n: Int, _ reason: SolutionStatus) -> Halt {
      Halt { [self] in
        lock.withLock {
          value += 1
          return value > n ? reason : nil
        }
      }
    }
  }

  /// A deep network whose output is held at random.
  private func problem(batch: Int = 12) throws -> (PinnedEnergy, Matrix) {
    var g = RandomGenerator(seed: 1)
    let network = try Network(widths: [4, 12, 12, 2], using: &g)
    let x = g.normalMatrix(rows: 4, columns: batch)
    let pins = try Pins(
      [EquilibriumLawTests.whole(network.lastVertex, g.normalMatrix(rows: 2, columns: batch))],
      network: network, input: x)
    return (PinnedEnergy(NeuralSheaf(network), pins: pins), x)
  }

  /// At once, after some questions and late: the samples that have ended have converged, the others say why
  /// they have not; nothing is above where it started, and the residuals are those of the states.
  @Test(arguments: EquilibriumMethod.allCases, [SolutionStatus.interrupted, .timeLimit])
  func solversEndWhenAsked(method: EquilibriumMethod, reason: SolutionStatus) throws {
    let (energy, x) = try problem()
    let start = energy.values(at: energy.forwardPass(x).state)
    let counter = Counter()
    var solver = method.solver(threads: 1)
    solver.settings.halt = counter.halt(after: .max, reason)
    let whole = try solver.solve(energy, input: x)
    #expect(whole.status == .converged)
    let questions = counter.count
    #expect(questions > 20, "\(method): \(questions)")
    for n in [0, 1, questions / 4, questions - 2] {
      solver.settings.halt = Counter().halt(after: n, reason)
      let end = try solver.solve(energy, input: x)
      #expect(end.status == reason, "\(method), \(n) of \(questions): \(end.statuses)")
      let open = end.statuses.indices.filter { end.statuses[$0] != .converged }
      #expect(open.allSatisfy { end.statuses[$0] == reason })
      #expect(n > 1 || open.count == 12, "\(method), \(n) of \(questions): \(open.count)")
      for j in 0..<12 {
        #expect(end.energies[j] <= start[j] * (1 + 1e-12), "\(method), \(n), sample \(j)")
        #expect(end.residuals[j].isFinite && (open.contains(j) || end.residuals[j] < 1e-8))
      }
      if n == 0 { #expect(end.iterations.allSatisfy { $0 == 0 }, "\(end.iterations)") }
    }
  }

  /// Every sample is counted once as it ends.
  @Test(arguments: EquilibriumMethod.allCases) func everySampleIsCounted(method: EquilibriumMethod)
    throws
  {
    let (energy, x) = try problem()
    let counter = Counter()
    var solver = method.solver()
    solver.progress = { counter.add($0) }
    #expect(try solver.solve(energy, input: x).status == .converged)
    #expect(counter.count == 12)
  }

  /// Flows end between two steps, where the same number of steps would have led.
  @Test func flowsEndWhenAsked() throws {
    let (flow, start) = try ExactFlowTests.flow("b2_26441_identity", Reference("b2_26441_identity"))
    for n in [0, 3, 200] {
      var euler = Euler(step: 0.01)
      // Two questions about the bound on the step come before the first step.
      let first = Counter()
      euler.settings.stepLimit = 1
      euler.settings.halt = first.halt(after: .max, .interrupted)
      _ = try euler.run(flow, from: start)
      let before = first.count - 1
      euler.settings.stepLimit = 1000
      euler.settings.halt = Counter().halt(after: n == 0 ? 0 : before + n, .interrupted)
      var seen = 0
      let end = try euler.run(flow, from: start) { _ in seen += 1 }
      #expect(end.status == .interrupted && end.steps == n && seen == n + 1)
      if n > 0 {
        euler.settings.halt = .never
        euler.settings.stepLimit = n
        #expect(try euler.run(flow, from: start).state.stalks == end.state.stalks)
      }
    }
    var chebyshev = RungeKuttaChebyshev()
    chebyshev.settings.halt = Counter().halt(after: 60, .timeLimit)
    let steps = try chebyshev.run(flow, from: start)
    #expect(steps.status == .timeLimit && steps.steps > 0 && steps.residual.isFinite)

    let whole = try ExactFlow().run(flow, from: start)
    var exact = ExactFlow(threads: 1)
    for n in [0, 2, 9] {
      exact.settings.halt = Counter().halt(after: n, .interrupted)
      var seen: [FlowObservation] = []
      let end = try exact.run(flow, from: start) { seen.append($0) }
      #expect(end.status == .interrupted && end.steps <= n + 1 && end.time <= whole.time)
      #expect(seen.count == 1 && seen[0].time == end.time && end.residual.isFinite)
    }
  }

  /// Progress is told after every step, for nothing.
  @Test func progressIsTold() throws {
    let (flow, start) = try ExactFlowTests.flow("b1_241_identity", Reference("b1_241_identity"))
    let counter = Counter()
    var euler = Euler(step: 0.02)
    euler.progress = { _ in counter.add(1) }
    let end = try euler.run(flow, from: start)
    #expect(counter.count == end.steps)
  }
}
