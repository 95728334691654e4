import Foundation
import LinearAlgebra
import NetworkKernels
import NeuralSheaves
import SheafProbability
import Testing

/// Posteriors given pinned stalks, against dense Gaussians that are conditioned.
struct PinnedPosteriorTests {
  /// What a random part of the coordinates of the free stalks is pinned at, hard or softly.
  private struct Known {
    /// Places among all free coordinates, and the variance with which each is known; 0 for a hard pin.
    var places: [Int] = []
    var variances: [Double] = []
    var values: [[Double]] = []
    var pins: [Pin] = []

    init(_ network: Network, batch: Int, using g: inout RandomGenerator) {
      var start = 0
      for v in 1...network.lastVertex {
        let n = network.vertices[v].dimension
        for i in 0..<n where g.uniform() < 0.25 {
          let isHard = g.uniform() < 0.5
          let stiffness = exp(g.uniform(-1, 2))
          let value = g.normalMatrix(rows: 1, columns: batch)
          pins.append(
            Pin(
              vertex: v, coordinates: [i], values: value,
              strength: isHard ? .hard : .soft(stiffness)))
          places.append(start + i)
          variances.append(isHard ? 0 : 1 / stiffness)
          values.append(value.elements)
        }
        start += n
      }
    }
  }

  /// log N(r; 0, S).
  private static func logDensity(_ r: Matrix, _ s: Matrix) throws -> Double {
    let factor = try CholeskyFactorization(s)
    var solved = r
    factor.solve(&solved)
    return -(dot(r, solved) + factor.logDeterminant + Double(r.rows) * log(2 * .pi)) / 2
  }

  /// Mean, covariance, density and draws of linear networks, with and without an observed output.
  @Test(arguments: [false, true]) func linearNetworksAreConditioned(isSolved: Bool) throws {
    try Tally.over(Array(0..<60)) { seed, tally in
      var (model, g) = try SheafEvidenceTests.linear(
        seed: seed,
        through: isSolved ? { Elementwise(.leakyRectifier(slope: 1), dimension: $0) } : nil)
      let network = model.network
      let (n, last) = (network.freeDimension, network.outputDimension)
      let kappa = exp(g.uniform(-1, 2))
      let x = g.normalMatrix(rows: network.inputDimension, columns: 2)
      let known = Known(network, batch: 2, using: &g)
      let y = seed % 2 == 0 ? g.normalMatrix(rows: last, columns: 2) : nil
      guard !known.pins.isEmpty else { return }
      let posterior = try model.posterior(x, target: y, pins: known.pins, coupling: kappa)
      let evidence = try posterior.logEvidence()
      let forward = model.sheaf.forwardPass(x)
      let all = posterior.covariance(of: Array(network.vertices.indices.dropFirst()))
      for j in 0..<2 {
        let patterns = model.sheaf.patterns(at: forward).map { $0.samples([j]) }
        let prior = try SheafProbabilityTests.laplacian(model, patterns).solve(.identity(n))
        var mean = flat(forward.stalks, sample: j)
        var (places, variances) = (known.places, known.variances)
        var residual = zip(known.places, known.values).map { $1[j] - mean[$0, 0] }
        if let y {
          places += Array(n - last..<n)
          variances += [Double](repeating: 1 / kappa, count: last)
          residual += (0..<last).map { y[$0, j] - mean[n - last + $0, 0] }
        }
        var s = prior[rows: places, columns: places]
        for (i, v) in variances.enumerated() { s[i, i] += v }
        let cross = prior[rows: Array(0..<n), columns: places]
        let gain = try CholeskyFactorization(s)
        var solved = cross.transposed
        gain.solve(&solved)
        var covariance = prior
        covariance.addProduct(cross, solved, scale: -1)
        let r = Matrix(column: residual)
        var force = r
        gain.solve(&force)
        mean.addProduct(cross, force)
        let expected = try Self.logDensity(r, s)
        tally.expect(
          abs(evidence[j] - expected) < 1e-9 * max(1, abs(expected)),
          "seed \(seed): evidence \(evidence[j]), expected \(expected)")
        tally.expect(
          relativeError([all[j]], [covariance], floor: prior.maximumMagnitude) < 1e-10,
          "seed \(seed): covariance")
        tally.expect(
          relativeError(flat(posterior.state.stalks, sample: j), mean) < (isSolved ? 1e-7 : 1e-9),
          "seed \(seed): mean")
      }
      // Draws keep what is known exactly.
      let draw = posterior.sample(using: &g)
      for j in 0..<2 {
        let values = flat(draw.stalks, sample: j)
        for (k, place) in known.places.enumerated() where known.variances[k] == 0 {
          tally.expect(
            abs(values[place, 0] - known.values[k][j]) < 1e-8, "seed \(seed): a draw at a hard pin")
        }
      }
    }.check(atLeast: 250)
  }

