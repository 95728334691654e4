import Foundation
import LinearAlgebra
import NetworkKernels
import NeuralSheaves
import SheafProbability
import Testing

/// Posteriors and evidence, against dense Gaussians, quadrature and Monte Carlo.
struct SheafEvidenceTests {
  /// A random linear network with dense layers, sums and means, and random stiffness.
  static func linear(
    seed: UInt64, through operation: ((Int) -> any NetworkOperation)? = nil
  ) throws -> (model: GaussianSheaf, g: RandomGenerator) {
    var g = RandomGenerator(case: seed)
    var network = Network(inputDimension: g.integer(1...4))
    var last = 0
    for _ in 0..<g.integer(1...4) {
      let n = network.vertices[last].dimension
      switch g.integer(0...2) {
      case 0:
        let other = network.append(dense(n, n, &g), to: last)
        let junction = network.appendJunction(of: [last, other])
        last = network.append(Sum(terms: 2, dimension: n), to: junction)
      case 1 where n > 1:
        let window = SlidingWindow(channels: 1, image: Extent(1, n), kernel: Extent(1, 2))
        last = network.append(AveragePooling(window), to: last)
      default: last = network.append(dense(n, g.integer(1...5), &g), to: last)
      }
      if let operation {
        last = network.append(operation(network.vertices[last].dimension), to: last)
      }
    }
    network.append(dense(network.vertices[last].dimension, g.integer(1...3), &g), to: last)
    let gamma = network.edges.map { _ in exp(g.uniform(-1.5, 1.5)) }
    return (GaussianSheaf(network, noise: try EdgeNoise(gamma, of: network)), g)
  }

  /// log N(y; mean, S).
  private static func logDensity(_ y: [Double], _ mean: [Double], _ s: Matrix) throws -> Double {
    let factor = try CholeskyFactorization(s)
    let r = Matrix(column: zip(y, mean).map { $0 - $1 })
    var solved = r
    factor.solve(&solved)
    return -(dot(r, solved) + factor.logDeterminant + Double(y.count) * log(2 * .pi)) / 2
  }

  /// Mean, covariance and evidence of linear networks: in closed form, and by the solvers where the network has
  /// activations whose branches are all the identity.
  @Test(arguments: [false, true]) func linearPosteriorIsTheDenseGaussian(isSolved: Bool) throws {
    try Tally.over(Array(0..<60)) { seed, tally in
      var (model, g) = try Self.linear(
        seed: seed,
        through: isSolved ? { Elementwise(.leakyRectifier(slope: 1), dimension: $0) } : nil)
      let network = model.network
      let (n, last) = (network.freeDimension, network.outputDimension)
      let kappa = exp(g.uniform(-1, 3))
      let x = g.normalMatrix(rows: network.inputDimension, columns: 2)
      let y = g.normalMatrix(rows: last, columns: 2)
      let posterior = try model.posterior(x, target: y, coupling: kappa)
      let evidence = try posterior.logEvidence()
      let forward = model.sheaf.forwardPass(x)
      let vertices = Array(network.vertices.indices.dropFirst())
      let covariances = posterior.covariance(of: vertices)
      for j in 0..<2 {
        let patterns = model.sheaf.patterns(at: forward).map { $0.samples([j]) }
        var precision = SheafProbabilityTests.laplacian(model, patterns)
        let prior = try precision.solve(.identity(n))
        let output = Array(n - last..<n)
        var s = prior[rows: output, columns: output]
        for i in 0..<last { s[i, i] += 1 / kappa }
        let expected = try Self.logDensity(
          y.column(j), forward.stalks[network.lastVertex].column(j), s)
        tally.expect(
          abs(evidence[j] - expected) < 1e-10 * max(1, abs(expected)),
          "seed \(seed): evidence \(evidence[j]), expected \(expected)")
        // (L + κE₀ᵀE₀)⁻¹, and with it the mean: ω_fwd + κΣE₀ᵀ(y − ŷ).
        for i in output { precision[i, i] += kappa }
        let covariance = try precision.solve(.identity(n))
        tally.expect(relativeError(covariances[j], covariance) < 1e-10, "seed \(seed): covariance")
        var mean = flat(forward.stalks, sample: j)
        var force = Matrix(rows: n, columns: 1)
        for (p, i) in output.enumerated() {
          force[i, 0] = kappa * (y[p, j] - forward.stalks[network.lastVertex][p, j])
        }
        mean.addProduct(covariance, force)
        tally.expect(
          relativeError(flat(posterior.state.stalks, sample: j), mean) < (isSolved ? 1e-8 : 1e-10),
          "seed \(seed): mean")
      }
    }.check(atLeast: 300)
  }

