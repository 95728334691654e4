import Equilibria
import LinearAlgebra
import NeuralSheaves
import PiecewiseEnergies
import SheafLaws
import SheafTraining
import Testing

@testable import SheafFlows

/// The recipes of CONTRIBUTING.md, each followed with a toy: what they promise is all that is needed.
struct RecipeTests {
  // MARK: An integrator

  /// Heun's method: order 2.
  struct Heun: FlowMethod {
    let stop: StoppingRule?
    let step: Double
    var settings = SolverSettings(stepLimit: 100_000, threads: 2)
    var progress: (@Sendable (FlowProgress) -> Void)?

    struct Block: FlowBlock {
      var state: SheafState
      let range: Range<Int>
      var field: VectorField
      var size = 0.0
      var report = VectorField.StepReport()

      mutating func step(_ sheaf: NeuralSheaf) {
        let (old, h) = (state, size)
        func forces(_ state: SheafState) -> [Int: Matrix] {
          var forces: [Int: Matrix] = [:]
          field.evaluate(sheaf, state) { forces[$0] = $1 }
          return forces
        }
        let first = forces(old)
        var middle = old
        for (v, f) in first { middle.stalks[v].add(f, scale: h) }
        let second = forces(middle)
        report = VectorField.StepReport()
        for (v, f) in first {
          var move = f
          move.add(second[v]!)
          report.add(.init(change: state.stalks[v].advance(along: move, by: h / 2)))
        }
      }
    }

    mutating func start(_ flow: HeatFlow, _ state: SheafState) throws(FlowError) {
      let bound = flow.stableStep(at: state)
      guard step < bound else { throw .unstableStep(found: step, bound: bound) }
    }
    func block(_ flow: HeatFlow, _ part: SheafState, _ range: Range<Int>) -> Block {
      Block(
        state: part, range: range,
        field: VectorField(flow.pinned.samples(range), at: part, parametersRest: true))
    }
    mutating func step(
      _ blocks: ParallelLoop<Block>, atMost limit: Double, _ flow: HeatFlow
    ) -> FlowStep {
      let size = min(step, limit)
      for b in 0..<blocks.count { blocks.with(b) { $0.size = size * flow.alpha } }
      blocks.run()
      var report = VectorField.StepReport()
      for b in 0..<blocks.count { report.add(blocks.with(b) { $0.report }) }
      return FlowStep(size: size, report: report)
    }
    mutating func adapt(
      after step: FlowStep, steps: Int, _ flow: HeatFlow, state: () -> SheafState
    ) {}
  }

