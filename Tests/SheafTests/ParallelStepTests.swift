import LinearAlgebra
import NeuralSheaves
import SheafFlows
import SheafTraining
import Testing

/// Networks large enough for several blocks and threads take the same steps as the definitions.
struct ParallelStepTests {
  let network: Network
  let x, y: Matrix
  let start: SheafState

  init() throws {
    var g = RandomGenerator(seed: 3)
    network = try Network(widths: [40, 120, 150, 7], using: &g)
    x = g.normalMatrix(rows: 40, columns: 300)
    y = g.normalMatrix(rows: 7, columns: 300)
    start = NeuralSheaf(network).randomState(x, using: &g)
  }

  @Test(arguments: [1, 2, 3]) func eulerStepsAreTheDefinition(threads: Int) throws {
    let sheaf = NeuralSheaf(network)
    let pins = try Pins(network: network, input: x)
    let flow = try HeatFlow(sheaf, pins: pins)
    let end = try Euler(
      step: 0.01, stop: .change(1e-300), stepLimit: 7, allowsUnstable: true, threads: threads
    ).run(flow, from: start)
    var state = start
    for _ in 0..<7 {
      let patterns = sheaf.patterns(at: state)
      let force = sheaf.coboundaryTransposed(sheaf.discrepancy(state), at: patterns)
      for v in 1..<state.stalks.count { state.stalks[v].add(force[v], scale: -0.01) }
    }
    #expect(relativeError(end.state, state) < 1e-13)
  }

  /// Every update from the old values: Ẇ = β Σ ρ aᵀ, ḃ = β Σ ρ, with the clamp ½‖z − y‖².
  @Test(arguments: [1, 2, 3], [nil, 100]) func jointStepsAreTheDefinition(
    threads: Int, batch: Int?
  ) throws {
    let data = try TrainingData(input: x, target: y, for: network)
    let (h, beta) = (0.01, 0.002)
    let flow = try JointFlow(
      network, data: data, initial: start,
      settings: .init(
        step: h, beta: beta, batch: batch, stepsPerEpoch: 3, seed: 5, threads: threads))
    #expect(flow.runEpoch(0...1).ending == .completed)

    var sheaf = NeuralSheaf(network)
    var state = start
    var generator = RandomGenerator(seed: 5)
    var order = batch == nil ? [] : generator.permutation(300)
    for _ in 0..<3 {
      let indices = batch == nil ? Array(0..<300) : Array(order.prefix(100))
      order.removeFirst(min(100, order.count))
      var part = state.samples(indices)
      let rho = sheaf.discrepancy(part)
      var force = sheaf.coboundaryTransposed(rho, at: sheaf.patterns(at: part))
      let last = network.lastVertex
      force[last].add(part.stalks[last])
      force[last].add(y.columns(indices), scale: -1)
      let old = part
      for v in 1..<part.stalks.count { part.stalks[v].add(force[v], scale: -h) }
      for (e, edge) in network.edges.enumerated() {
        sheaf.network.updateParameters(of: e) { i, w in
          if i == 0 {
            w.addProduct(
              rho[edge.target], old.stalks[edge.source], transposing: .right, scale: h * beta)
          } else {
            w.addRowSums(of: rho[edge.target], scale: h * beta)
          }
        }
      }
      for v in state.stalks.indices {
        state.stalks[v].scatterColumns(indices, from: part.stalks[v])
      }
    }
    #expect(relativeError(SheafState(stalks: flow.state.stalks), state) < 1e-12)
    for (a, b) in zip(flow.sheaf.network.edges, sheaf.network.edges) {
      for (p, q) in zip(a.operation.parameters, b.operation.parameters) {
        #expect(relativeError(p, q) < 1e-12)
      }
    }
  }

  @Test func equilibriumGradientDoesNotDependOnThreads() throws {
    let data = try TrainingData(input: x, target: y, for: network)
    let trained = try [1, 2].map { threads in
      var settings = try GradientTraining.Settings(.gradient, rate: 0.01, batch: 64, seed: 1)
      settings.threads = threads
      var run = try GradientTraining(
        network, data: data,
        rule: EquilibriumRule(coupling: .constant(1), relaxation: .solver(.auto)),
        settings: settings)
      #expect(try run.runEpoch(0...1).ending == .completed)
      return run.network
    }
    for (a, b) in zip(trained[0].edges, trained[1].edges) {
      for (p, q) in zip(a.operation.parameters, b.operation.parameters) {
        #expect(relativeError(p, q) < 1e-10)
      }
    }
  }
}