  /// On the pattern of the mode: Σ and the determinant against (L + E₀ᵀ∇²V E₀)⁻¹, assembled.
  @Test func posteriorOnAPatternIsAssembled() throws {
    try Tally.over(SheafProbabilityTests.seeds.filter { $0 % 3 == 0 }) { seed, tally in
      var (model, g) = try SheafProbabilityTests.model(seed: seed)
      guard model.network.freeDimension <= 120 else { return }
      var network = model.network
      network.outputActivation = [.identity, .sigmoid, .softmax][Int(seed / 3 % 3)]
      model = GaussianSheaf(network, noise: model.noise)
      let (n, last) = (network.freeDimension, network.outputDimension)
      let x = g.normalMatrix(rows: network.inputDimension, columns: 1)
      let y = network.outputActivation(g.normalMatrix(rows: last, columns: 1))
      let kappa = exp(g.uniform(-1, 1))
      let posterior = try model.posterior(x, target: y, coupling: kappa)
      let patterns = posterior.patterns
      var matrix = SheafProbabilityTests.laplacian(model, patterns)
      let phi = network.outputActivation(posterior.state.stalks[network.lastVertex]).column(0)
      for a in 0..<last {
        for b in 0..<last {
          let h =
            switch network.outputActivation {
            case .identity: a == b ? 1.0 : 0
            case .sigmoid: a == b ? phi[a] * (1 - phi[a]) : 0
            case .softmax: (a == b ? phi[a] : 0) - phi[a] * phi[b]
            }
          matrix[n - last + a, n - last + b] += kappa * h
        }
      }
      let determinant = try CholeskyFactorization(matrix).logDeterminant - model.logDeterminant
      tally.expect(
        abs(posterior.logDeterminants[0] - determinant) < 1e-8, "seed \(seed): determinant")
      let inverse = try matrix.solve(.identity(n))
      let chosen = [network.lastVertex, 1]
      var starts = [0, 0]
      for vertex in network.vertices.dropFirst() {
        starts.append(starts.last! + vertex.dimension)
      }
      let places = chosen.flatMap { v in
        Array(starts[v]..<starts[v] + network.vertices[v].dimension)
      }
      tally.expect(
        relativeError(
          posterior.covariance(of: chosen, threads: 1)[0], inverse[rows: places, columns: places])
          < 1e-9, "seed \(seed): covariance")
    }.check(atLeast: 200)
  }

  /// Draws of the posterior have its mean and its covariance.
  @Test func posteriorDrawsHaveItsMoments() throws {
    let n = 4000
    var worst = 0.0
    for seed in SheafProbabilityTests.seeds.filter({ $0 % 53 == 1 }) {
      var (model, g) = try SheafProbabilityTests.model(seed: seed)
      guard model.network.freeDimension <= 60 else { continue }
      var network = model.network
      if seed % 2 == 0 { network.outputActivation = .softmax }
      model = GaussianSheaf(network, noise: model.noise)
      let x = g.normalMatrix(rows: network.inputDimension, columns: 2)
      let y = network.outputActivation(
        g.normalMatrix(rows: network.outputDimension, columns: 2))
      let posterior = try model.posterior(x, target: y, coupling: 2)
      let vertices = Array(network.vertices.indices.dropFirst())
      let covariance = posterior.covariance(of: vertices)[1]
      let draws = posterior.sample([Int](repeating: 1, count: n), using: &g)
      var d = Matrix(stacking: Array(draws.stalks.dropFirst()), columns: n)
      let mode = flat(posterior.state.stalks, sample: 1)
      for j in 0..<n { for i in 0..<d.rows { d[i, j] -= mode[i, 0] } }
      for a in 0..<d.rows {
        let mean = (0..<n).reduce(0) { $0 + d[a, $1] } / Double(n)
        worst = max(worst, abs(mean) * (Double(n) / covariance[a, a]).squareRoot())
        for b in 0...a {
          let found = (0..<n).reduce(0) { $0 + d[a, $1] * d[b, $1] } / Double(n)
          let c = covariance[a, b]
          let error = ((covariance[a, a] * covariance[b, b] + c * c) / Double(n)).squareRoot()
          worst = max(worst, abs(found - c) / error)
        }
      }
    }
    #expect(worst > 2 && worst < 5.5, "\(worst) standard errors")
  }

  /// Where one pattern has nearly all of the mass the evidence of a ReLU network is the mean of p(y | z) over draws of
  /// the prior, which know nothing of patterns.
  @Test func evidenceIsTheMeanLikelihoodOfDraws() throws {
    var g = RandomGenerator(case: 77)
    let w = g.normalMatrix(rows: 3, columns: 2, deviation: 0.3)
    let network = try Network(
      weights: [w, g.normalMatrix(rows: 2, columns: 3)], biases: [[4, -4, 5], [0.2, -0.1]])
    let model = GaussianSheaf(network, noise: try EdgeNoise([9, 4, 6], of: network))
    let x = g.normalMatrix(rows: 2, columns: 1)
    var y = network(x)
    y[0, 0] += 0.5
    y[1, 0] -= 0.3
    let kappa = 3.0
    let found = try model.logEvidence(x, target: y, coupling: kappa)[0]
    let n = 200_000
    let z = model.sample(x.columns([Int](repeating: 0, count: n)), using: &g)
      .stalks[network.lastVertex]
    var (sum, square) = (0.0, 0.0)
    for j in 0..<n {
      let (a, b) = (z[0, j] - y[0, 0], z[1, j] - y[1, 0])
      let p = kappa / (2 * .pi) * exp(-kappa / 2 * (a * a + b * b))
      sum += p
      square += p * p
    }
    let mean = sum / Double(n)
    let error = ((square / Double(n) - mean * mean) / Double(n)).squareRoot()
    #expect(abs(exp(found) - mean) < 5 * error, "\(exp(found)), expected \(mean) ± \(error)")
    #expect(error < 0.01 * mean)
  }

