import Foundation
import LinearAlgebra
import NetworkKernels
import NeuralSheaves
import SheafProbability
import Testing

/// The noise of the edges: densities, predictive covariances and draws, against assembled matrices.
struct SheafProbabilityTests {
  static let seeds = NeuralSheafLawTests.linearSeeds

  /// A random network with a random stiffness for each edge.
  static func model(seed: UInt64) throws -> (model: GaussianSheaf, g: RandomGenerator) {
    var (network, g) = try randomNetwork(seed: seed)
    let gamma = network.edges.map { _ in exp(g.uniform(-1.5, 1.5)) }
    return (GaussianSheaf(network, noise: try EdgeNoise(gamma, of: network)), g)
  }

  /// δ_Ω of one sample, assembled, and γ of its rows.
  static func assembled(
    _ model: GaussianSheaf, _ patterns: [ActivationPattern]
  ) -> (delta: Matrix, gamma: [Double]) {
    let delta = model.sheaf.cellularSheaf(at: patterns).coboundary(0).dense
    return (
      delta[rows: Array(0..<delta.rows), columns: model.sheaf.freeCoordinates],
      zip(model.network.edges, model.noise.stiffness).flatMap { edge, gamma in
        edge.operation.targetRows.map { _ in gamma }
      }
    )
  }

  /// L = δ_ΩᵀΓδ_Ω, assembled.
  static func laplacian(_ model: GaussianSheaf, _ patterns: [ActivationPattern]) -> Matrix {
    let (delta, gamma) = assembled(model, patterns)
    var weighted = delta
    weighted.scaleRows(by: gamma)
    return delta.transposed * weighted
  }

  /// δ_Ω⁻¹ by substitution, number by number.
  static func inverse(_ delta: Matrix) -> Matrix {
    var inverse = Matrix.identity(delta.rows)
    for i in 0..<delta.rows {
      for k in 0..<i where delta[i, k] != 0 {
        for c in 0...k { inverse[i, c] -= delta[i, k] * inverse[k, c] }
      }
    }
    return inverse
  }

  /// K D Kᵀ for some columns of K and the entries of D that belong to them.
  static func sandwich(_ k: Matrix, columns: Range<Int>, _ d: [Double]) -> Matrix {
    var result = Matrix(rows: k.rows, columns: k.rows)
    for a in 0..<k.rows {
      for b in 0..<k.rows {
        for (p, c) in columns.enumerated() { result[a, b] += k[a, c] * d[p] * k[b, c] }
      }
    }
    return result
  }

  @Test func covarianceIsThatOfTheAssembledInverse() throws {
    try Tally.over(Self.seeds) { seed, tally in
      var (model, g) = try Self.model(seed: seed)
      let network = model.network
      guard network.freeDimension <= 200 else { return }
      let x = g.normalMatrix(rows: network.inputDimension, columns: 3)
      let state = model.sheaf.randomState(x, using: &g)
      let patterns = model.sheaf.patterns(at: state)
      let found = model.predictiveCovariance(at: patterns, batch: 3, threads: 2)
      let variances = model.predictiveVariances(at: patterns, batch: 3, threads: 1)
      tally.expect(relativeError(variances, found.variances) < 1e-13, "seed \(seed): diagonal")
      let parts = model.edgeCovariances(at: state, threads: 1)
      let (n, last) = (network.freeDimension, network.outputDimension)
      for j in 0..<3 {
        let (delta, gamma) = Self.assembled(model, patterns.map { $0.samples([j]) })
        let k = Self.inverse(delta).rows(n - last..<n)
        let expected = Self.sandwich(k, columns: 0..<n, gamma.map { 1 / $0 })
        tally.expect(
          relativeError(found.matrices[j], expected) < 1e-12, "seed \(seed): covariance")
        var start = 0
        for (e, edge) in network.edges.enumerated() {
          let rows = edge.operation.targetRows
          let columns = start..<start + rows.count
          start += rows.count
          let ones = [Double](repeating: 1, count: rows.count)
          let squares = rows.map { i in
            let t = state.stalks[edge.target][i, j]
            return t * t
          }
          let scale = max(1, k.maximumMagnitude)
          for (part, d) in [(parts[e].additive[j], ones), (parts[e].gain[j], squares)] {
            var difference = part
            difference.add(Self.sandwich(k, columns: columns, d), scale: -1)
            tally.expect(
              difference.maximumMagnitude < 1e-12 * scale * scale * max(1, d.max() ?? 1),
              "seed \(seed): edge \(e)")
          }
        }
      }
    }.check(atLeast: 2000)
  }

