import LinearAlgebra
import NetworkKernels
import NeuralSheaves
import PiecewiseEnergies
import SheafFlows
import SheafTraining
import Testing

@testable import Equilibria

/// Solvers keep to their limits, to each sample's own business and to bounded work; NaN is seen.
struct SolverPromiseTests {
  /// Fifty samples of a network whose output is held at random.
  private func problem(batch: Int = 50) throws -> (PinnedEnergy, Matrix, Matrix) {
    var g = RandomGenerator(seed: 4)
    let network = try Network(widths: [4, 24, 24, 24, 2], using: &g)
    let x = g.normalMatrix(rows: 4, columns: batch)
    let y = g.normalMatrix(rows: 2, columns: batch, deviation: 2)
    return (try energy(network, x, y), x, y)
  }

  private func energy(_ network: Network, _ x: Matrix, _ y: Matrix) throws -> PinnedEnergy {
    let pins = try Pins(
      [EquilibriumLawTests.whole(network.lastVertex, y)], network: network, input: x)
    return PinnedEnergy(NeuralSheaf(network), pins: pins)
  }

  /// With one step less than the slowest sample wants, that one ends at the limit, and its neighbours as they
  /// do alone.
  @Test(arguments: EquilibriumMethod.allCases) func slowSamplesHoldNobodyUp(
    method: EquilibriumMethod
  ) throws {
    let (energy, x, y) = try problem()
    let free = try method.solver(threads: 1).solve(energy, input: x)
    #expect(free.status == .converged)
    let most = free.iterations.max()!
    let solver = method.solver(stepLimit: most - 1, threads: 1)
    let end = try solver.solve(energy, input: x)
    #expect(end.iterations.allSatisfy { $0 <= most - 1 }, "\(end.iterations)")
    let (slow, others) = (
      (0..<50).filter { free.iterations[$0] == most },
      (0..<50).filter { free.iterations[$0] < most }
    )
    #expect(slow.allSatisfy { end.statuses[$0] == .stepLimit } && others.count > 25)
    for j in others {
      #expect(end.statuses[j] == .converged, "\(method), sample \(j)")
      // The step of the flow is one that is stable for all.
      if method == .flow { continue }
      let alone = try solver.solve(
        self.energy(energy.sheaf.network, x.columns([j]), y.columns([j])), input: x.columns([j]))
      #expect(alone.status == .converged, "\(method), sample \(j)")
      #expect(
        abs(alone.energies[0] - end.energies[j]) <= 1e-7 * max(1, end.energies[j]),
        "\(method), sample \(j)")
    }
  }

  /// A sample whose numbers overflow ends as diverged, soon, with a residual that says so; its neighbours as they
  /// do alone.
  @Test(arguments: EquilibriumMethod.allCases, [1e200, 1e308]) func overflowStaysInItsSample(
    method: EquilibriumMethod, size: Double
  ) throws {
    var (energy, x, y) = try problem(batch: 6)
    for i in 0..<4 { x[i, 2] = size }
    energy = try self.energy(energy.sheaf.network, x, y)
    let solver = method.solver(threads: 1)
    let end = try solver.solve(energy, input: x)
    #expect(end.statuses[2] == .diverged && !end.residuals[2].isFinite, "\(method) \(end.statuses)")
    #expect(end.iterations[2] <= 500, "\(method) \(end.iterations)")
    for j in [0, 1, 3, 4, 5] {
      let alone = try solver.solve(
        self.energy(energy.sheaf.network, x.columns([j]), y.columns([j])), input: x.columns([j]))
      #expect(end.statuses[j] == .converged && alone.status == .converged, "\(method) \(j)")
      #expect(
        abs(alone.energies[0] - end.energies[j]) <= 1e-7 * max(1, end.energies[j]),
        "\(method), sample \(j)")
    }
  }

  /// Step limits are those of all a sample's steps, repairs included.
  @Test(arguments: [1, 2, 3, 7]) func stepLimitsAreHonoured(limit: Int) throws {
    let (energy, x, _) = try problem()
    for method in EquilibriumMethod.allCases {
      let end = try method.solver(stepLimit: limit).solve(energy, input: x)
      #expect(end.iterations.allSatisfy { $0 <= limit }, "\(method): \(end.iterations)")
    }
    // No tolerance that rounding can keep: every end is repaired until the limit.
    let end = try DirectSolver(stepLimit: 30, tolerance: 1e-300).solve(energy, input: x)
    #expect(end.iterations.allSatisfy { $0 <= 30 } && end.iterations.contains(30))
  }

  /// Hundreds of places tied at the maxima of windows: the reduced energy has the direct method's end.
  @Test func tiedWindowsAreIterated() throws {
    var network = Network(inputDimension: 1)
    let n = 1200
    let z = network.append(
      Dense(
        weight: Matrix(rows: n, columns: 1, repeating: 1), bias: [Double](repeating: 0, count: n)),
      to: 0)
    let p = network.append(
      MaximumPooling(
        SlidingWindow(
          channels: 1, image: Extent(1, n), kernel: Extent(1, 4), stride: Extent(1, 4))),
      to: z)
    var g = RandomGenerator(seed: 2)
    network.append(dense(n / 4, 2, &g), to: p)
    let x = Matrix([[1, 0.3]])
    let y = g.normalMatrix(rows: 2, columns: 2, deviation: 8)
    let energy = try energy(network, x, y)
    let ends = try [EquilibriumMethod.auto, .direct].map {
      try $0.solver().solve(energy, input: x)
    }
    let ties = ends[0].tiedCoordinates.max()!
    #expect(ties > 400, "\(ties)")
    for end in ends { #expect(end.status == .converged && end.tiedCoordinates.max()! == ties) }
    for j in 0..<2 {
      #expect(abs(ends[0].energies[j] / ends[1].energies[j] - 1) < 1e-9, "\(j)")
    }
  }

  /// A Schur complement of terabytes is refused with its size, before any work; the iterative method needs none.
  @Test func memoryIsRefusedBeforehand() throws {
    let n = 400_000
    var network = Network(inputDimension: 1)
    let z = network.append(
      Dense(
        weight: Matrix(rows: n, columns: 1, repeating: 1), bias: [Double](repeating: 0, count: n)),
      to: 0)
    let x = Matrix([[1.0]])
    let pin = Pin(
      vertex: z, coordinates: Array(0..<n), values: Matrix(rows: n, columns: 1, repeating: 2),
      strength: .soft(1))
    let energy = PinnedEnergy(
      NeuralSheaf(network), pins: try Pins([pin], network: network, input: x))
    let refusal = message { _ = try DirectSolver(threads: 1).solve(energy, input: x) }
    for words in ["1280 GB", "400000 pinned coordinates"] {
      #expect(refusal.contains(words), "\(refusal)")
    }
    let end = try AutomaticSolver(threads: 1).solve(energy, input: x)
    #expect(end.status == .converged && abs(end.energies[0] / (Double(n) / 4) - 1) < 1e-12)
  }

  /// Blocks that are too large to factor take conjugate gradients, to the same end.
  @Test func largeBlocksAreIterated() throws {
    var g = RandomGenerator(seed: 6)
    let convolution = Convolution(
      window: SlidingWindow(
        channels: 2, image: Extent(48, 48), kernel: Extent(3, 3), stride: Extent(3, 3)), filters: 1)
    var network = Network(inputDimension: 2)
    let z = network.append(dense(2, 4608, &g), to: 0)
    let a = network.append(Elementwise.rectifier(dimension: 4608), to: z)
    let c = network.append(
      Convolutional(
        convolution, weight: g.normalMatrix(rows: 18, columns: 1, deviation: 0.3), bias: [0.1]),
      to: a)
    network.append(dense(convolution.targetSize, 2, &g), to: c)
    let x = g.normalMatrix(rows: 2, columns: 2)
    let energy = try energy(network, x, g.normalMatrix(rows: 2, columns: 2))
    let blocks = try BlockDescent(energy)
    guard case .gradients = blocks.updates[a] else {
      Issue.record("\(blocks.updates[a])")
      return
    }
    let end = try CoordinateSolver().solve(energy, input: x)
    let direct = try DirectSolver().solve(energy, input: x)
    #expect(end.status == .converged && direct.status == .converged)
    for j in 0..<2 {
      #expect(end.energies[j] < direct.energies[j] * (1 + 1e-6), "\(end.energies)")
      #expect(end.residuals[j] <= 1e-8)
    }
  }

  // MARK: NaN

  @Test func maximaKeepNaN() {
    for list in [[1, .nan, 2], [.nan, 3], [3, .nan]] as [[Double]] {
      #expect(list.maximum()!.isNaN && list.maximumMagnitude.isNaN)
      let column = Matrix(column: list)
      #expect(column.maximumMagnitude(column: 0).isNaN && column.maximumMagnitude.isNaN)
    }
    #expect([-5.0, 2].maximum() == 2 && [-5.0, 2].maximumMagnitude == 5)
    #expect([Double]().maximum() == nil)
    #expect(LinearAlgebra.maximum(1, 2) == 2 && LinearAlgebra.maximum(2, 1) == 2)
    var pooled = Matrix(rows: 1, columns: 3)
    let pool = MaximumPooling(SlidingWindow(channels: 1, image: Extent(1, 3), kernel: Extent(1, 3)))
    pool.apply(Matrix([[.nan, 1, 2], [1, .nan, 3], [2, 2, .nan]]), into: &pooled)
    #expect(pooled.elements.allSatisfy { $0.isNaN })
    var pattern = pool.blankPattern(batch: 3)
    _ = pool.readPattern(at: Matrix([[.nan, 1, 2], [1, .nan, 3], [2, 2, .nan]]), into: &pattern)
    #expect((0..<3).map { pattern[0, $0] } == [0, 1, 2])
  }

  /// The residual of a state that is not finite is not, wherever in it that is.
  @Test func residualsOfNaNAreNaN() throws {
    let (energy, x, _) = try problem(batch: 3)
    let flow = try HeatFlow(energy.sheaf, pins: energy.pins)
    let forward = energy.forwardPass(x).state
    for v in 1..<forward.stalks.count - 1 {
      var state = forward
      state.stalks[v][0, 1] = .nan
      let residuals = flow.residuals(at: state)
      #expect(residuals[0].isFinite && residuals[1].isNaN && residuals[2].isFinite, "vertex \(v)")
      let clarke = ClarkeGradient(energy, FlatNetwork(energy.sheaf.network), state).residuals
      #expect(clarke[0].isFinite && clarke[1].isNaN && clarke[2].isFinite, "vertex \(v)")
    }
    let run = try Euler(step: 10, stop: .residual(1e-8), allowsUnstable: true).run(
      flow, from: forward)
    #expect(run.status == .diverged)
  }

  /// LAPACK does not get what is not finite; a right-hand side that is not spoils its own column only.
  @Test func factorizationsRefuseNaN() throws {
    for bad in [Double.nan, .infinity, -.infinity] {
      for (i, j) in [(0, 0), (1, 0), (2, 2)] {
        var a = Matrix([[4, 1, 0], [1, 3, 1], [0, 1, 2]])
        a[i, j] = bad
        #expect(throws: FactorizationError.notFinite) { _ = try CholeskyFactorization(a) }
        #expect(throws: FactorizationError.notFinite) { _ = try SymmetricEigendecomposition(a) }
        #expect(throws: FactorizationError.notFinite) {
          _ = try a.solve(Matrix(column: [1, 2, 3]))
        }
      }
      // What lies above the diagonal is not read.
      var upper = Matrix([[4, 1, 0], [1, 3, 1], [0, 1, 2]])
      upper[0, 2] = bad
      #expect(throws: Never.self) { _ = try CholeskyFactorization(upper) }
    }
    let a = Matrix([[4, 1], [1, 3]])
    let factor = try CholeskyFactorization(a)
    var b = Matrix([[1, .nan, 1], [2, 0, 2]])
    factor.solve(&b)
    let x = try a.solve(Matrix([[1, .nan, 1], [2, 0, 2]]))
    for solution in [b, x] {
      #expect(abs(solution[0, 0] - 1.0 / 11) < 1e-15 && abs(solution[1, 2] - 7.0 / 11) < 1e-15)
      #expect(solution[0, 1].isNaN)
    }
    #expect(throws: FactorizationError.self) {
      _ = try CholeskyFactorization(Matrix([[1e308, 0], [1e308, 1e-300]]))
    }
  }

  // MARK: Continuity

  @Test func jumpsAreRefused() {
    func error(_ kinks: [Double], _ slopes: [Double], _ offsets: [Double]) -> PiecewiseAffineError?
    {
      do throws(PiecewiseAffineError) {
        _ = try PiecewiseAffine(checking: kinks, slopes: slopes, offsets: offsets)
        return nil
      } catch {
        return error
      }
    }
    #expect(error([0], [0, 1], [0, 0]) == nil && error([-1, 2], [0, 1, 0], [-1, 0, 2]) == nil)
    #expect(error([0], [0, 1], [0, 1]) == .jump(kink: 0, left: 0, right: 1))
    #expect(error([1], [0, 1], [0, 0]) == .jump(kink: 1, left: 0, right: 1))
    #expect(error([-1, 2], [0, 1, 0], [-1, 0, 3]) == .jump(kink: 2, left: 2, right: 3))
    // Single precision.
    #expect(error([Double(Float(0.1))], [0, 1], [0.1, 0]) == nil)
    #expect(error([], [1], [0]) == .counts(kinks: 0, slopes: 1, offsets: 1))
    #expect(error([0], [1], [0]) == .counts(kinks: 1, slopes: 1, offsets: 1))
    #expect(error([2, 1], [1, 1, 1], [0, 0, 0]) != nil && error([.nan], [1, 1], [0, 0]) != nil)
    #expect("\(error([0], [0, 1], [0, 1])!)".contains("jumps at 0.0 from 0.0 to 1.0"))
  }

  // MARK: Steps

  /// The steps that a flow still wants, from the predicted rate when it gives up.
  @Test func remainingStepsAreEstimated() throws {
    let (flow, start) = try ExactFlowTests.flow("b1_241_identity", Reference("b1_241_identity"))
    for rule in [StoppingRule.residual(1e-9), .change(1e-11), .time(40)] {
      let whole = try Euler(step: 0.02, stop: rule).run(flow, from: start)
      let part = try Euler(step: 0.02, stop: rule, stepLimit: 1500).run(flow, from: start)
      #expect(whole.status == .converged && part.status == .stepLimit)
      let rate = try flow.predictedRate(of: part)
      let estimate = try #require(part.remainingSteps(for: rule, rate: rate))
      let actual = Double(whole.steps - 1500)
      #expect(abs(estimate / actual - 1) < 0.05, "\(rule): \(estimate), \(actual)")
      #expect(whole.remainingSteps(for: rule, rate: rate) == 0)
    }
    let none = try Euler(step: 0.02, stepLimit: 1).run(flow, from: start)
    #expect(none.remainingSteps(for: .residual(1e-9), rate: nil) == nil)
    let exact = try ExactFlow().run(flow, from: start)
    #expect(exact.remainingSteps(for: .residual(1e-9), rate: 1) == nil)
  }

  /// A joint flow that diverges has taken the steps that it counts.
  @Test func divergedStepsAreCounted() throws {
    var g = RandomGenerator(seed: 3)
    let network = try Network(widths: [2, 6, 1], using: &g)
    let x = g.normalMatrix(rows: 2, columns: 20)
    let data = try TrainingData(
      input: x, target: g.normalMatrix(rows: 1, columns: 20), for: network)
    let settings = JointFlow.Settings(step: 40)
    let single = try JointFlow(network, data: data, settings: settings)
    var steps = 1
    while single.takeSteps(1) { steps += 1 }
    let report = try JointFlow(network, data: data, settings: settings).runEpoch(0...1)
    #expect(report.ending == .diverged && report.steps == steps, "\(report.steps), \(steps)")
    #expect(steps % 100 != 0)
  }
}
