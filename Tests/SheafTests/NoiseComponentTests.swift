import Foundation
import LinearAlgebra
import NeuralSheaves
import SheafProbability
import Testing

/// The components of a network's noise: their covariances, and what they come to in predictions.
@Suite struct NoiseComponentTests {
  static let seeds = NeuralSheafLawTests.linearSeeds.filter { $0 % 3 == 0 }

  @Test func covariancesAreSumsOverTheirEdges() throws {
    try Tally.over(Self.seeds) { seed, tally in
      var (network, g) = try randomNetwork(seed: seed)
      guard network.freeDimension <= 200 else { return }
      let model = GaussianSheaf(network)
      let x = g.normalMatrix(rows: network.inputDimension, columns: 3)
      let state = model.sheaf.forwardPass(x)
      let parts = model.edgeCovariances(at: state)
      let n = network.outputDimension
      let components = network.kindComponents(gains: true) + network.edgeComponents(gains: true)
      let found = model.componentCovariances(of: components, at: state, threads: 2)
      for (component, matrices) in zip(components, found) where component.source != .input {
        for j in 0..<3 {
          var expected = Matrix(rows: n, columns: n)
          if component.source == .constant { expected = .identity(n) }
          for e in component.edges(of: network) {
            expected.add(component.isGain ? parts[e].gain[j] : parts[e].additive[j])
          }
          expected.add(matrices[j], scale: -1)
          tally.expect(
            expected.maximumMagnitude < 1e-11 * max(1, matrices[j].maximumMagnitude),
            "seed \(seed): \(component)")
        }
      }
      // The edges into z_{k+1} are the constant part.
      for j in 0..<3 {
        var sum = Matrix(rows: n, columns: n)
        for e in network.incoming[network.lastVertex] { sum.add(parts[e].additive[j]) }
        tally.expect(relativeError(sum, .identity(n)) < 1e-13, "seed \(seed): constant")
      }
    }.check(atLeast: 1000)
  }

  @Test func inputComponentIsThatOfTheJacobian() throws {
    try Tally.over(Self.seeds) { seed, tally in
      var (network, g) = try randomNetwork(seed: seed)
      guard network.freeDimension <= 200 else { return }
      let model = GaussianSheaf(network)
      let x = g.normalMatrix(rows: network.inputDimension, columns: 1)
      let state = model.sheaf.forwardPass(x)
      let patterns = model.sheaf.patterns(at: state)
      let n = network.outputDimension
      // The Jacobian by substitution of unit vectors.
      var jacobian = Matrix(rows: n, columns: network.inputDimension)
      for i in 0..<network.inputDimension {
        var v = model.sheaf.zeroCochain(batch: 1, input: .free)
        v[0][i, 0] = 1
        model.sheaf.substituteForward(&v, at: patterns, input: .free)
        jacobian.setColumns(from: i, to: v[network.lastVertex])
      }
      var expected = Matrix(rows: n, columns: n)
      expected.addGram(jacobian)
      let found = model.componentCovariances(of: [NoiseComponent(.input)], at: state)[0][0]
      var difference = found
      difference.add(expected, scale: -1)
      tally.expect(
        difference.maximumMagnitude < 1e-11 * max(1, expected.maximumMagnitude), "seed \(seed)")
    }.check(atLeast: 50)
  }

