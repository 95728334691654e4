import LinearAlgebra
import NeuralSheaves
import PiecewiseEnergies
import SheafLaws
import Testing

@testable import Equilibria

/// The pinned energy with its inner coordinates minimised out, on networks of every operation.
struct ReducedEnergyTests {
  /// A reduced energy at a random place, its cells there, with random multipliers of copies.
  private struct Place {
    let reduced: ReducedEnergy
    var x: [Matrix]
    var m: [Matrix]
    var cells: [SampleCells]
    let generator: RandomGenerator

    init(seed: UInt64) throws {
      var (energy, x, g) = try ReducedEnergyTests.problem(seed: seed)
      let sheaf = energy.sheaf
      reduced = ReducedEnergy(
        energy, Elimination(energy, FlatNetwork(sheaf.network)), batch: 3)
      self.x = energy.imposed(on: sheaf.randomState(x, using: &g)).stalks
      m = reduced.predictions(self.x)
      cells = [SampleCells](repeating: SampleCells(reduced.elimination), count: 3)
      for j in 0..<3 {
        for r in cells[j].multipliers.indices where reduced.elimination.bindings[r] == .copy {
          cells[j].multipliers[r] = 0.3 * g.normal()
        }
      }
      generator = g
      settle()
    }

    mutating func settle() {
      let line = line(x.map { Matrix(rows: $0.rows, columns: 3) })
      for j in 0..<3 {
        _ = reduced.evaluate(&cells[j], on: line, at: 0, sample: j)
      }
    }

    /// The line from here in a direction of outer coordinates; of others nothing is read.
    func line(_ dx: [Matrix]) -> Line {
      let dx = dx.indices.map { v in
        var d = dx[v]
        for (i, role) in reduced.elimination.roles[v].enumerated() where role != .outer {
          for j in 0..<3 { d[i, j] = 0 }
        }
        return d
      }
      var there = x
      for v in x.indices { there[v].add(dx[v]) }
      var dm = reduced.predictions(there)
      for v in dm.indices { dm[v].add(m[v], scale: -1) }
      return Line(x: x, m: m, dx: dx, dm: dm)
    }

    func energy(_ line: Line, at tau: Double, _ j: Int) -> (energy: Double, rate: Double) {
      var cells = cells[j]
      return reduced.evaluate(&cells, on: line, at: tau, sample: j)
    }
  }

  private static let seeds = NeuralSheafLawTests.linearSeeds

  /// Three samples of a random network with random pins: with a prior on the input, unequal γ, and an output edge of
  /// each kind, now and then.
  private static func problem(
    seed: UInt64
  ) throws -> (energy: PinnedEnergy, input: Matrix, generator: RandomGenerator) {
    var (network, g) = try randomNetwork(seed: seed)
    let x = g.normalMatrix(rows: network.inputDimension, columns: 3)
    var pins = PinnedEquilibriumTests.randomPinList(network, samples: 3, &g)
    if seed % 5 == 0 {
      let some = (0..<network.inputDimension).filter { _ in g.uniform() < 0.7 }
      pins.append(
        Pin(
          vertex: 0, coordinates: some, values: x[rows: some, columns: [0, 1, 2]],
          strength: .soft(g.uniform(0.3, 3))))
    }
    var output: OutputEdge?
    let n = network.outputDimension
    switch seed % 4 {
    case 0: break
    case 1:
      output = OutputEdge(activation: .identity, coupling: 0.7)
      pins.append(.clamp(g.normalMatrix(rows: n, columns: 3), of: network))
    default:
      output = OutputEdge(
        activation: seed % 4 == 2 ? .softmax : .sigmoid, energy: .crossEntropy,
        coupling: g.uniform(0.2, 5))
      var y = Matrix(rows: n, columns: 3)
      for j in 0..<3 { y[g.integer(0...n - 1), j] = 1 }
      pins.append(.clamp(y, of: network))
    }
    let gamma = network.edges.map { _ in seed % 3 == 0 ? g.uniform(0.3, 3) : 1 }
    // Edges into one vertex have one γ.
    let stiffness = Stiffness(
      network.edges.map { gamma[network.incoming[$0.target].first!] }, of: network)
    let energy = PinnedEnergy(
      NeuralSheaf(network), pins: try Pins(pins, network: network, input: x), output: output,
      stiffness: stiffness)
    return (energy, x, g)
  }

