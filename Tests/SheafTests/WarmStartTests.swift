import Equilibria
import LinearAlgebra
import NeuralSheaves
import PiecewiseEnergies
import Testing

/// Equilibria from where an earlier one was.
struct WarmStartTests {
  static let seeds = NeuralSheafLawTests.seeds.filter { $0 % 3 == 0 }

  /// A random network with random pins, and its equilibrium from the forward pass.
  private static func problem(
    seed: UInt64
  ) throws -> (energy: PinnedEnergy, x: Matrix, end: PinnedEquilibrium, RandomGenerator) {
    var (network, g) = try randomNetwork(seed: seed)
    let x = g.normalMatrix(rows: network.inputDimension, columns: 3)
    let pins = try PinnedEquilibriumTests.randomPins(network, input: x, &g)
    let energy = PinnedEnergy(NeuralSheaf(network), pins: pins)
    return (energy, x, try DirectSolver(threads: 1).solve(energy, input: x), g)
  }

  /// At an equilibrium there is nothing left to do, and it stays where it is.
  @Test(arguments: seeds) func equilibriaStay(seed: UInt64) throws {
    let (energy, x, end, _) = try Self.problem(seed: seed)
    let again = try DirectSolver(threads: 1).solve(energy, input: x, from: end.state)
    for j in 0..<3 where end.statuses[j] == .converged {
      #expect(again.statuses[j] == .converged, "seed \(seed), sample \(j)")
      // Where ties and kinks meet their rows may depend on each other: then ∂E decides, after 20 steps.
      let most = end.kinkNeurons[j] > 0 && end.tiedCoordinates[j] > 0 ? 20 : 2
      #expect(
        again.iterations[j] <= most,
        "seed \(seed), sample \(j): \(end.iterations[j]) and \(again.iterations[j]) steps")
      #expect(
        abs(again.energies[j] - end.energies[j]) <= 1e-12 * max(1, end.energies[j]),
        "seed \(seed), sample \(j)")
    }
  }

  /// From a state near an equilibrium every method ends at a stationary point, no higher than it
  /// started, with what is held at its values.
  @Test(arguments: seeds) func perturbedStatesRelax(seed: UInt64) throws {
    var (energy, x, end, g) = try Self.problem(seed: seed)
    var start = end.state
    for v in start.stalks.indices {
      start.stalks[v].add(g.normalMatrix(rows: start.stalks[v].rows, columns: 3), scale: 0.1)
    }
    var imposed = start
    energy.pins.impose(on: &imposed)
    let before = energy.values(at: imposed)
    let solvers: [any EquilibriumSolver] = [
      DirectSolver(threads: 1), IterativeSolver(threads: 1), FlowSolver(threads: 1),
      CoordinateSolver(stepLimit: 100_000, threads: 1),
    ]
    for solver in solvers {
      guard let found = try? solver.solve(energy, input: x, from: start) else {
        #expect(solver is CoordinateSolver, "seed \(seed)")
        continue
      }
      for j in 0..<3 {
        #expect(
          found.residuals[j] <= 1e-8, "seed \(seed), sample \(j), \(solver), \(found.statuses[j])")
        #expect(
          found.energies[j] <= before[j] * (1 + 1e-12) + 1e-26,
          "seed \(seed), sample \(j), \(solver)")
      }
      #expect(found.state.stalks[0] == x, "seed \(seed), \(solver)")
    }
  }
}
