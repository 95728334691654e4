import Foundation
import LinearAlgebra
import NeuralSheaves
import SheafProbability
import Testing

@testable import SheafTraining

/// The penalty on sensitivity to noise relative to the signal, against edge covariances and differences.
struct RelativeNoiseTests {
  typealias Problem = SweepRelaxationTests.Problem

  /// (diag √φ − φ√φᵀ)ε and its like, by their definitions.
  private static func root(_ activation: OutputActivation, _ p: [Double], _ signs: [Double])
    -> [Double]
  {
    switch activation {
    case .identity: signs
    case .sigmoid: zip(p, signs).map { $1 * ($0 * (1 - $0)).squareRoot() }
    case .softmax:
      p.indices.map { i in
        p[i].squareRoot() * signs[i]
          - p[i] * p.indices.reduce(0) { $0 + p[$1].squareRoot() * signs[$1] }
      }
    }
  }

  /// ½ τ² Σ_e s_e cᵀJ_eJ_eᵀc, summed over the samples and times the loss's scale, from the edges' covariances.
  private static func penalty(
    _ network: Network, _ p: Problem, _ signs: Matrix, _ variance: Double
  ) -> (value: Double, patterns: [ActivationPattern]) {
    let model = GaussianSheaf(network)
    let state = model.sheaf.forwardPass(p.x)
    let parts = model.edgeCovariances(at: state, threads: 1)
    let output = network.outputActivation(state.stalks[network.lastVertex])
    var sum = 0.0
    for (edge, part) in zip(network.edges, parts) {
      let rows = edge.operation.targetRows
      let power =
        state.stalks[edge.target].rows(rows).sumOfSquares / Double(rows.count * state.batch)
      for j in 0..<state.batch {
        let c = Matrix(column: root(network.outputActivation, output.column(j), signs.column(j)))
        sum += variance / 2 * power * dot(c, part.additive[j] * c)
      }
    }
    return (sum * network.lossGradientScale, model.sheaf.patterns(at: state))
  }

  /// Every parameter of small edges and some of large ones, of all operations, wherever no branch changes.
  @Test func gradientIsOfThePenalty() throws {
    let seeds = NeuralSheafLawTests.seeds.filter { $0 % 5 == 1 }
    try Tally.over(seeds, Self.compareGradients).check(atLeast: 1500)
  }

  private static func compareGradients(seed: UInt64, _ tally: inout Tally) throws {
    let p = try Problem(seed: seed, batch: 3)
    let network = p.network
    var g = RandomGenerator(case: seed)
    let signs = g.signs(rows: network.outputDimension, columns: 3)
    let variance = g.uniform(0.05, 1)
    let plain = try Backpropagation().gradients(p.sheaf, input: p.x, target: p.y, weight: 1)
    let gradients = try RelativeNoise(variance).gradients(
      p.sheaf, input: p.x, target: p.y, weight: 1, signs: signs)
    let middle = penalty(network, p, signs, variance)
    for e in network.edges.indices {
      for (i, parameter) in network.edges[e].operation.parameters.enumerated() {
        for k in 0..<parameter.count where parameter.count <= 12 || g.uniform() < 0.05 {
          let (row, column) = (k % parameter.rows, k / parameter.rows)
          let h = 2e-5
          let sides = [h, -h, 2 * h, -2 * h].map { step in
            var moved = network
            moved.updateParameters(of: e) { n, w in if n == i { w[row, column] += step } }
            return penalty(moved, p, signs, variance)
          }
          guard sides.allSatisfy({ $0.patterns == middle.patterns }) else { continue }
          // The error is of the fourth order.
          let slope =
            (8 * (sides[0].value - sides[1].value) - (sides[2].value - sides[3].value)) / (12 * h)
          let found = gradients.edges[e][i][row, column] - plain.edges[e][i][row, column]
          let size = max(1, abs(slope), abs(middle.value), abs(plain.edges[e][i][row, column]))
          tally.expect(
            abs(found - slope) < 1e-7 * size,
            "seed \(seed), edge \(e), parameter \(i)[\(row), \(column)]: \(found), \(slope)")
        }
      }
    }
  }

  /// It is added to what another rule asks for.
  @Test(arguments: NeuralSheafLawTests.seeds.filter { $0 % 9 == 4 })
  func penaltiesAdd(seed: UInt64) throws {
    let p = try Problem(seed: seed)
    var g = RandomGenerator(case: seed)
    let signs = g.signs(rows: p.network.outputDimension, columns: p.x.columns)
    func gradients(_ rule: any GradientRule) throws -> [Matrix] {
      Array(
        try rule.gradients(p.sheaf, input: p.x, target: p.y, weight: 1, signs: signs).edges.joined()
      )
    }
    let equilibrium = try EquilibriumRule(coupling: .constant(0.3))
    var sums = try zip(
      gradients(equilibrium),
      zip(gradients(RelativeNoise(0.2)), gradients(Backpropagation()))
    ).map { sum, pair in
      var sum = sum
      sum.add(pair.0)
      sum.add(pair.1, scale: -1)
      return sum
    }
    let both = try gradients(RelativeNoise(0.2, on: equilibrium))
    if sums.isEmpty { sums = both }
    #expect(relativeError(both, sums, floor: 1e-3) < 1e-9, "seed \(seed)")
  }