  /// z = m + noise, two classes with logits (z, 0) by one more layer: p(class | x) by quadrature. Laplace's method is
  /// right to first order in the variance, so that its error falls with its square.
  @Test(arguments: [OutputActivation.softmax, .sigmoid])
  func classEvidenceIsRightToFirstOrder(activation: OutputActivation) throws {
    var network = Network(inputDimension: 1, outputActivation: activation)
    network.append(Dense(weight: Matrix([[0.7], [-0.4]]), bias: [0.3, 0.1]), to: 0)
    let (x, y) = (Matrix([[0.8]]), Matrix([[1], [0]]))
    let z = network.logits(x)
    var errors: [Double] = []
    for gamma in [10.0, 100] {
      let model = GaussianSheaf(network, noise: try EdgeNoise(gamma, of: network))
      let found = try model.logEvidence(x, target: y)[0]
      // N(z; logits, 1/γ) on a grid of ±8 deviations.
      let h = 0.05
      var total = 0.0
      for a in -160...160 {
        for b in -160...160 {
          let (s, t) = (Double(a) * h, Double(b) * h)
          let logits = Matrix(
            column: [z[0, 0] + s / gamma.squareRoot(), z[1, 0] + t / gamma.squareRoot()])
          total +=
            exp(-(s * s + t * t) / 2 - activation.crossEntropy(logits, y, sample: 0)) * h * h
            / (2 * .pi)
        }
      }
      errors.append(abs(found - log(total)))
    }
    #expect(errors[0] < 2e-3, "\(errors)")
    #expect(errors[1] < errors[0] / 50, "\(errors)")
  }

  /// x → z → a = max(0, z) with a near −2: z rests on its kink, where p(y | x) is an integral over z alone. What is left
  /// out falls with the noise.
  @Test func evidenceAtAKinkIsThatOfQuadrature() throws {
    var network = Network(inputDimension: 1)
    let z = network.append(Dense(weight: Matrix([[1]]), bias: [0]), to: 0)
    network.append(Elementwise.rectifier(dimension: 1), to: z)
    let (x, y, kappa) = (Matrix([[0.5]]), Matrix([[-2]]), 1.5)
    var (errors, smooth) = ([Double](), 0.0)
    for gamma in [1.0, 10, 100] {
      let model = GaussianSheaf(network, noise: try EdgeNoise(gamma, of: network))
      let posterior = try model.posterior(
        x, target: y, coupling: kappa * gamma)
      #expect(posterior.kinkCoordinates == [1])
      // a integrated out: N(y; max(0, z), 1/γ + 1/κγ), z = ½ + noise.
      let variance = 1 / gamma + 1 / (kappa * gamma)
      let (h, deviation) = (1e-3, gamma.squareRoot())
      var total = 0.0
      for k in -12_000...12_000 {
        let s = Double(k) * h
        let r = y[0, 0] - max(0, 0.5 + s / deviation)
        total +=
          exp(-s * s / 2 - r * r / (2 * variance)) * h / (2 * .pi * variance.squareRoot())
      }
      errors.append(abs(try posterior.logEvidence()[0] - log(total)))
      // As if there were no kink.
      let constant = log(2 * .pi / (kappa * gamma)) / 2
      smooth = abs(
        posterior.energies[0] + posterior.logDeterminants[0] / 2 + constant + log(total))
    }
    #expect(errors[0] < 0.12 && errors[1] < 0.06 && errors[2] < 0.015, "\(errors)")
    #expect(smooth > 1, "\(smooth)")
  }

  @Test func badObservationsAreRefused() throws {
    var network = try Network(weights: [Matrix([[1], [2]])], biases: [[0, 0]])
    let model = GaussianSheaf(network)
    let (x, y) = (Matrix([[1]]), Matrix([[1], [0]]))
    for kappa in [0, -1, .infinity] {
      #expect(throws: ProbabilityError.coupling(found: kappa)) {
        try model.posterior(x, target: y, coupling: kappa)
      }
    }
    #expect(
      throws: ProbabilityError.quantity(
        name: "the observed output", found: "(1, 1)", expected: "(2, 1)")
    ) { try model.posterior(x, target: Matrix([[1]])) }
    #expect(throws: ProbabilityError.notFinite(name: "the input", coordinate: 0, sample: 0)) {
      try model.posterior(Matrix([[.nan]]), target: y)
    }
    network.outputActivation = .softmax
    let classifier = GaussianSheaf(network)
    #expect(throws: ProbabilityError.self) {
      try classifier.posterior(x, target: Matrix([[0.7], [0.7]]))
    }
  }
}