  @Test func covarianceIsThatOfDifferenceQuotients() throws {
    try Tally.over(Self.seeds.filter { $0 % 4 == 1 }) { seed, tally in
      var (model, g) = try Self.model(seed: seed)
      let network = model.network
      guard network.freeDimension <= 120 else { return }
      let x = g.normalMatrix(rows: network.inputDimension, columns: 1)
      let patterns = model.sheaf.patterns(at: model.sheaf.forwardPass(x))
      // The forward pass with the noise ε of one coordinate.
      func pass(_ vertex: Int, _ row: Int, _ epsilon: Double) -> SheafState {
        var state = model.sheaf.zeroState(x)
        model.sheaf.runForwardPass(&state) { v, stalk in
          if v == vertex { stalk[row, 0] += epsilon }
        }
        return state
      }
      let last = network.lastVertex
      var expected = Matrix(rows: network.outputDimension, columns: network.outputDimension)
      for (edge, gamma) in zip(network.edges, model.noise.stiffness) {
        for row in edge.operation.targetRows {
          let h = 1e-6
          let (left, right) = (pass(edge.target, row, -h), pass(edge.target, row, h))
          // Not over a kink.
          guard model.sheaf.patterns(at: left) == patterns,
            model.sheaf.patterns(at: right) == patterns
          else { return }
          var slope = right.stalks[last]
          slope.add(left.stalks[last], scale: -1)
          slope.scale(by: 1 / (2 * h))
          expected.addProduct(slope, slope, transposing: .right, scale: 1 / gamma)
        }
      }
      tally.expect(
        relativeError(model.predictiveCovariance(x).matrices[0], expected) < 1e-6, "seed \(seed)")
    }.check(atLeast: 60)
  }

  @Test func stiffnessScalesTheCovariance() throws {
    for seed in Self.seeds.prefix(60) {
      var (model, g) = try Self.model(seed: seed)
      let x = g.normalMatrix(rows: model.network.inputDimension, columns: 2)
      let stiffer = GaussianSheaf(
        model.network,
        noise: try EdgeNoise(model.noise.stiffness.map { 4 * $0 }, of: model.network))
      var quarter = model.predictiveVariances(x)
      quarter.scale(by: 0.25)
      #expect(relativeError(stiffer.predictiveVariances(x), quarter) < 1e-14, "seed \(seed)")
      let unit = GaussianSheaf(model.network).predictiveCovariance(x)
      let sum = model.edgeCovariances(at: model.sheaf.forwardPass(x))
      var total = Matrix(rows: unit.matrices[0].rows, columns: unit.matrices[0].rows)
      for part in sum { total.add(part.additive[1]) }
      #expect(relativeError(total, unit.matrices[1]) < 1e-13, "seed \(seed)")
      let observed = unit.observed(coupling: 4)[1]
      #expect(abs(observed[0, 0] - unit.matrices[1][0, 0] - 0.25) < 1e-12 * observed[0, 0])
    }
  }

  @Test func laplacianHasTheDeterminantOfTheStiffness() throws {
    try Tally.over(Self.seeds) { seed, tally in
      var (model, g) = try Self.model(seed: seed)
      guard model.network.freeDimension <= 200 else { return }
      let patterns = randomPatterns(model.network, batch: 1, using: &g)
      let found = try CholeskyFactorization(Self.laplacian(model, patterns)).logDeterminant
      tally.expect(abs(found - model.logDeterminant) < 1e-8, "seed \(seed): \(found)")
    }.check(atLeast: 500)
  }

