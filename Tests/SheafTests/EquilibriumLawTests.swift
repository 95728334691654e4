import LinearAlgebra
import NeuralSheaves
import PiecewiseEnergies
import Testing

@testable import Equilibria

/// What Docs/Equilibria.md says of pinned equilibria, against finite differences, assembled matrices and
/// arithmetic by hand.
struct EquilibriumLawTests {
  /// A chain with biases that are not zero.
  static func chain(
    _ widths: [Int], _ g: inout RandomGenerator, deviation: Double = 0.3
  ) throws -> Network {
    var (weights, biases): ([Matrix], [[Double]]) = ([], [])
    for (n, m) in zip(widths, widths.dropFirst()) {
      weights.append(g.normalMatrix(rows: m, columns: n, deviation: (2 / Double(n)).squareRoot()))
      biases.append((0..<m).map { _ in deviation * g.normal() })
    }
    return try Network(weights: weights, biases: biases)
  }

  /// A pin on all coordinates of a vertex.
  static func whole(
    _ vertex: Int, _ values: Matrix, _ strength: Pin.Strength = .hard
  ) -> Pin {
    Pin(vertex: vertex, coordinates: Array(0..<values.rows), values: values, strength: strength)
  }

  /// The coordinates that rest at the threshold 0 of a rectifier, in the order of the stalks behind the
  /// input.
  static func resting(_ network: Network, _ state: SheafState, _ j: Int) -> [Int] {
    var (result, start) = ([Int](), 0)
    for v in network.vertices.indices.dropFirst() {
      let isRead = network.edges.contains { $0.source == v && $0.operation.isStateDependent }
      for i in 0..<state.stalks[v].rows where isRead && state.stalks[v][i, j] == 0 {
        result.append(start + i)
      }
      start += state.stalks[v].rows
    }
    return result
  }

  // MARK: The envelope theorem