  /// W₁, b₁ times a and W₂ divided by a change neither the function nor the penalty: along that the gradient is 0.
  @Test(arguments: [0, 1, 2]) func rescaledLayersHaveTheSamePenalty(kind: Int) throws {
    var compared = 0
    for seed in UInt64(0)..<20 {
      var g = RandomGenerator(case: seed)
      var network = try Network(
        widths: [4, 9, 7, 3], outputActivation: OutputActivation.allCases[kind], using: &g)
      let x = g.normalMatrix(rows: 4, columns: 12)
      let y = oneHotTargets(network, batch: 12, using: &g)
      let signs = g.signs(rows: 3, columns: 12)
      func gradients(_ network: Network) throws -> [[Matrix]] {
        try RelativeNoise(0.5).gradients(
          NeuralSheaf(network), input: x, target: y, weight: 1, signs: signs
        ).edges
      }
      let before = try gradients(network)
      for (first, second) in [(0, 2), (2, 4)] {
        func along(_ e: Int, _ i: Int) -> Double {
          dot(before[e][i], network.edges[e].operation.parameters[i])
        }
        let (up, down) = (along(first, 0) + along(first, 1), along(second, 0))
        compared += 1
        #expect(abs(up - down) < 1e-10 * max(1, abs(up)), "seed \(seed): \(up), \(down)")
      }
      // And the gradient of the rescaled network is the rescaled gradient.
      network.updateParameters(of: 0) { _, w in w.scale(by: 8) }
      network.updateParameters(of: 2) { i, w in if i == 0 { w.scale(by: 0.125) } }
      let after = try gradients(network)
      for e in [0, 2, 4] {
        for i in 0...1 {
          var expected = before[e][i]
          expected.scale(by: e == 0 ? 0.125 : e == 2 && i == 0 ? 8 : 1)
          #expect(relativeError([after[e][i]], [expected]) < 1e-10, "seed \(seed), edge \(e)")
        }
      }
    }
    #expect(compared == 40)
  }

  /// Over all signs the mean of ccᵀ is the curvature of the loss.
  @Test func rootsOfTheCurvature() {
    var g = RandomGenerator(seed: 4)
    for activation in OutputActivation.allCases {
      let z = g.normalMatrix(rows: 3, columns: 1)
      let p = activation(z)
      var mean = Matrix(rows: 3, columns: 3)
      for k in 0..<8 {
        let signs = Matrix(column: (0..<3).map { k >> $0 & 1 == 0 ? 1 : -1 })
        var c = signs
        activation.setCurvatureRoot(at: p, of: signs, into: &c)
        mean.addProduct(c, c, transposing: .right, scale: 0.125)
      }
      for i in 0..<3 {
        var unit = Matrix(rows: 3, columns: 1)
        unit[i, 0] = 1
        activation.applyJacobian(at: p, to: &unit)
        #expect(relativeError([mean.columns(i..<i + 1)], [unit]) < 1e-14)
      }
    }
  }

  /// However a batch is shared out, its sums are those of all of it.
  @Test func threadsMakeNoDifference() throws {
    var g = RandomGenerator(seed: 8)
    let network = try Network(
      widths: [30, 160, 160, 5], outputActivation: .softmax, using: &g)
    let x = g.normalMatrix(rows: 30, columns: 200)
    let data = try TrainingData(
      input: x, target: oneHotTargets(network, batch: 200, using: &g), for: network)
    let ends = try [1, 3].map { threads in
      var settings = try GradientTraining.Settings(.gradient, rate: 0.05, batch: 120)
      settings.threads = threads
      var training = try GradientTraining(
        network, data: data, rule: RelativeNoise(), settings: settings)
      for _ in 0..<3 { _ = try training.runEpoch(0...1) }
      return parameters(training.network)
    }
    #expect(relativeError(ends[1], ends[0]) < 1e-12)
    #expect(ends[0] != parameters(network))
  }

  /// Each step draws other signs, the same for the same seed, and a run goes on from where it was.
  @Test func runsGoOnWithTheirSigns() throws {
    var g = RandomGenerator(seed: 3)
    let network = try Network(widths: [4, 8, 3], outputActivation: .softmax, using: &g)
    let x = g.normalMatrix(rows: 4, columns: 20)
    let data = try TrainingData(
      input: x, target: oneHotTargets(network, batch: 20, using: &g), for: network)
    func training() throws -> GradientTraining {
      try GradientTraining(
        network, data: data, rule: RelativeNoise(0.5), settings: .init(.adam, batch: 8, seed: 5))
    }
    var (whole, first, second) = try (training(), training(), training())
    for _ in 0..<4 { _ = try whole.runEpoch(0...1) }
    for _ in 0..<2 { _ = try first.runEpoch(0...1) }
    var state = TrainingState()
    first.save(into: &state)
    try second.restore(from: state)
    for _ in 0..<2 { _ = try second.runEpoch(0...1) }
    #expect(parameters(whole.network) == parameters(second.network))
  }

  /// Signs are ±1, as often one as the other, and independent: over n the mean and each mean product are 0 within five deviations 1/√n.
  @Test func signsAreFairCoins() {
    var g = RandomGenerator(seed: 8)
    let n = 20_000
    let signs = g.signs(rows: 3, columns: n)
    #expect(signs.elements.allSatisfy { abs($0) == 1 })
    let bound = 5 * Double(n).squareRoot()
    for i in 0..<3 {
      #expect(abs((0..<n).reduce(0) { $0 + signs[i, $1] }) < bound)
      for k in 0..<i {
        #expect(abs((0..<n).reduce(0) { $0 + signs[i, $1] * signs[k, $1] }) < bound)
      }
    }
  }

  @Test func noiseOutOfRange() {
    for value in [0, -1, .infinity, .nan] {
      #expect(
        throws: TrainingError.setting(
          name: "relative-noise", found: "\(value)", expected: "a positive finite number")
      ) { try RelativeNoise(value) }
    }
  }
}
