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

    init(seed: UInt64, output: OutputEdge? = nil) throws {
      var (network, g) = try randomNetwork(seed: seed)
      let x = g.normalMatrix(rows: network.inputDimension, columns: 3)
      let pins = try PinnedEquilibriumTests.randomPins(network, input: x, &g)
      let output =
        output ?? (seed % 2 == 0 ? nil : OutputEdge(activation: .identity, coupling: 0.7))
      let sheaf = NeuralSheaf(network)
      let energy = PinnedEnergy(sheaf, pins: pins, output: output)
      reduced = ReducedEnergy(
        energy, Elimination(energy, FlatNetwork(network)), batch: 3)
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

  private static let seeds = NeuralSheafLawTests.seeds

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
        return reduced.energy.values(at: state)[j]
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
    var dx = model.noises(of: forces, withGradient: true)
    for v in dx.indices { dx[v].add(model.noises[v], scale: -1) }
    var held = model.blankHeld()
    model.substituteForward(&dx, held: &held)
    return dx
  }

  /// Nothing above its start, every sample an equilibrium, whatever the operations and pins.
  @Test func everySampleEnds() throws {
    let seeds = Self.seeds + (10_000..<10_040)
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