  /// ∂E*/∂W_ℓ = −ρ_{z_ℓ} a_{ℓ−1}ᵀ and ∂E*/∂b_ℓ = −ρ_{z_ℓ}, kinks included, as long as the face stays.
  @Test(arguments: 0..<16 as Range<UInt64>) func parametersFollowTheEnvelope(seed: UInt64) throws {
    var g = RandomGenerator(case: seed)
    let widths = [[3, 5, 4, 2], [2, 6, 1], [4, 3, 3, 3, 2], [1, 8, 8, 1]][Int(seed % 4)]
    let network = try Self.chain(widths, &g)
    let x = g.normalMatrix(rows: widths[0], columns: 1)
    let y = g.normalMatrix(rows: widths.last!, columns: 1, deviation: 2)
    let edge = OutputEdge(activation: .identity, coupling: g.uniform(0.3, 20))
    func solve(_ network: Network) throws -> PinnedEquilibrium {
      let pins = try Pins([Self.whole(network.vertices.count, y)], network: network, input: x)
      return try DirectSolver(tolerance: 1e-12, threads: 1).solve(
        PinnedEnergy(NeuralSheaf(network), pins: pins, output: edge), input: x)
    }
    func face(_ network: Network, _ end: PinnedEquilibrium) -> [[Bool]] {
      let rest = Self.resting(network, end.state, 0)
      let z = end.state.stalks.dropFirst().flatMap(\.elements)
      return z.indices.map { [rest.contains($0), rest.contains($0) || z[$0] > 0] }
    }
    let end = try solve(network)
    #expect(end.status == .converged, "seed \(seed)")
    let here = face(network, end)
    let rho = NeuralSheaf(network).discrepancy(end.state)
    var (checked, skipped) = (0, 0)
    for (e, this) in network.edges.enumerated() where !this.operation.isStateDependent {
      let a = end.state.stalks[this.source]
      for p in 0..<2 {
        for i in 0..<rho[this.target].rows {
          for k in 0..<(p == 0 ? a.rows : 1) {
            // E* at −2h, −h, h and 2h.
            let h = 1e-4
            var isOneFace = true
            let values = try [-2, -1, 1, 2].map { step -> Double in
              var moved = network
              moved.updateParameters(of: e) { q, matrix in
                if q == p { matrix[i, k] += step * h }
              }
              let other = try solve(moved)
              isOneFace = isOneFace && face(moved, other) == here
              return other.energies[0]
            }
            guard isOneFace else {
              skipped += 1
              continue
            }
            checked += 1
            let slope = (values[0] - 8 * values[1] + 8 * values[2] - values[3]) / (12 * h)
            let expected = -rho[this.target][i, 0] * (p == 0 ? a[k, 0] : 1)
            #expect(
              abs(slope - expected) < 1e-8 * max(1, abs(expected)),
              "seed \(seed) edge \(e) parameter \(p) [\(i), \(k)] \(slope) \(expected)")
          }
        }
      }
    }
    #expect(skipped * 3 <= checked, "seed \(seed): \(skipped) of \(checked + skipped) skipped")
  }

  // MARK: By hand

  /// x = 1 — z₁, z₂ with W = (1, 1), b = 0, so m = (1, 1); output a₁ − a₂, held at −10; ŷ = 0.
  ///
  /// Both active: S = 1 + 2·(1 + 1) = 5, λ = −2, z₁ = 1 + λ = −1: not active. Neuron 1 inactive: z₁ = m = 1: not
  /// inactive. So z₁ = 0 and ρ_{z₁} = −1. With λ the pull at the output, ρ on both activation edges and
  /// on z₂ is (λ, −λ) and −λ: a₁ = λ, z₂ = 1 − λ, a₂ = 1 − 2λ, and −10 = a₁ − a₂ + λ = 4λ − 1: λ = −9/4.
  /// a = (−9/4, 11/2), z₂ = 13/4. m + a₁ = −5/4 ≤ 0 ≤ m: it rests, with μ = −m/a₁ = 4/9.
  /// E = ½ (1 + 4 λ²) = ½ (1 + 81/4) = 85/8.
  @Test func twoNeuronsByHand() throws {
    let network = try Network(
      weights: [Matrix([[1], [1]]), Matrix([[1, -1]])], biases: [[0, 0], [0]])
    let x = Matrix([[1]])
    let pins = try Pins([Self.whole(3, Matrix([[-10]]))], network: network, input: x)
    let energy = PinnedEnergy(NeuralSheaf(network), pins: pins)
    for solver in [
      DirectSolver(), IterativeSolver(), FlowSolver(), CoordinateSolver(tolerance: 1e-13),
    ] as [any EquilibriumSolver] {
      let end = try solver.solve(energy, input: x)
      #expect(end.statuses == [.converged] && end.kinkNeurons == [1], "\(solver)")
      let expected = [1, 0, 3.25, -2.25, 5.5, -10]
      for (a, b) in zip(end.state.stalks.flatMap(\.elements), expected) {
        #expect(abs(a - b) < 1e-12, "\(solver)")
      }
      #expect(abs(end.energies[0] - 85.0 / 8) < 1e-12)
      #expect(abs(end.pinForces(energy)[3][0, 0] + 9.0 / 4) < 1e-11)
    }
  }

  /// x = −1 — z — a with W = 1, b = 0 and a held at 3: a concave kink, m = −1 < 0 < a + m = 2. z = −1 has E =
  /// a²/2 = 9/2, z = (a + m)/2 = 1 has E = (a − m)²/4 = 4. From the forward pass z = −1 is stationary; a block at
  /// its best is the other.
  @Test func twoMinimaCoexist() throws {
    var network = Network(inputDimension: 1)
    let z = network.append(Dense(weight: Matrix([[1]]), bias: [0]), to: 0)
    let a = network.append(Elementwise.rectifier(dimension: 1), to: z)
    let x = Matrix([[-1]])
    let pins = try Pins([Self.whole(a, Matrix([[3]]))], network: network, input: x)
    let energy = PinnedEnergy(NeuralSheaf(network), pins: pins)
    let left = try DirectSolver().solve(energy, input: x)
    #expect(left.statuses == [.converged] && left.energies == [4.5])
    #expect(left.state.stalks[z][0, 0] == -1)
    let right = try CoordinateSolver().solve(energy, input: x)
    #expect(right.statuses == [.converged] && right.energies == [4])
    #expect(right.state.stalks[z][0, 0] == 1)
  }

  // MARK: Assembled solves

  /// Hard and soft pins: on the end's own face the state solves the restricted normal equations, what
  /// is held or rests at its value.
  @Test func endsSolveTheAssembledSystem() throws {
    try Tally.over(NeuralSheafLawTests.seeds.filter { $0 < 200 }, Self.compareAssembled)
      .check(atLeast: 150)
  }

  private static func compareAssembled(seed: UInt64, _ tally: inout Tally) throws {
    var (network, g) = try randomNetwork(seed: seed)
    let sheaf = NeuralSheaf(network)
    let x = g.normalMatrix(rows: network.inputDimension, columns: 4)
    let pins = try PinnedEquilibriumTests.randomPins(network, input: x, &g)
    let end = try DirectSolver(tolerance: 1e-12, threads: 1)
      .solve(PinnedEnergy(sheaf, pins: pins), input: x)
    let isChain = seed < 84
    let flat = FlatNetwork(network)
    for j in 0..<4 where end.statuses[j] == .converged {
      let state = end.state.samples([j])
      let patterns = sheaf.patterns(at: state)
      // Where thresholds may be other than 0, and ties, only samples that lie on none.
      var all = [Double](repeating: 0, count: flat.count)
      flat.gather(state.stalks, 0, into: &all)
      let onBoundary = flat.rows.indices.filter { r in
        let row = flat.rows[r]
        return flat.isOnBoundary(r, at: patterns[row.edge][row.row, 0], all, tolerance: 1e-9)
      }
      guard isChain || onBoundary.isEmpty else { continue }
      var hessian = sheaf.restrictedLaplacian(at: patterns)
      let u = sheaf.boundaryValues(x.column(j))
      var right = sheaf.boundaryLaplacian(at: patterns) * u
      right.scale(by: -1)
      var held = isChain ? Set(Self.resting(network, state, 0)) : []
      var start = 0
      for v in network.vertices.indices.dropFirst() {
        for i in pins.held(v) { held.insert(start + i) }
        for pin in pins.soft(v) {
          for (p, i) in pin.rows.enumerated() {
            hessian[start + i, start + i] += pin.stiffness
            right[start + i, 0] += pin.stiffness * pin.values[p, j]
          }
        }
        start += network.vertices[v].dimension
      }
      let found = Matrix(column: state.stalks.dropFirst().flatMap(\.elements))
      let (fixed, free) = (held.sorted(), (0..<start).filter { !held.contains($0) })
      guard !free.isEmpty else { continue }
      var b = right[rows: free, columns: [0]]
      b.add(hessian[rows: free, columns: fixed] * found[rows: fixed, columns: [0]], scale: -1)
      let solution = try hessian[rows: free, columns: free].solve(b)
      var difference = found[rows: free, columns: [0]]
      difference.add(solution, scale: -1)
      // Backward error: the state satisfies the equations to rounding.
      var force = hessian[rows: free, columns: free] * found[rows: free, columns: [0]]
      force.add(b, scale: -1)
      let size = max(1, found.maximumMagnitude)
      let scale = size * max(1, hessian.maximumMagnitude)
      tally.expect(
        force.maximumMagnitude < 1e-12 * scale, "seed \(seed) \(j) \(force.maximumMagnitude)")
      let eigen = try SymmetricEigendecomposition(
        hessian[rows: free, columns: free], vectors: false)
      let condition = eigen.values.last! / eigen.values[0]
      tally.expect(
        difference.maximumMagnitude < max(1e-12, 1e-14 * condition) * size,
        "seed \(seed) \(j) \(difference.maximumMagnitude) \(condition)")
    }
  }

  /// A walk that bends early falls by little of what its slope promised at the start, which no damping of
  /// the output's model can mend: it is accepted all the same. Neuron 2, a held at −3, starts
  /// at m = 10⁻⁵ and rests at 0; neuron 1 and the output are all but at their equilibrium.
  @Test func shortWalksAreAccepted() throws {
    let network = try Network(
      weights: [Matrix([[1], [0]]), Matrix([[1, 0]])], biases: [[0, 1e-5], [0]],
      outputActivation: .sigmoid)
    let x = Matrix([[1]])
    // φ(1) = 0.7310585….
    let pins = try Pins(
      [
        Pin(vertex: 2, coordinates: [1], values: Matrix([[-3]])),
        Self.whole(network.vertices.count, Matrix([[0.732]])),
      ], network: network, input: x)
    let energy = PinnedEnergy(
      NeuralSheaf(network), pins: pins,
      output: OutputEdge(activation: .sigmoid, energy: .crossEntropy))
    let end = try DirectSolver().solve(energy, input: x)
    #expect(end.statuses == [.converged] && end.kinkNeurons == [1])
    #expect(end.state.stalks[1][1, 0] == 0)
    #expect(end.iterations[0] < 20, "\(end.iterations)")
  }

  // MARK: Deep networks

  /// Eight hidden layers of 64 with He's initialisation, output held at random: every sample ends, no
  /// higher than it started.
  @Test(arguments: [10, 64], 0..<2 as Range<UInt64>)
  func deepNetworksEnd(width: Int, seed: UInt64) throws {
    var g = RandomGenerator(case: seed)
    let widths = [width] + [Int](repeating: 64, count: 8) + [width == 10 ? 3 : 64]
    let network = try Network(widths: widths, using: &g)
    let x = g.normalMatrix(rows: width, columns: 20)
    let y = g.normalMatrix(rows: widths.last!, columns: 20)
    let pins = try Pins([Self.whole(network.lastVertex, y)], network: network, input: x)
    let energy = PinnedEnergy(NeuralSheaf(network), pins: pins)
    let end = try DirectSolver().solve(energy, input: x)
    #expect(end.statuses.allSatisfy { $0 == .converged }, "seed \(seed) \(end.statuses)")
    #expect(end.residuals.allSatisfy { $0 < 1e-8 }, "seed \(seed) \(end.residuals)")
    let start = energy.values(at: energy.forwardPass(x).state)
    for j in 0..<20 { #expect(end.energies[j] <= start[j], "seed \(seed) sample \(j)") }
  }
}
