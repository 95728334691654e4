import Equilibria
import LinearAlgebra
import NeuralSheaves
import PiecewiseEnergies
import Testing

/// Edges of unequal stiffness are those of a sheaf without weights, in stalks of other units.
struct StiffnessTests {
  static let seeds = NeuralSheafLawTests.seeds

  /// A random network, γ for its vertices, and the network in other units.
  private static func problem(
    seed: UInt64
  ) throws -> (network: Network, gamma: [Double], rescaled: Network, RandomGenerator) {
    var (network, g) = try randomNetwork(seed: seed)
    var gamma = network.vertices.map { _ in g.uniform(0.2, 5) }
    (gamma[0], gamma[gamma.count - 1]) = (1, 1)
    let rescaled = network.rescaled(stiffness: gamma)
    #expect(rescaled.vertices == network.vertices, "seed \(seed)")
    return (network, gamma, rescaled, g)
  }

  /// √γ_v s_v for each stalk, or with −1 s_v/√γ_v.
  private static func scaled(
    _ stalks: [Matrix], _ gamma: [Double], power: Double = 1
  ) -> [Matrix] {
    zip(stalks, gamma).map { stalk, gamma in
      var result = stalk
      result.scale(by: power < 0 ? 1 / gamma.squareRoot() : gamma.squareRoot())
      return result
    }
  }

  @Test(arguments: seeds) func forwardPassIsInOtherUnits(seed: UInt64) throws {
    var (network, gamma, rescaled, g) = try Self.problem(seed: seed)
    let x = g.normalMatrix(rows: network.inputDimension, columns: 3)
    let expected = Self.scaled(NeuralSheaf(network).forwardPass(x).stalks, gamma)
    let size = expected.reduce(1) { max($0, $1.maximumMagnitude) }
    for (a, b) in zip(NeuralSheaf(rescaled).forwardPass(x).stalks, expected) {
      var difference = a
      difference.add(b, scale: -1)
      #expect(difference.maximumMagnitude < 1e-12 * size, "seed \(seed)")
    }
  }

  @Test(arguments: seeds) func energyIsWeighted(seed: UInt64) throws {
    var (network, gamma, rescaled, g) = try Self.problem(seed: seed)
    let sheaf = NeuralSheaf(network)
    let x = g.normalMatrix(rows: network.inputDimension, columns: 3)
    let state = sheaf.randomState(x, using: &g)
    let moved = SheafState(stalks: Self.scaled(state.stalks, gamma))
    let rho = sheaf.discrepancy(state)
    let found = NeuralSheaf(rescaled).discrepancy(moved)
    for v in rho.indices.dropFirst() {
      let weighted = gamma[v] * rho[v].sumOfSquares
      #expect(abs(found[v].sumOfSquares - weighted) <= 1e-11 * max(1, weighted), "seed \(seed)")
    }
    // Patterns are the same, in either.
    #expect(sheaf.patterns(at: state) == NeuralSheaf(rescaled).patterns(at: moved), "seed \(seed)")
  }

  /// An equilibrium in other units, brought back, is one of the weighted energy with its output clamped:
  /// δᵀΓρ = −(the clamp's force) on z_{k+1} and 0 elsewhere. Samples on a kink of the energy, where ρ ≠ 0 and its branches meet, are left out.
  @Test(arguments: seeds) func equilibriaAreThoseOfTheWeightedEnergy(seed: UInt64) throws {
    var (network, gamma, rescaled, g) = try Self.problem(seed: seed)
    let x = g.normalMatrix(rows: network.inputDimension, columns: 3)
    let y = g.normalMatrix(rows: network.outputDimension, columns: 3)
    let pins = try Pins(
      [EquilibriumLawTests.whole(network.vertices.count, y)], network: rescaled, input: x)
    let end = try DirectSolver(threads: 1).solve(
      PinnedEnergy(
        NeuralSheaf(rescaled), pins: pins, output: OutputEdge(activation: .identity, coupling: 1)),
      input: x)
    // Where many kinks meet, the way down may be longer than the limit: then it says so.
    #expect(
      end.statuses.allSatisfy { $0 == .converged || $0 == .stepLimit },
      "seed \(seed) \(end.statuses)")
    let state = SheafState(stalks: Self.scaled(end.state.stalks, gamma, power: -1))
    let sheaf = NeuralSheaf(network)
    var rho = sheaf.discrepancy(state)
    for v in rho.indices.dropFirst() { rho[v].scale(by: gamma[v]) }
    var gradient = sheaf.coboundaryTransposed(rho, at: sheaf.patterns(at: state))
    gradient[network.lastVertex].add(state.stalks[network.lastVertex])
    gradient[network.lastVertex].add(y, scale: -1)
    let (flat, patterns) = (FlatNetwork(network), sheaf.patterns(at: state))
    for j in 0..<3 where end.statuses[j] == .converged {
      var x = [Double](repeating: 0, count: flat.count)
      var forces = x
      flat.gather(state.stalks, j, into: &x)
      flat.gather(rho, j, into: &forces)
      let isOnKink = flat.rows.indices.contains { r in
        let row = flat.rows[r]
        return abs(forces[row.target]) > 1e-9
          && flat.isOnBoundary(r, at: patterns[row.edge][row.row, j], x, tolerance: 1e-9)
      }
      guard !isOnKink else { continue }
      let scale = state.stalks.reduce(1) { max($0, $1.maximumMagnitude(column: j)) }
      for v in gradient.indices.dropFirst() {
        #expect(
          gradient[v].maximumMagnitude(column: j) < 1e-9 * scale,
          "seed \(seed), sample \(j), vertex \(v)")
      }
    }
  }
}
