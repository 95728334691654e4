import Equilibria
import LinearAlgebra
import NeuralSheaves
import PiecewiseEnergies
import Synchronization

/// Checks what every solver of pinned equilibria promises, on a problem of one's choice. Returns what is
/// wrong, a sentence each.
///
///     let broken = try checkSolver(MySolver(), input: x) { x in
///       PinnedEnergy(sheaf, pins: try Pins([pin], network: sheaf.network, input: x))
///     }
///
/// - every sample has an end; what is held is at its pin's value, ρ is that of the state, E has not risen;
/// - converged means 0 ∈ ∂E up to the tolerance, read off the state alone (`ClarkeGradient`);
/// - one started at an end that has converged stays there, or, if that is all it promises, does not rise;
/// - an input that is not finite spoils its own sample only;
/// - halts and step limits are kept, and `progress` counts every sample once.
///
/// Cost: six relaxations of the batch.
///
/// - Parameters:
///   - input: x, (n₀, batch), at least two samples.
///   - mayLeaveEquilibria: whether the method does not look at its start and may leave an equilibrium that is no
///     minimum for a lower one, as the heat flow does.
///   - energy: the problem for an input of that shape.
/// - Throws: what the solver throws, where it does not take the problem.
public func checkSolver(
  _ solver: some EquilibriumSolver, input: Matrix, mayLeaveEquilibria: Bool = false,
  _ make: (Matrix) throws -> PinnedEnergy
) throws -> [String] {
  let energy = try make(input)
  var check = SolverCheck(solver: solver, energy: energy, input: input)
  let end = try solver.solve(energy, input: input)
  check.promises(of: end, "at its end")
  try check.staysAtEquilibria(end, orFalls: mayLeaveEquilibria)
  var spoiled = input
  for i in 0..<input.rows { spoiled[i, input.columns / 2] = .nan }
  try check.keepsNaNToItself(end, spoiled, make(spoiled))
  try check.keepsToItsLimits()
  return check.violations
}

private struct SolverCheck<Solver: EquilibriumSolver> {
  let solver: Solver
  let energy: PinnedEnergy
  let input: Matrix
  var violations: [String] = []

  mutating func expect(_ isTrue: Bool, _ found: @autoclosure () -> String) {
    if !isTrue { violations.append(found()) }
  }

  mutating func promises(of end: PinnedEquilibrium, _ place: String) {
    let (sheaf, pins, batch) = (energy.sheaf, energy.pins, input.columns)
    expect(
      [end.statuses.count, end.energies.count, end.residuals.count, end.iterations.count]
        .allSatisfy { $0 == batch } && end.state.batch == batch,
      "\(place): \(end.statuses.count) ends for \(batch) samples")
    let rho = sheaf.discrepancy(end.state)
    for v in sheaf.network.vertices.indices {
      let held = pins.heldValues(v)
      for j in 0..<batch where end.statuses[j] == .converged {
        for (p, i) in pins.held(v).enumerated() {
          let value = end.state.stalks[v][i, j]
          expect(
            value == held[p, j],
            "\(place), sample \(j): coordinate \(i) of vertex \(v) is \(value), held at \(held[p, j])"
          )
        }
        let size = max(1, end.state.stalks[v].maximumMagnitude(column: j))
        var difference = end.discrepancy[v].columns(j..<j + 1)
        difference.add(rho[v].columns(j..<j + 1), scale: -1)
        expect(
          difference.maximumMagnitude <= 1e-10 * size,
          "\(place), sample \(j): ρ of vertex \(v) is off by \(difference.maximumMagnitude)")
      }
    }
    let start = energy.forwardPass(input).state
    var begin = start
    if let a = end.state.output {
      // The far end of an output edge is eliminated: compare with the best there.
      begin.output = a
      pins.impose(on: &begin)
    }
    let before = energy.values(at: begin)
    let smallest = ClarkeGradient(energy, FlatNetwork(sheaf.network), end.state).residuals
    let scales = energy.residualScales(input)
    for j in 0..<batch where end.statuses[j] == .converged {
      expect(
        end.energies[j] <= before[j] * (1 + 1e-10) + 1e-20 || energy.output != nil,
        "\(place), sample \(j): E rises from \(before[j]) to \(end.energies[j])")
      // Rounding of stiff forces is the solver's excuse, within its own residual.
      let bound = max(solver.settings.tolerance, end.residuals[j]) * (1 + 1e-6) + 1e-12
      expect(
        smallest[j] <= bound * scales[j],
        "\(place), sample \(j): converged with ‖∂E‖ = \(smallest[j])")
    }
  }

  /// From an end that has converged a solver converges, at the same energy or, where it may leave, a lower one.
  mutating func staysAtEquilibria(_ end: PinnedEquilibrium, orFalls: Bool) throws {
    let again = try solver.solve(energy, input: input, from: end.state)
    promises(of: again, "from its own end")
    for j in 0..<input.columns where end.statuses[j] == .converged {
      let (old, new) = (end.energies[j], again.energies[j])
      expect(
        again.statuses[j] == .converged && new - old <= 1e-7 * max(1, old)
          && (orFalls || old - new <= 1e-7 * max(1, old)),
        "from its own end, sample \(j) goes from E = \(old) to \(new), \(again.statuses[j])")
    }
  }

  mutating func keepsNaNToItself(
    _ end: PinnedEquilibrium, _ spoiled: Matrix, _ other: PinnedEnergy
  ) throws {
    let bad = input.columns / 2
    let spoiledEnd = try solver.solve(other, input: spoiled)
    for j in 0..<input.columns {
      if j == bad {
        expect(
          spoiledEnd.statuses[j] == .diverged,
          "a sample whose input is NaN ends as \(spoiledEnd.statuses[j])")
      } else if end.statuses[j] == .converged {
        let (old, new) = (end.energies[j], spoiledEnd.energies[j])
        expect(
          spoiledEnd.statuses[j] == .converged && abs(new - old) <= 1e-6 * max(1, old),
          "beside NaN sample \(j) ends at E = \(new), \(spoiledEnd.statuses[j]); without it at \(old)"
        )
      }
    }
  }

  mutating func keepsToItsLimits() throws {
    var halted = solver
    halted.settings.halt = Halt { .interrupted }
    let stopped = try halted.solve(energy, input: input)
    expect(
      stopped.statuses.allSatisfy { $0 == .interrupted || $0 == .converged },
      "halted at once it ends as \(Set(stopped.statuses))")
    var short = solver
    short.settings.stepLimit = 1
    let one = try short.solve(energy, input: input)
    expect(
      one.iterations.allSatisfy { $0 <= 1 }, "with one step allowed it takes \(one.iterations)")
    expect(
      one.statuses.allSatisfy { $0 != .interrupted && $0 != .timeLimit },
      "with one step allowed it ends as \(Set(one.statuses))")
    let count = Mutex(0)
    var counted = solver
    counted.progress = { ended in count.withLock { $0 += ended } }
    _ = try counted.solve(energy, input: input)
    let ended = count.withLock { $0 }
    let samples = input.columns
    expect(ended == samples, "progress counted \(ended) samples of \(samples)")
  }
}