  /// Without a switch its error falls fourfold as the step is halved, and it ends where Euler's method does.
  @Test func anIntegrator() throws {
    var g = RandomGenerator(seed: 5)
    var network = Network(inputDimension: 3)
    network.append(dense(5, 2, &g), to: network.append(dense(3, 5, &g), to: 0))
    let sheaf = NeuralSheaf(network)
    let x = g.normalMatrix(rows: 3, columns: 4)
    let flow = try HeatFlow(
      sheaf, pins: Pins(network: network, input: x),
      stiffness: Stiffness([2, 0.7], of: network), alpha: 0.8)
    let start = sheaf.randomState(x, using: &g)
    let exact = try ExactFlow(stop: .time(1)).run(flow, from: start)
    let errors = try [0.04, 0.02, 0.01].map { step in
      var heun = Heun(stop: .time(1), step: step)
      let end = try heun.integrate(flow, from: start, observe: nil)
      return relativeError(end.state, exact.state)
    }
    for (a, b) in zip(errors, errors.dropFirst()) { #expect(abs(a / b - 4) < 0.4, "\(errors)") }
    var heun = Heun(stop: nil, step: 0.05)
    let end = try heun.integrate(flow, from: start, observe: nil)
    let euler = try Euler().run(flow, from: start)
    #expect(end.statuses.allSatisfy { $0 == .converged } && euler.status == .converged)
    #expect(relativeError(end.state, euler.state) < 1e-6)
  }

  // MARK: An equilibrium solver

  /// Gradient descent with the step of the flow; for networks without kinks.
  struct Descent: EquilibriumSolver {
    var settings: SolverSettings
    var progress: (@Sendable (Int) -> Void)?
    static let defaultStepLimit = 100_000
    init(_ settings: SolverSettings) { self.settings = settings }

    func solve(
      _ energy: PinnedEnergy, input: Matrix, from start: SheafState?
    ) throws(EquilibriumError) -> PinnedEquilibrium {
      try energy.check(input, from: start)
      guard !energy.sheaf.network.edges.contains(where: \.operation.isStateDependent) else {
        throw .unsupported(method: "descent", reason: "a network with kinks")
      }
      var state = start.map(energy.imposed) ?? energy.forwardPass(input).state
      let scales = energy.residualScales(state.stalks[0])
      let hessian = PinnedHessian(
        energy, at: energy.sheaf.patterns(at: state), batch: state.batch)
      let step =
        1
        / largestEigenvalues(
          of: hessian,
          from: Matrix(rows: hessian.rows, columns: state.batch, repeating: 1)
        ).value.maximum()!
      var statuses = scales.map { $0.isFinite ? SolutionStatus.stepLimit : .diverged }
      var iterations = scales.map { _ in 0 }
      for taken in 0...settings.stepLimit {
        var gradient = energy.gradient(at: state)
        for v in gradient.indices { energy.pins.clear(v, &gradient[v]) }
        for j in statuses.indices where statuses[j] == .stepLimit {
          let worst = gradient.map { $0.maximumMagnitude(column: j) }.maximum()!
          iterations[j] = taken
          if worst <= settings.tolerance * scales[j] {
            statuses[j] = .converged
          } else if !worst.isFinite {
            statuses[j] = .diverged
          } else if let reason = settings.halt.reason {
            statuses[j] = reason
          }
        }
        let open = statuses.map { $0 == .stepLimit ? -step : 0 }
        guard statuses.contains(.stepLimit), taken < settings.stepLimit else { break }
        for v in gradient.indices { state.stalks[v].addScaledColumns(gradient[v], by: open) }
      }
      progress?(state.batch)
      return PinnedEquilibrium(
        energy, at: state, statuses: statuses, iterations: iterations, tolerance: settings.tolerance
      )
    }
  }

  @Test func aSolver() throws {
    var g = RandomGenerator(seed: 8)
    var network = Network(inputDimension: 3)
    network.append(dense(4, 2, &g), to: network.append(dense(3, 4, &g), to: 0))
    let x = g.normalMatrix(rows: 3, columns: 5)
    let y = g.normalMatrix(rows: 2, columns: 5)
    func energy(_ x: Matrix) throws -> PinnedEnergy {
      PinnedEnergy(
        NeuralSheaf(network),
        pins: try Pins([EquilibriumLawTests.whole(2, y)], network: network, input: x),
        stiffness: Stiffness([3, 0.5], of: network))
    }
    let solver = Descent(tolerance: 1e-10, threads: 1)
    let violations = try checkSolver(solver, input: x, energy)
    #expect(violations == [])
    let (found, direct) = try (
      solver.solve(energy(x), input: x), DirectSolver().solve(energy(x), input: x)
    )
    #expect(relativeError(found.state, direct.state) < 1e-7)
  }

  // MARK: A training method

  /// Backpropagation that moves the last layer alone.
  struct LastLayer: GradientRule {
    private var whole = Backpropagation()
    func sweeps(_ network: Network) -> Int { whole.sweeps(network) }
    func energyScales(_ network: Network, at progress: Double) -> [Double] {
      whole.energyScales(network, at: progress)
    }
    mutating func visitEdges(
      _ sheaf: NeuralSheaf, _ batch: inout RuleBatch, _ body: (EdgeGradient) -> Void
    ) -> RelaxationReport {
      let last = sheaf.network.edges.count - 1
      return whole.visitEdges(sheaf, &batch) { part in
        if part.edge == last { body(part) }
      }
    }
  }

  @Test func aTrainingMethod() throws {
    var g = RandomGenerator(seed: 2)
    let network = try Network(widths: [3, 8, 2], using: &g)
    let x = g.normalMatrix(rows: 3, columns: 40)
    let data = try TrainingData(
      input: x, target: g.normalMatrix(rows: 2, columns: 40), for: network)
    var training = try GradientTraining(
      network, data: data, rule: LastLayer(), settings: .init(.gradient, rate: 0.05))
    let before = Evaluation(network, on: data).loss
    for _ in 0..<20 { _ = try training.runEpoch(0...1) }
    let after = Evaluation(training.network, on: data).loss
    #expect(after < 0.95 * before, "\(before) \(after)")
    #expect(training.network.edges[0].operation.parameters == network.edges[0].operation.parameters)
    #expect(training.network.edges[2].operation.parameters != network.edges[2].operation.parameters)
  }
}
