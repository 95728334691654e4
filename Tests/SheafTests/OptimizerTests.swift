import Foundation
import LinearAlgebra
import NeuralSheaves
import Testing

@testable import SheafTraining

/// Optimisers against their formulas.
struct OptimizerTests {
  let network: Network
  let gradients: [ParameterGradients]

  init() throws {
    var g = RandomGenerator(seed: 11)
    network = try Network(widths: [4, 7, 3], using: &g)
    var list: [ParameterGradients] = []
    for _ in 0..<4 {
      var next = ParameterGradients(of: network)
      for e in next.edges.indices {
        for i in next.edges[e].indices {
          next.edges[e][i] = g.normalMatrix(
            rows: next.edges[e][i].rows, columns: next.edges[e][i].columns)
        }
      }
      list.append(next)
    }
    gradients = list
  }

  /// What each scalar parameter becomes by a rule that is told its gradients one by one.
  private func expected(
    _ rule: (_ w: Double, _ gradients: [Double]) -> Double
  ) -> [Matrix] {
    let all = gradients.map { Array($0.edges.joined()) }
    return parameters(network).enumerated().map { n, w in
      Matrix(
        rows: w.rows, columns: w.columns,
        columnMajor: w.elements.indices.map { k in
          rule(w.elements[k], all.map { $0[n].elements[k] })
        })
    }
  }

  private func stepped(
    _ rule: Optimizer.Rule, rates: [Double], weightDecay: Double = 0,
    coefficients: Optimizer.Coefficients = .init(), moments: [[Matrix]] = []
  ) throws -> [Matrix] {
    var (optimizer, moved) = (
      try Optimizer(
        rule, damping: 0.25, weightDecay: weightDecay, coefficients: coefficients, for: network),
      network
    )
    for (g, rate) in zip(gradients, rates) {
      optimizer.step(&moved, g, moments: moments, rate: rate)
    }
    return parameters(moved)
  }

  @Test func gradientStepsAreTheFormula() throws {
    let rates = [0.1, 0.2, 0.05]
    let found = try stepped(.gradient, rates: rates)
    let exact = expected { w, g in w - zip(rates, g).reduce(0) { $0 + $1.0 * $1.1 } }
    #expect(relativeError(found, exact) < 1e-14)
  }

  @Test(arguments: [0.9, 0.5]) func momentumStepsAreTheFormula(momentum: Double) throws {
    let rates = [0.1, 0.2, 0.05, 0.3]
    var coefficients = Optimizer.Coefficients()
    coefficients.momentum = momentum
    let found = try stepped(.momentum, rates: rates, coefficients: coefficients)
    let exact = expected { w, g in
      var (w, m) = (w, 0.0)
      for (rate, g) in zip(rates, g) {
        m = momentum * m + g
        w -= rate * m
      }
      return w
    }
    #expect(relativeError(found, exact) < 1e-14)
  }

  @Test(arguments: [(0.9, 0.999, 1e-8), (0.7, 0.9, 1e-3)])
  func adamStepsAreTheFormula(beta1: Double, beta2: Double, epsilon: Double) throws {
    let rates = [0.01, 0.02, 0.005]
    var coefficients = Optimizer.Coefficients()
    (coefficients.beta1, coefficients.beta2, coefficients.epsilon) = (beta1, beta2, epsilon)
    let found = try stepped(.adam, rates: rates, coefficients: coefficients)
    let exact = expected { w, g in
      var (w, m, v) = (w, 0.0, 0.0)
      for (t, (rate, g)) in zip(rates, g).enumerated() {
        m = beta1 * m + (1 - beta1) * g
        v = beta2 * v + (1 - beta2) * g * g
        let n = Double(t + 1)
        let (first, second) = (m / (1 - pow(beta1, n)), v / (1 - pow(beta2, n)))
        w -= rate * first / (second.squareRoot() + epsilon)
      }
      return w
    }
    #expect(relativeError(found, exact) < 1e-13)
    #expect(relativeError(found, parameters(network)) > 1e-3)
  }

  /// With M = I, `local` is momentum whose first steps are made whole; (1 + δ) is the damping.
  @Test func localWithTheIdentityMomentIsMomentum() throws {
    let identity = network.edges.map {
      $0.operation.regressorDimensions.map { Matrix.identity($0) }
    }
    let rates = [0.1, 0.2, 0.05, 0.3]
    let found = try stepped(.local, rates: rates, moments: identity)
    let same = try stepped(
      .momentum,
      rates: rates.enumerated().map { t, rate in
        rate * 0.1 / (1.25 * (1 - pow(0.9, Double(t + 1))))
      })
    #expect(relativeError(found, same) < 1e-13)
  }

