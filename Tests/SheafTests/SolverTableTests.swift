import LinearAlgebra
import NeuralSheaves
import PiecewiseEnergies
import SheafLaws
import Testing

@testable import Equilibria

/// All solvers on networks with all kinds of operations, regular, nearly singular and not finite.
struct SolverTableTests {
  /// What makes a problem hard.
  enum Difficulty: CaseIterable {
    /// Random pins.
    case regular
    /// One coordinate pinned twice, softly and all but rigidly, beside stiffnesses six orders apart.
    case stiff
    /// Rows of E that depend on each other: a stalk held at its forward pass and so is its reader.
    case dependent
    /// The output clamped through κ, and unequal stiffness of the edges.
    case clamped
  }

  /// Random networks that have an operation of each type between them, two for each, not large.
  static let networks: [(type: String, seeds: [UInt64])] = {
    var found: [String: [UInt64]] = [:]
    for seed in NeuralSheafLawTests.linearSeeds.reversed() {
      guard let (network, _) = try? randomNetwork(seed: seed), network.freeDimension <= 80 else {
        continue
      }
      for type in Set(network.edges.map { "\(type(of: $0.operation))" })
      where found[type, default: []].count < 2 {
        found[type, default: []].append(seed)
      }
    }
    return found.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
  }()

  @Test func everyOperationIsInTheTable() {
    #expect(Self.networks.count >= 12, "\(Self.networks.map(\.type))")
    #expect(Self.networks.allSatisfy { $0.seeds.count == 2 }, "\(Self.networks)")
  }

  @Test(arguments: EquilibriumMethod.allCases, Difficulty.allCases)
  func solversKeepTheirPromises(method: EquilibriumMethod, difficulty: Difficulty) throws {
    // And chains, which the coordinate method takes.
    let seeds = Set(Self.networks.flatMap(\.seeds) + Array(0..<6)).sorted()
    try Tally.over(seeds) { seed, tally in
      do {
        let violations = try Self.violations(method, difficulty, seed: seed)
        tally.expect(violations.isEmpty, "\(method), \(difficulty), seed \(seed): \(violations)")
      } catch let error as EquilibriumError {
        // What a method does not take it says.
        guard case .unsupported = error, method == .coordinate else { throw error }
      }
    }.check(atLeast: method == .coordinate ? 6 : seeds.count)
  }

  private static func violations(
    _ method: EquilibriumMethod, _ difficulty: Difficulty, seed: UInt64
  ) throws -> [String] {
    var (network, g) = try randomNetwork(seed: seed)
    let x = g.normalMatrix(rows: network.inputDimension, columns: 3)
    var (pins, output, stiffness) = ([Pin](), OutputEdge?.none, Stiffness.uniform)
    let last = network.lastVertex
    switch difficulty {
    case .regular:
      for v in 1...last where v == last || g.uniform() < 0.3 {
        let rows = Array(0..<network.vertices[v].dimension).filter { _ in g.uniform() < 0.7 }
        pins.append(
          Pin(
            vertex: v, coordinates: rows,
            values: g.normalMatrix(rows: rows.count, columns: 3),
            strength: v % 2 == 0 ? .hard : .soft(g.uniform(0.1, 10))))
      }
    case .stiff:
      for (value, gamma) in [(0.3, 1e3), (-0.2, 1e-3), (0.7, 1.0)] {
        pins.append(
          Pin(
            vertex: last, coordinates: [0], values: Matrix([[value, value, value]]),
            strength: .soft(gamma)))
      }
    case .dependent:
      let state = NeuralSheaf(network).forwardPass(x)
      for v in Set([last, max(1, last - 1)]).sorted() {
        pins.append(EquilibriumLawTests.whole(v, state.stalks[v]))
      }
    case .clamped:
      output = OutputEdge(activation: .identity, coupling: 0.5)
      pins.append(
        EquilibriumLawTests.whole(
          network.vertices.count, g.normalMatrix(rows: network.outputDimension, columns: 3)))
      stiffness = Stiffness(network.edges.map { _ in g.uniform(0.2, 5) }, of: network)
    }
    let sheaf = NeuralSheaf(network)
    func check(_ solver: some EquilibriumSolver) throws -> [String] {
      // A held value that depends on the input is that of the input as it was.
      try checkSolver(solver, input: x, mayLeaveEquilibria: method == .flow) { x in
        PinnedEnergy(
          sheaf, pins: try Pins(pins, network: network, input: x), output: output,
          stiffness: stiffness)
      }
    }
    return try check(method.solver(threads: 1))
  }

  /// One that is wrong is found out, whatever it says of itself.
  @Test func aWrongSolver() throws {
    struct Wrong: EquilibriumSolver {
      var settings: SolverSettings
      var progress: (@Sendable (Int) -> Void)?
      init(_ settings: SolverSettings) { self.settings = settings }
      func solve(
        _ energy: PinnedEnergy, input: Matrix, from start: SheafState?
      ) throws(EquilibriumError) -> PinnedEquilibrium {
        var end = try DirectSolver(settings).solve(energy, input: input, from: start)
        end.state.stalks[1][0, 0] += 1e-3
        return end
      }
    }
    var g = RandomGenerator(seed: 8)
    let network = try Network(widths: [3, 4, 2], using: &g)
    let x = g.normalMatrix(rows: 3, columns: 5)
    let y = g.normalMatrix(rows: 2, columns: 5)
    let violations = try checkSolver(Wrong(threads: 1), input: x) { x in
      PinnedEnergy(
        NeuralSheaf(network),
        pins: try Pins(
          [EquilibriumLawTests.whole(network.lastVertex, y)], network: network, input: x))
    }
    #expect(violations.contains { $0.contains("ρ of vertex 1 is off") }, "\(violations)")
    #expect(violations.contains { $0.contains("converged with ‖∂E‖") }, "\(violations)")
  }
}