  /// F is E at the state that the cells stand for, and no other choice of inner coordinates is lower.
  @Test func energiesAreLeast() throws {
    try Tally.over(Self.seeds) { seed, tally in
      let place = try Place(seed: seed)
      let (reduced, roles) = (place.reduced, place.reduced.elimination.roles)
      guard !reduced.elimination.hasCopies else { return }
      var g = place.generator
      let best = reduced.state(place.x, place.m, place.cells)
      func energy(_ state: SheafState, _ j: Int) -> Double {
        var state = state
        reduced.energy.setOutput(of: &state)
        return reduced.energy.eliminatedValues(
          at: state, discrepancy: reduced.energy.sheaf.discrepancy(state))[j]
      }
      let still = place.line(place.x.map { Matrix(rows: $0.rows, columns: 3) })
      for j in 0..<3 {
        let (least, f) = (energy(best, j), place.energy(still, at: 0, j).energy)
        tally.expect(abs(least - f) <= 1e-12 * (1 + f), "seed \(seed): \(f) is \(least)")
        for trial in 0..<12 {
          var other = best
          for v in roles.indices {
            for (i, role) in roles[v].enumerated() where role == .inner {
              other.stalks[v][i, j] += [1e-3, 0.1, 1, 5][trial % 4] * g.normal()
            }
          }
          tally.expect(energy(other, j) >= least * (1 - 1e-12), "seed \(seed), \(trial)")
        }
      }
    }.check(atLeast: 3000)
  }

  /// ∇F and the rate along a line are those of finite differences, copies and multipliers included.
  @Test func gradientsAreDifferences() throws {
    try Tally.over(Self.seeds) { seed, tally in
      let place = try Place(seed: seed)
      var g = place.generator
      let d = place.x.map { g.normalMatrix(rows: $0.rows, columns: 3) }
      let line = place.line(d)
      let gradient = place.reduced.gradient(place.x, place.m, place.cells).gradient
      for j in 0..<3 {
        let (value, rate) = place.energy(line, at: 0, j)
        let along = gradient.indices.reduce(0) { sum, v in
          sum + zip(gradient[v].column(j), line.dx[v].column(j)).reduce(0) { $0 + $1.0 * $1.1 }
        }
        tally.expect(
          abs(along - rate) <= 1e-11 * (1 + value), "seed \(seed): rate \(rate), gradient \(along)")
        // Both sides of one place have one rate but at a concave kink, and a step meets one seldom.
        let h = 1e-6
        let difference =
          (place.energy(line, at: h, j).energy - place.energy(line, at: -h, j).energy) / (2 * h)
        tally.expect(
          abs(difference - rate) <= 1e-4 * (1 + abs(rate)) + 1e-9 * value,
          "seed \(seed): rate \(rate), difference \(difference)")
      }
    }.check(atLeast: 3000)
  }

  /// The model is an operator like others; solved exactly, its step is where it is least, its rate at the start
  /// that of F; and what forces promise is at least what it falls.
  @Test func modelsAreThoseOfTheCells() throws {
    try Tally.over(Self.seeds.filter { $0 % 3 == 0 }) { seed, tally in
      let place = try Place(seed: seed)
      let model = place.reduced.model(place.x, place.m, place.cells)
      guard model.rows > 0, model.rows <= 60 else { return }
      tally.expect(
        checkLinearOperator(model, seed: seed) == [],
        "seed \(seed): \(checkLinearOperator(model, seed: seed))")
      var g = place.generator
      let zero = model.dual(at: Matrix(rows: model.rows, columns: 3))
      var random = Matrix(rows: model.rows, columns: 3)
      for j in 0..<3 { for k in 0..<model.forceCount(j) { random[k, j] = g.normal() } }
      let tried = model.dual(at: random)
      let solution = ConjugateGradients(tolerance: 1e-13).solve(
        model, zero.residual,
        preconditioner: model.preconditioner(SquaredMaps(place.reduced.network)))
      let exact = model.dual(at: solution.value)
      let line = place.line(try Self.step(model, solution.value))
      for j in 0..<3 where solution.residuals[j] < 1e-11 {
        let size = 1 + zero.sizes[j]
        let rate = place.energy(line, at: 0, j).rate
        tally.expect(
          abs(rate + 2 * exact.promises[j]) <= 1e-7 * size,
          "seed \(seed): rate \(rate), promise \(exact.promises[j])")
        tally.expect(
          exact.promises[j] <= min(zero.promises[j], tried.promises[j]) + 1e-9 * size,
          "seed \(seed): \(exact.promises[j]), \(zero.promises[j]), \(tried.promises[j])")
      }
    }.check(atLeast: 300)
  }