  /// W ← (1 − ηλ) W, and nothing else decays.
  @Test(arguments: [Optimizer.Rule.gradient, .momentum, .adam]) func decayIsOfWeightsAlone(
    rule: Optimizer.Rule
  ) throws {
    var g = RandomGenerator(seed: 2)
    var network = Network(inputDimension: 4)
    var last = network.append(dense(4, 6, &g), to: 0)
    last = network.append(
      ChannelAffine(scale: g.normals(3), shift: g.normals(3), extent: 2, isTrained: true), to: last)
    last = network.append(ParametricRectifier(slopes: g.normals(3), extent: 2), to: last)
    network.append(dense(6, 2, &g), to: last)
    var (optimizer, moved) = (try Optimizer(rule, weightDecay: 0.5, for: network), network)
    optimizer.step(&moved, ParameterGradients(of: network), rate: 0.1)
    var names: Set<String> = []
    for (a, b) in zip(moved.edges, network.edges) {
      for (k, name) in a.operation.parameterNames.enumerated() {
        names.insert(name)
        var expected = b.operation.parameters[k]
        if name == "weight" { expected.scale(by: 0.95) }
        #expect(relativeError([a.operation.parameters[k]], [expected]) < 1e-15, "\(name)")
      }
    }
    #expect(names.count >= 4, "\(names)")
  }

  /// With η = 1 and next to no damping each affine edge's W is the least squares of its target stalk on
  /// its source, of those stalks that the step was made on; whatever γ is.
  @Test(arguments: [(0.1, 1.0), (1, 1), (1, 3)], [0, 1]) func leastSquaresAreStationary(
    edges: (coupling: Double, stiffness: Double), kind: Int
  ) throws {
    var g = RandomGenerator(seed: 5)
    let network = try Network(
      widths: [4, 7, 5, 3], outputActivation: [.identity, .softmax][kind], using: &g)
    let x = g.normalMatrix(rows: 4, columns: 80)
    let y = oneHotTargets(network, batch: 80, using: &g)
    let rule = try EquilibriumRule(
      coupling: .constant(edges.coupling),
      stiffness: EdgeStiffness(.constant(edges.stiffness)),
      relaxation: [.sweeps(directions: 2), .solver(.direct)][kind])
    var settings = try GradientTraining.Settings(.leastSquares, rate: 1)
    (settings.damping, settings.threads) = (1e-13, 1)
    var training = try GradientTraining(
      network, data: TrainingData(input: x, target: y, for: network), rule: rule,
      settings: settings)
    #expect(try training.runEpoch(0...1).steps == 1)

    var batch = RuleBatch(input: x, target: y)
    var copy = rule
    _ = try copy.visitEdges(NeuralSheaf(network), &batch) { part in
      let (e, source) = (part.edge, part.source)
      // scale · v = −c γρ/κ; the target stalk is P(source) + ρ.
      var rho = part.cotangent
      rho.scale(
        by: -part.scale * edges.coupling / (edges.stiffness * network.lossGradientScale))
      var (old, new) = (rho, rho)
      network.edges[e].operation.apply(source, into: &old)
      training.network.edges[e].operation.apply(source, into: &new)
      // Residual z − P_new(s) = ρ + P_old(s) − P_new(s).
      var residual = rho
      residual.add(old)
      residual.add(new, scale: -1)
      func normalEquations(_ r: Matrix) -> [Matrix] {
        var weight = Matrix(rows: r.rows, columns: source.rows)
        weight.addProduct(r, source, transposing: .right, scale: 1)
        var bias = Matrix(rows: r.rows, columns: 1)
        bias.addRowSums(of: r, scale: 1)
        return [weight, bias]
      }
      let (before, after) = (normalEquations(rho), normalEquations(residual))
      let scale = before.map(\.maximumMagnitude).max()!
      #expect(scale > 1e-6)
      for m in after { #expect(m.maximumMagnitude < 1e-7 * scale, "edge \(e)") }
    }
  }

  @Test func settingsOutOfRange() {
    for (damping, decay, word) in [
      (0, 0, "damping"), (-1, 0, "damping"), (.nan, 0, "damping"), (.infinity, 0, "damping"),
      (1, -1, "weight-decay"), (1, Double.nan, "weight-decay"),
    ] {
      let error = #expect(throws: TrainingError.self) {
        _ = try Optimizer(.local, damping: damping, weightDecay: decay, for: network)
      }
      #expect(error?.description.hasPrefix("\(word) is ") == true)
    }
    for momentum in [-0.1, 1, .nan] {
      var coefficients = Optimizer.Coefficients()
      coefficients.momentum = momentum
      let error = #expect(throws: TrainingError.self) {
        _ = try Optimizer(.momentum, coefficients: coefficients, for: network)
      }
      #expect(error?.description.hasPrefix("momentum is \(momentum)") == true)
    }
  }
}