  @Test func predictionsAreSumsOfComponents() throws {
    try Tally.over(Self.seeds) { seed, tally in
      var (network, g) = try randomNetwork(seed: seed)
      guard network.freeDimension <= 200 else { return }
      let model = GaussianSheaf(network)
      let x = g.normalMatrix(rows: network.inputDimension, columns: 4)
      let state = model.sheaf.forwardPass(x)
      for components in [network.kindComponents(gains: true), network.edgeComponents(gains: true)] {
        let variances = components.map { _ in g.uniform() < 0.2 ? 0 : exp(g.normal()) }
        let noise = try ComponentNoise(components, variances: variances, of: network)
        let covariances = model.componentCovariances(of: components, at: state)
        let found = model.predictiveCovariance(of: noise, at: state, threads: 2)
        let diagonals = model.predictiveVariances(of: noise, at: state, threads: 1)
        for j in 0..<4 {
          var expected = Matrix(rows: network.outputDimension, columns: network.outputDimension)
          for (p, tau) in zip(covariances, variances) { expected.add(p[j], scale: tau) }
          tally.expect(relativeError(found.matrices[j], expected) < 1e-12, "seed \(seed)")
        }
        tally.expect(relativeError(diagonals, found.variances) < 1e-12, "seed \(seed)")
      }
      let unit = model.predictiveVariances(of: ComponentNoise(unitOn: network), at: state)
      tally.expect(
        relativeError(unit, model.predictiveVariances(x)) < 1e-12, "seed \(seed): unit")
    }.check(atLeast: 300)
  }

  /// The noise that was put on the edges of a linear network is found in its outputs.
  @Test func fittedVariancesAreThoseOfTheNoise() throws {
    var g = RandomGenerator(case: 9)
    var network = Network(inputDimension: 4)
    var v = 0
    for (n, m) in [(6, 4), (5, 6), (3, 5)] {
      v = network.append(
        Dense(
          weight: g.normalMatrix(rows: n, columns: m), bias: g.normals(n)),
        to: v)
    }
    let gamma = [2.0, 0.5, 0.1]
    let model = GaussianSheaf(network, noise: try EdgeNoise(gamma, of: network))
    let x = g.normalMatrix(rows: 4, columns: 1500)
    let state = model.sheaf.forwardPass(x)
    var r = model.sample(x, using: &g).stalks[network.lastVertex]
    r.add(state.stalks[network.lastVertex], scale: -1)
    let fit = try VarianceModel(
      residuals: r,
      components: model.componentCovariances(of: network.edgeComponents(), at: state)
    ).fit()
    for e in 0..<3 {
      let error = try #require(fit.standardErrors[e])
      #expect(
        abs(fit.variances[e] - 1 / gamma[e]) < 4 * error,
        "edge \(e): \(fit.variances[e]) ± \(error)")
      #expect(error < 1 / gamma[e])
    }
  }

  /// The gains of z and of the ReLU that alone reads it are one component; so are a sum, its terms and their copies.
  @Test func twinsAreFound() throws {
    var g = RandomGenerator(case: 12)
    var network = Network(inputDimension: 5)
    var last = network.append(dense(5, 9, &g), to: 0)
    last = network.append(Elementwise.rectifier(dimension: 9), to: last)
    let side = network.append(dense(9, 9, &g), to: last)
    let junction = network.appendJunction(of: [last, side])
    last = network.append(Sum(terms: 2, dimension: 9), to: junction)
    network.append(dense(9, 3, &g), to: last)
    let model = GaussianSheaf(network)
    let state = model.sheaf.forwardPass(g.normalMatrix(rows: 5, columns: 6))
    let components = network.edgeComponents(gains: true)
    let variances = try VarianceModel(
      residuals: g.normalMatrix(rows: 3, columns: 6),
      components: model.componentCovariances(of: components, at: state))
    // Edges: z, ReLU, z', two copies, the sum, the last; their gains after them.
    #expect(
      variances.twins
        == [[0], [1], [2, 3, 4, 5], [6], [7, 8], [9, 11], [10], [12], [13]])
  }

  @Test func noiseThatDoesNotFitIsRefused() throws {
    let (network, _) = try randomNetwork(seed: 3)
    let constant = NoiseComponent(.constant)
    for (components, variances) in [
      ([constant], [-1.0]), ([constant], [.nan]), ([constant], [1, 2]),
      ([NoiseComponent(.edge(10_000))], [1]),
    ] {
      #expect(throws: VarianceError.self) {
        try ComponentNoise(components, variances: variances, of: network)
      }
    }
  }
}