  /// x → z → a = max(0, z) → z₂ on a grid: the sum of the density over it, which the kink does not change.
  @Test func densityIntegratesToOne() throws {
    let network = try Network(
      weights: [Matrix([[1.3]]), Matrix([[-0.8]])], biases: [[0.2], [0.1]])
    let model = GaussianSheaf(network, noise: try EdgeNoise([1.5, 0.7, 2.2], of: network))
    let (count, h) = (91, 0.15)
    let grid = (0..<count).map { (Double($0) - Double(count / 2)) * h }
    var total = 0.0
    for z in grid {
      var stalks = [Matrix](
        repeating: Matrix(rows: 1, columns: count * count), count: network.vertices.count)
      for (p, a) in grid.enumerated() {
        for (q, b) in grid.enumerated() {
          let k = p * count + q
          (stalks[0][0, k], stalks[1][0, k], stalks[2][0, k], stalks[3][0, k]) = (0.1, z, a, b)
        }
      }
      for value in model.logDensities(SheafState(stalks: stalks)) { total += exp(value) }
    }
    #expect(abs(total * h * h * h - 1) < 1e-5, "\(total * h * h * h)")
  }

  /// The discrepancies of draws are independent N(0, 1/γ) on every pattern.
  @Test func drawsHaveTheNoiseOfTheirEdges() throws {
    let n = 4000
    var worst = 0.0
    for seed in Self.seeds.filter({ $0 % 29 == 3 }) {
      var (model, g) = try Self.model(seed: seed)
      let network = model.network
      let x = g.normalMatrix(rows: network.inputDimension, columns: 1)
      let state = model.sample(x.columns([Int](repeating: 0, count: n)), using: &g)
      let rho = model.sheaf.discrepancy(state)
      let s = rho[1]
      for (edge, gamma) in zip(network.edges, model.noise.stiffness) {
        let r = rho[edge.target]
        for i in edge.operation.targetRows {
          var (mean, square, product) = (0.0, 0.0, 0.0)
          for j in 0..<n {
            mean += r[i, j]
            square += gamma * r[i, j] * r[i, j]
            product += r[i, j] * s[0, j]
          }
          let size = Double(n)
          worst = max(worst, abs(mean) * (gamma / size).squareRoot())
          worst = max(worst, abs(square / size - 1) * (size / 2).squareRoot())
          guard edge.target != 1 else { continue }
          let first = model.noise.stiffness[0]
          worst = max(worst, abs(product) * (gamma * first / size).squareRoot())
        }
      }
    }
    #expect(worst < 5, "\(worst) standard errors")
  }

  @Test func sameSeedSameDraw() throws {
    var (model, g) = try Self.model(seed: 201)
    let x = g.normalMatrix(rows: model.network.inputDimension, columns: 3)
    var (a, b) = (RandomGenerator(seed: 5), RandomGenerator(seed: 5))
    #expect(model.sample(x, using: &a) == model.sample(x, using: &b))
    #expect(model.sample(x, using: &a) != model.sample(x, using: &g))
  }

  @Test func badStiffnessIsRefused() throws {
    let network = try Network(weights: [Matrix([[1]]), Matrix([[1]])], biases: [[0], [0]])
    #expect(throws: ProbabilityError.stiffnessCount(found: 2, expected: 3)) {
      try EdgeNoise([1, 1], of: network)
    }
    for gamma in [0, -1, .infinity, 1e-320] {
      #expect(throws: ProbabilityError.stiffness(edge: "a1", found: gamma)) {
        try EdgeNoise([1, gamma, 1], of: network)
      }
    }
    #expect(throws: ProbabilityError.self) { try EdgeNoise(.nan, of: network) }
    #expect(try EdgeNoise(2, of: network).stiffness == [2, 2, 2])
    #expect(try EdgeNoise(2, of: network).variance(ofEdge: 1) == 0.5)
  }
}