  /// With activations, on the pattern of the mode: Σ against the assembled Hessian with soft pins in it and hard ones' rows
  /// left out.
  @Test func covarianceOnAPatternIsAssembled() throws {
    try Tally.over(SheafProbabilityTests.seeds.filter { $0 % 3 == 1 }) { seed, tally in
      var (model, g) = try SheafProbabilityTests.model(seed: seed)
      let network = model.network
      guard network.freeDimension <= 100 else { return }
      let (n, last) = (network.freeDimension, network.outputDimension)
      let x = g.normalMatrix(rows: network.inputDimension, columns: 1)
      let known = Known(network, batch: 1, using: &g)
      let y = seed % 2 == 0 ? g.normalMatrix(rows: last, columns: 1) : nil
      guard !known.pins.isEmpty else { return }
      let posterior = try model.posterior(x, target: y, pins: known.pins, coupling: 2)
      var matrix = SheafProbabilityTests.laplacian(model, posterior.patterns)
      for (place, variance) in zip(known.places, known.variances) where variance > 0 {
        matrix[place, place] += 1 / variance
      }
      if y != nil { for i in n - last..<n { matrix[i, i] += 2 } }
      let held = Set(zip(known.places, known.variances).filter { $0.1 == 0 }.map(\.0))
      let free = (0..<n).filter { !held.contains($0) }
      let inverse = try matrix[rows: free, columns: free].solve(.identity(free.count))
      var expected = Matrix(rows: n, columns: n)
      for (a, i) in free.enumerated() {
        for (b, k) in free.enumerated() { expected[i, k] = inverse[a, b] }
      }
      let found = posterior.covariance(
        of: Array(network.vertices.indices.dropFirst()), threads: 1)[0]
      tally.expect(
        relativeError([found], [expected], floor: 1) < 1e-8, "seed \(seed): covariance")
    }.check(atLeast: 60)
  }

  @Test func pinsOnTheEndsAreRefused() throws {
    var g = RandomGenerator(seed: 1)
    let network = try Network(widths: [2, 3, 1], using: &g)
    let model = GaussianSheaf(network)
    let x = Matrix(rows: 2, columns: 1)
    func pin(_ vertex: Int, _ coordinate: Int = 0) -> Pin {
      Pin(vertex: vertex, coordinates: [coordinate], values: Matrix([[1]]))
    }
    #expect(throws: ProbabilityError.pinned(stalk: "x")) {
      try model.posterior(x, pins: [pin(0)])
    }
    #expect(throws: ProbabilityError.pinned(stalk: network.outputName)) {
      try model.posterior(x, pins: [pin(network.vertices.count)])
    }
    #expect(throws: ProbabilityError.pins(.coordinate(stalk: "z1", index: 3, dimension: 3))) {
      try model.posterior(x, pins: [pin(1, 3)])
    }
    // Nothing known: the prior.
    let prior = try model.posterior(x)
    #expect(try prior.logEvidence() == [0])
    #expect(
      relativeError(prior.outputCovariance(), model.predictiveCovariance(x).matrices) < 1e-14)
  }
}
