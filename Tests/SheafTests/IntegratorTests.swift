import Foundation
import LinearAlgebra
import NeuralSheaves
import Synchronization
import Testing

@testable import SheafFlows

/// Orders, stability and rates of the integrators, measured.
struct IntegratorTests {
  /// log₂ of the factor by which the error falls as the step is halved.
  func order(_ errors: [Double]) -> [Double] {
    zip(errors, errors.dropFirst()).map { log2($0 / $1) }
  }

  /// On the smooth problem of a sigmoid output, from the reference's start after its last switch, against
  /// Runge–Kutta–Chebyshev with a step 16 times smaller than the least: Euler has order 1, the other 2.
  @Test func measuredOrdersAreOneAndTwo() throws {
    let r = try Reference("b3_241_sigmoid")
    let network = try r.network(activation: .sigmoid)
    let flow = try HeatFlow(
      NeuralSheaf(network), pins: Pins(network: network, input: r["X"]),
      output: OutputEdge(activation: .sigmoid), alpha: 1.5)
    let last = r.arrays["crossings"]!.elements.last! * 0.01 + 0.5
    let start = try Euler(step: 0.001, stop: .time(last)).run(
      flow, from: r.state("init_", network, hasOutput: true)
    ).state
    let time = 0.4
    func run(_ n: Double) throws -> SheafState {
      let end = try RungeKuttaChebyshev(step: time / n, stop: .time(time)).run(flow, from: start)
      #expect(end.crossings.isEmpty && end.time == time)
      return end.state
    }
    let reference = try run(4096)
    let euler = try [32.0, 64, 128, 256].map { n in
      let end = try Euler(step: time / n, stop: .time(time)).run(flow, from: start)
      return relativeError(end.state, reference)
    }
    let chebyshev = try [32.0, 64, 128, 256].map { relativeError(try run($0), reference) }
    for p in order(euler) { #expect(abs(p - 1) < 0.1) }
    for p in order(chebyshev) { #expect(abs(p - 2) < 0.1) }
  }

  /// Many stages have order 2 as well: on a fixed pattern against the exact flow.
  @Test func manyStagesHaveOrderTwo() throws {
    let (flow, _) = try ExactFlowTests.flow("b2_26441_identity", Reference("b2_26441_identity"))
    let r = try Reference("b2_26441_identity")
    let start = try ExactFlow(stop: .time(250)).run(
      flow, from: r.state("init_", flow.sheaf.network))
    let exact = try ExactFlow(stop: .time(40)).run(flow, from: start.state)
    #expect(exact.events.isEmpty)
    let bound = flow.stableStep(at: start.state)
    let errors = try [4.0, 8, 16].map { n in
      let end = try RungeKuttaChebyshev(step: 40 / n, stop: .time(40)).run(flow, from: start.state)
      return relativeError(end.state, exact.state)
    }
    #expect(10 / bound > 20)
    for p in order(errors) { #expect(abs(p - 2) < 0.35) }
  }

  /// The stability polynomial is that of Verwer: |P| ≤ 1 on [−β, 0], and P(z) = 1 + z + z²/2 + O(z³).
  @Test(arguments: [2, 3, 5, 10, 50, 200]) func stagesAreStable(stages: Int) {
    let c = ChebyshevCoefficients(stages: stages)
    func polynomial(_ z: Double) -> Double {
      var (before, y) = (1.0, 1 + c.stages[0].muTilde * z)
      for s in c.stages.dropFirst() {
        let next = 1 - s.mu - s.nu + s.mu * y + s.nu * before + s.muTilde * z * y + s.gammaTilde * z
        (before, y) = (y, next)
      }
      return y
    }
    #expect(abs(c.bound / (0.653 * Double(stages * stages - 1)) - 1) < (stages < 5 ? 0.1 : 0.01))
    for k in 0...2000 {
      let value = polynomial(-c.bound * Double(k) / 2000)
      #expect(abs(value) <= 1 + 1e-12, "\\(stages) stages at \\(k)")
    }
    // For an even number of stages T_s = 1 at −β, and more beyond: P ≈ 1 − 2ε/3 at both ends.
    if stages % 2 == 0 { #expect(polynomial(-1.01 * c.bound) > polynomial(-c.bound)) }
    let h = 1e-3
    let rest = polynomial(h) - (1 + h + h * h / 2)
    #expect(abs(rest) < h * h * h)
  }

  /// Chosen steps end where the reference does, at about its time: they do not outgrow the slowest mode.
  @Test(arguments: HeatFlowReferenceTests.cases)
  func chosenStepsEndAtTheReference(name: String, activation: OutputActivation) throws {
    let r = try Reference(name)
    let network = try r.network(activation: activation)
    let hasOutput = activation != .identity
    let flow = try HeatFlow(
      NeuralSheaf(network),
      pins: Pins(HeatFlowReferenceTests().pins(name, network), network: network, input: r["X"]),
      output: hasOutput ? OutputEdge(activation: activation) : nil)
    let start = try r.state("init_", network, hasOutput: hasOutput)
    let end = try RungeKuttaChebyshev(stop: .residual(1e-10)).run(flow, from: start)
    #expect(end.status == .converged)
    #expect(end.time < 0.015 * r.scalar("iterations") && end.steps < 1000)
    let expected = try r.state("final_", network, hasOutput: hasOutput)
    #expect(relativeError(end.state, expected) < 1e-7)
  }

  /// Blocks and threads take the same steps.
  @Test func chebyshevStepsDoNotDependOnThreads() throws {
    let p = try ParallelStepTests()
    let sheaf = NeuralSheaf(p.network)
    let flow = try HeatFlow(sheaf, pins: Pins(network: p.network, input: p.x))
    let ends = try [1, 3].map {
      try RungeKuttaChebyshev(stop: .change(1e-300), stepLimit: 5, threads: $0).run(
        flow, from: p.start)
    }
    #expect(relativeError(ends[0].state, ends[1].state) < 1e-12)
    let time = ends[0].time
    let euler = try Euler(step: time / 200, stop: .time(time), allowsUnstable: true).run(
      flow, from: p.start)
    #expect(relativeError(ends[0].state, euler.state) < 3e-2)
  }

  /// Samples that have come to rest are told from those that have not, whatever becomes of the run.
  @Test func samplesHaveTheirOwnEnds() throws {
    var g = RandomGenerator(seed: 3)
    let network = try Network(widths: [3, 5, 2], using: &g)
    let sheaf = NeuralSheaf(network)
    let x = g.normalMatrix(rows: 3, columns: 3)
    let flow = try HeatFlow(sheaf, pins: Pins(network: network, input: x))
    var start = sheaf.forwardPass(x)
    start.stalks[1][0, 1] += 1
    start.stalks[1][0, 2] = .infinity
    let two = flow.samples([0, 1])
    let expected: [SolutionStatus] = [.converged, .stepLimit]
    let ends = try [
      Euler(stepLimit: 3).run(two, from: start.samples([0, 1])),
      RungeKuttaChebyshev(stepLimit: 1).run(two, from: start.samples([0, 1])),
    ]
    for end in ends {
      #expect(end.status == .stepLimit && end.statuses == expected)
      #expect(end.residual == end.residuals.max() && end.residuals[0] < 1e-12)
    }
    let exact = try ExactFlow().run(two, from: start.samples([0, 1]))
    #expect(exact.statuses == [.converged, .converged] && exact.status == .converged)
    let whole = try Euler(step: 0.1, stepLimit: 3, allowsUnstable: true).run(flow, from: start)
    #expect(whole.status == .diverged)
    #expect(whole.statuses[0] == .converged && whole.statuses[2] == .diverged)
  }

  /// The rate α λ_min of the last pattern is the one at which the force dies out.
  @Test(arguments: ["b1_241_identity", "b2_26441_identity"])
  func measuredRatesAreThePredicted(name: String) throws {
    let (flow, start) = try ExactFlowTests.flow(name, Reference(name))
    let exact = try ExactFlow(stop: .residual(1e-10)).run(flow, from: start)
    let predicted = try flow.predictedRate(of: exact)!
    #expect(abs(exact.measuredRate! / predicted - 1) < 0.01)
    let euler = try Euler(step: 0.02, stop: .residual(1e-10)).run(flow, from: start)
    #expect(abs(try flow.predictedRate(of: euler)! / predicted - 1) < 1e-6)
    #expect(abs(euler.measuredRate! / predicted - 1) < 0.01)
    let chebyshev = try RungeKuttaChebyshev(stop: .residual(1e-10)).run(flow, from: start)
    #expect(abs((chebyshev.measuredRate ?? 0) / predicted - 1) < 0.02)
  }

  /// On random networks with pins as well, with what slides at rest. No force dies out more slowly than its
  /// slowest mode; where the next ones are near it is a little faster as long as they last.
  @Test func ratesOfRandomNetworksAgree() throws {
    let ratios = Mutex([Double]())
    try Tally.over(Array(0..<84)) { seed, tally in
      try Self.compareRates(seed: seed, &tally) { ratio in ratios.withLock { $0.append(ratio) } }
    }.check(atLeast: 20)
    let sorted = ratios.withLock { $0.sorted() }
    #expect(sorted[sorted.count / 2] < 1.01, "SHEAF_SEED=\(Seeds.shift): \(sorted)")
    #expect(sorted[sorted.count * 9 / 10] < 1.1, "SHEAF_SEED=\(Seeds.shift): \(sorted)")
  }

  private static func compareRates(
    seed: UInt64, _ tally: inout Tally, _ note: (Double) -> Void
  ) throws {
    let (flow, start) = try ExactFlowTests.randomFlow(seed: seed, batch: 1)
    guard let end = try? ExactFlow(stop: .residual(1e-11)).run(flow, from: start),
      let measured = end.measuredRate, let predicted = try flow.predictedRate(of: end)
    else { return }
    note(measured / predicted)
    tally.expect(measured > 0.999 * predicted, "seed \(seed): \(measured) \(predicted)")
    if end.events.count(where: { $0.kind == .sliding }) == 0 {
      let dense = FlowSolution(end, faceRate: nil)
      let found = try flow.predictedRate(of: dense)!
      // As exactly as the eigenvalue's own residual.
      tally.expect(abs(found / predicted - 1) < 1e-4, "seed \(seed): \(found) \(predicted)")
    }
  }
}

extension FlowSolution {
  /// The same end without what only the exact flow knows.
  fileprivate init(_ s: FlowSolution, faceRate: Double?) {
    self.init(
      status: s.status, stop: .residual(1e-11), state: s.state, steps: s.steps,
      stepSize: s.stepSize, time: s.time, residuals: s.residuals, lastChange: s.lastChange,
      crossings: s.crossings, discords: s.discords,
      energy: s.energy, measuredRate: s.measuredRate, faceRate: faceRate, events: s.events)
  }
}