  private static func step(_ model: FaceModel, _ forces: Matrix) throws -> [Matrix] {
    var dx = model.change(forces)
    var held = model.blankHeld()
    model.substituteForward(&dx, held: &held)
    return dx
  }

  /// Newton's method by itself, no repairs after it: nearly every sample ends at an equilibrium, none above its start,
  /// after one step neither. What is left are coordinates that rows pull at against one another.
  @Test func newtonsMethodEnds() throws {
    let tally = try Tally.over(Self.seeds) { seed, tally in
      let (energy, x, _) = try Self.problem(seed: seed)
      let flat = FlatNetwork(energy.sheaf.network)
      let (start, scales) = (energy.forwardPass(x).state, energy.residualScales(x))
      func run(_ state: SheafState, stepLimit: Int) -> PinnedEquilibrium {
        let settings = SolverSettings(stepLimit: stepLimit, threads: 1)
        var end = DualNewton(energy, flat, settings: settings)
          .minimize(energy, from: state, scales: scales)
        end.finish(energy, flat, scales: scales, tolerance: 1e-8)
        return end
      }
      let (end, first) = (run(start, stepLimit: 1000), run(start, stepLimit: 1))
      var begin = start
      energy.setOutput(of: &begin)
      let before = energy.eliminatedValues(
        at: begin, discrepancy: energy.sheaf.discrepancy(begin))
      for j in 0..<3 {
        tally.expect(end.statuses[j] == .converged, "seed \(seed), \(j): \(end.statuses[j])")
        for e in [end, first] {
          tally.expect(
            e.energies[j] <= before[j] * (1 + 1e-11) + 1e-28,
            "rise: seed \(seed), \(j): \(before[j]) to \(e.energies[j])")
        }
      }
    }
    let failures = tally.failures
    #expect(tally.compared == 9 * Self.seeds.count)
    #expect(!failures.contains { $0.hasPrefix("rise") }, "\(failures)")
    #expect(failures.count * 25 <= 3 * Self.seeds.count, "\(failures.count): \(failures)")
  }

  /// An end is an equilibrium to start from: no step is taken, nothing moves.
  @Test func equilibriaAreRecognised() throws {
    try Tally.over(Self.seeds.filter { $0 % 3 == 1 }) { seed, tally in
      let (energy, x, _) = try Self.problem(seed: seed)
      let end = try IterativeSolver(threads: 1).solve(energy, input: x)
      let again = try IterativeSolver(threads: 1).solve(energy, input: x, from: end.state)
      for j in 0..<3 where end.statuses[j] == .converged && end.residuals[j] <= 1e-8 {
        tally.expect(
          again.statuses[j] == .converged && again.iterations[j] == 0
            && again.state.samples([j]).stalks == end.state.samples([j]).stalks,
          "seed \(seed), \(j): \(again.iterations[j]) steps to \(again.energies[j])")
      }
    }.check(atLeast: 600)
  }

  /// Nothing above its start, every sample an equilibrium, whatever the operations and pins.
  @Test func everySampleEnds() throws {
    let seeds = Self.seeds
    try Tally.over(seeds) { seed, tally in
      var (network, g) = try randomNetwork(seed: seed)
      let x = g.normalMatrix(rows: network.inputDimension, columns: 4)
      let pins = try PinnedEquilibriumTests.randomPins(network, input: x, &g)
      let energy = PinnedEnergy(NeuralSheaf(network), pins: pins)
      let end = try IterativeSolver(threads: 1).solve(energy, input: x)
      let before = energy.values(at: energy.forwardPass(x).state)
      for j in 0..<4 {
        tally.expect(
          end.statuses[j] == .converged && end.residuals[j] <= 1e-8,
          "seed \(seed), sample \(j): \(end.statuses[j]), \(end.residuals[j])")
        tally.expect(
          end.energies[j] <= before[j] * (1 + 1e-12) + 1e-28,
          "seed \(seed), sample \(j): \(before[j]) to \(end.energies[j])")
      }
    }.check(atLeast: 8 * seeds.count)
  }
}
