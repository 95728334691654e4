import LinearAlgebra
import NeuralSheaves
import PiecewiseEnergies
import Testing

@testable import Equilibria

/// Inputs that pins set free.
extension EquilibriumLawTests {
  private static var leastNorm: DirectSolver {
    var solver = DirectSolver()
    solver.isLeastNorm = true
    return solver
  }

  /// A freed input with a prior and a clamped output: on the end's pattern the state solves the normal
  /// equations in (x, ω).
  @Test(arguments: 0..<30 as Range<UInt64>) func freedInputsSolveTheAssembledSystem(seed: UInt64)
    throws
  {
    var g = RandomGenerator(case: seed)
    let widths = [3, 6, 5, 2]
    let network = try Self.chain(widths, &g)
    let sheaf = NeuralSheaf(network)
    let x = g.normalMatrix(rows: 3, columns: 3)
    let (gamma, kappa) = (g.uniform(0.2, 4), g.uniform(0.3, 10))
    let y = g.normalMatrix(rows: 2, columns: 3)
    let pins = try Pins(
      [Self.whole(0, x, .soft(gamma)), Self.whole(network.vertices.count, y)], network: network,
      input: x)
    let energy = PinnedEnergy(
      sheaf, pins: pins, output: OutputEdge(activation: .identity, coupling: kappa))
    let end = try DirectSolver(threads: 1).solve(energy, input: x)
    #expect(end.status == .converged, "seed \(seed)")
    for j in 0..<3 {
      let state = end.state.samples([j])
      let patterns = sheaf.patterns(at: state)
      let boundary = sheaf.boundaryCoordinates
      let (unknown, ones) = (
        Array(boundary.prefix(3)) + sheaf.freeCoordinates, Array(boundary.dropFirst(3))
      )
      let laplacian = sheaf.laplacian(at: patterns)
      var hessian = laplacian[rows: unknown, columns: unknown]
      var right =
        laplacian[rows: unknown, columns: ones]
        * Matrix(rows: ones.count, columns: 1, repeating: 1)
      right.scale(by: -1)
      for i in 0..<3 {
        hessian[i, i] += gamma
        right[i, 0] += gamma * x[i, j]
      }
      let n = unknown.count
      for i in 0..<2 {
        hessian[n - 2 + i, n - 2 + i] += kappa
        right[n - 2 + i, 0] += kappa * y[i, j]
      }
      let found = Matrix(column: state.stalks.flatMap(\.elements))
      let fixed = Self.resting(network, state, 0).map { $0 + 3 }
      let free = (0..<n).filter { !fixed.contains($0) }
      var b = right[rows: free, columns: [0]]
      b.add(hessian[rows: free, columns: fixed] * found[rows: fixed, columns: [0]], scale: -1)
      var difference = try hessian[rows: free, columns: free].solve(b)
      difference.add(found[rows: free, columns: [0]], scale: -1)
      #expect(
        difference.maximumMagnitude < 1e-12 * max(1, found.maximumMagnitude), "seed \(seed) \(j)")
    }
  }

  // MARK: Inputs without a prior

  /// One affine operation from three inputs to one output, held: two directions are undetermined, and the
  /// point of least norm is W⁺(y − b).
  @Test func affinePreimagesAreLeastNorm() throws {
    let w = [1.0, -2, 0.5]
    let network = try Network(weights: [Matrix([w])], biases: [[0.25]])
    let x = Matrix(column: [0.3, 0.1, -4])
    let y = Matrix([[3]])
    let pins = try Pins([Self.whole(1, y)], freeing: [0, 1, 2], network: network, input: x)
    let energy = PinnedEnergy(NeuralSheaf(network), pins: pins)
    let near = try DirectSolver().solve(energy, input: x)
    let short = try Self.leastNorm.solve(energy, input: x)
    // ‖w‖² = 21/4. From x itself: w·x + ¼ = −1.65, so d = 4.65 w/‖w‖².
    for i in 0..<3 {
      #expect(abs(near.state.stalks[0][i, 0] - (x[i, 0] + 4.65 * w[i] / 5.25)) < 1e-13)
      #expect(abs(short.state.stalks[0][i, 0] - 2.75 * w[i] / 5.25) < 1e-13)
    }
    for end in [near, short] {
      #expect(end.statuses == [.converged] && end.energies[0] < 1e-26)
      #expect(end.freedoms[0]?.dimension == 2 && end.freedoms[0]?.coordinates == [0, 1, 2])
    }
  }

  /// 3 — 1 — 2 with the outputs held where no input brings them: the one hidden unit, active, takes the least
  /// squares a = ⟨v, y − c⟩/‖v‖² and only the output's edge has a discrepancy; x = w (a − b)/‖w‖².
  @Test func inputsWithoutPriorReachTheLeastDiscord() throws {
    let (w, v, b, c, y) = ([2.0, 1, -1], [1.0, 3], 4.0, [0.5, -0.5], [2.0, 4])
    let network = try Network(
      weights: [Matrix([w]), Matrix(column: v)], biases: [[b], c])
    let x = Matrix(column: [0.2, 0.4, 0.1])
    let pins = try Pins(
      [Self.whole(3, Matrix(column: y))], freeing: [0, 1, 2], network: network, input: x)
    let end = try Self.leastNorm.solve(
      PinnedEnergy(NeuralSheaf(network), pins: pins), input: x)
    #expect(end.statuses == [.converged] && end.freedoms[0]?.dimension == 2)
    // y − c = (3/2, 9/2) = 3/2 v: reached, a = 3/2.
    #expect(abs(end.state.stalks[2][0, 0] - 1.5) < 1e-13 && end.energies[0] < 1e-26)
    for i in 0..<3 {
      #expect(abs(end.state.stalks[0][i, 0] - w[i] * (1.5 - b) / 6) < 1e-13)
    }
    // Off the line by (3, −1), orthogonal to v: E = ½ · 10, with the same a and x.
    let off = try Pins(
      [Self.whole(3, Matrix(column: [5, 3]))], freeing: [0, 1, 2], network: network, input: x)
    let other = try Self.leastNorm.solve(
      PinnedEnergy(NeuralSheaf(network), pins: off), input: x)
    #expect(other.statuses == [.converged] && abs(other.energies[0] - 5) < 1e-12)
    #expect(other.freedoms[0]?.dimension == 2)
    for i in 0..<3 {
      #expect(abs(other.state.stalks[0][i, 0] - w[i] * (1.5 - b) / 6) < 1e-12)
    }
  }

  /// Input coordinate 0 open, 1 with a prior, 2 held, output clamped: the same normal equations, with as
  /// many unknowns as are free.
  @Test(arguments: 0..<30 as Range<UInt64>) func mixedInputsSolveTheAssembledSystem(seed: UInt64)
    throws
  {
    var g = RandomGenerator(case: seed)
    let network = try Self.chain([3, 7, 6, 3], &g)
    let sheaf = NeuralSheaf(network)
    let x = g.normalMatrix(rows: 3, columns: 3)
    let (gamma, kappa) = (g.uniform(0.2, 4), g.uniform(0.3, 10))
    let y = g.normalMatrix(rows: 3, columns: 3)
    let pins = try Pins(
      [
        Pin(
          vertex: 0, coordinates: [1], values: x[rows: [1], columns: [0, 1, 2]],
          strength: .soft(gamma)), Self.whole(network.vertices.count, y),
      ], freeing: [0], network: network, input: x)
    let energy = PinnedEnergy(
      sheaf, pins: pins, output: OutputEdge(activation: .identity, coupling: kappa))
    let end = try DirectSolver(threads: 1).solve(energy, input: x)
    #expect(end.status == .converged, "seed \(seed) \(end.statuses) \(end.residuals)")
    for j in 0..<3 where end.statuses[j] == .converged {
      let state = end.state.samples([j])
      let laplacian = sheaf.laplacian(at: sheaf.patterns(at: state))
      let boundary = sheaf.boundaryCoordinates
      let known = Array(boundary.dropFirst(2))
      let unknown = Array(boundary.prefix(2)) + sheaf.freeCoordinates
      var hessian = laplacian[rows: unknown, columns: unknown]
      var right =
        laplacian[rows: unknown, columns: known]
        * Matrix(column: [x[2, j]] + [Double](repeating: 1, count: known.count - 1))
      right.scale(by: -1)
      hessian[1, 1] += gamma
      right[1, 0] += gamma * x[1, j]
      let n = unknown.count
      for i in 0..<3 {
        hessian[n - 3 + i, n - 3 + i] += kappa
        right[n - 3 + i, 0] += kappa * y[i, j]
      }
      #expect(state.stalks[0][2, 0] == x[2, j], "seed \(seed) \(j)")
      var found = Matrix(column: state.stalks.flatMap(\.elements))
      found = found[rows: [0, 1] + Array(3..<n + 1), columns: [0]]
      let fixed = Self.resting(network, state, 0).map { $0 + 2 }
      let free = (0..<n).filter { !fixed.contains($0) }
      let matrix = hessian[rows: free, columns: free]
      let least = try SymmetricEigendecomposition(matrix, vectors: false).values[0]
      #expect((end.freedoms[j] == nil) == (least > 1e-9), "seed \(seed) \(j) \(least)")
      var b = right[rows: free, columns: [0]]
      b.add(hessian[rows: free, columns: fixed] * found[rows: fixed, columns: [0]], scale: -1)
      var difference = matrix * found[rows: free, columns: [0]]
      difference.add(b, scale: -1)
      #expect(
        difference.maximumMagnitude < 1e-12 * max(1, found.maximumMagnitude)
          * max(1, matrix.maximumMagnitude), "seed \(seed) \(j)")
    }
  }

  // MARK: Smooth outputs

  /// Open inputs under a smooth output: more inputs than outputs and no unit inactive, so that the target
  /// is reached and the squared energy is 0, a cross-entropy that of the target alone; what is
  /// undetermined is the difference of the dimensions.
  @Test(arguments: 0..<10 as Range<UInt64>) func openInputsReachSmoothTargets(seed: UInt64) throws {
    var g = RandomGenerator(case: seed)
    let (w, v) = (
      g.normalMatrix(rows: 6, columns: 4, deviation: 0.3),
      g.normalMatrix(rows: 2, columns: 6, deviation: 0.3)
    )
    // Every hidden unit is about 8; the output is about 0, where the sigmoid is not flat.
    let shift = v * Matrix(rows: 6, columns: 1, repeating: -8)
    let network = try Network(
      weights: [w, v], biases: [[Double](repeating: 8, count: 6), shift.column(0)],
      outputActivation: .sigmoid)
    let x = g.normalMatrix(rows: 4, columns: 1)
    // A target near the forward pass.
    var y = NeuralSheaf(network).forwardPass(x).stalks[network.lastVertex]
    y.add(g.normalMatrix(rows: 2, columns: 1, deviation: 0.3))
    y = OutputActivation.sigmoid(y)
    let pins = try Pins(
      [Self.whole(network.vertices.count, y)], freeing: [0, 1, 2, 3], network: network, input: x)
    for kind in OutputEdge.Energy.allCases {
      let energy = PinnedEnergy(
        NeuralSheaf(network), pins: pins, output: OutputEdge(activation: .sigmoid, energy: kind))
      let end = try DirectSolver().solve(energy, input: x)
      #expect(end.status == .converged, "seed \(seed) \(kind) \(end.residuals)")
      var difference = OutputActivation.sigmoid(end.state.stalks[network.lastVertex])
      difference.add(y, scale: -1)
      #expect(difference.maximumMagnitude < 1e-7, "seed \(seed) \(kind)")
      #expect(end.freedoms[0]?.dimension == 2, "seed \(seed) \(kind)")
    }
  }
}
