import Equilibria
import Foundation
import LinearAlgebra
import NeuralSheaves
import SheafProbability
import Testing

@testable import SheafTraining

/// The gradient of the evidence, against differences of the evidence.
struct EvidenceGradientTests {
  typealias Problem = SweepRelaxationTests.Problem

  /// Σ −log p, and whether it is a quadratic around the equilibria it was taken at.
  private struct Value {
    let value: Double
    let patterns: [ActivationPattern]
    let isSmooth: Bool

    init(_ network: Network, _ gamma: [Double], _ kappa: Double, _ p: Problem) throws {
      let model = GaussianSheaf(network, noise: try EdgeNoise(gamma, of: network))
      let posterior = try model.posterior(
        p.x, target: p.y, coupling: kappa, method: .direct, tolerance: 1e-12, threads: 1)
      value = -(try posterior.logEvidence(threads: 1).reduce(0, +))
      patterns = posterior.patterns
      isSmooth =
        posterior.kinkCoordinates.allSatisfy { $0 == 0 }
        && posterior.tiedCoordinates.allSatisfy { $0 == 0 }
        && posterior.statuses.allSatisfy { $0 == .converged }
    }
  }

  /// In κ, every γ and some of all parameters, of all operations and output activations.
  @Test func gradientIsOfTheEvidence() throws {
    let seeds = NeuralSheafLawTests.seeds.filter { $0 % 3 == 2 }
    try Tally.over(seeds, Self.compareGradients).check(atLeast: 1000)
  }

  private static func compareGradients(seed: UInt64, _ tally: inout Tally) throws {
    guard let p = try Problem(seed: seed, batch: 2).offKinks(seed: seed) else { return }
    var g = RandomGenerator(case: seed)
    let network = p.network
    let gamma = network.edges.map { _ in exp(g.uniform(0, 2)) }
    let kappa = exp(g.uniform(-1, 1))
    let middle = try Value(network, gamma, kappa, p)
    guard middle.isSmooth else { return }
    let gradient = try GaussianSheaf(network, noise: EdgeNoise(gamma, of: network)).posterior(
      p.x, target: p.y, coupling: kappa, method: .direct, tolerance: 1e-12, threads: 1
    ).evidenceGradient()
    func compare(
      _ found: Double, _ what: String, _ moved: (Double) throws -> Value
    ) throws {
      let h = 1e-4
      let sides = try [h, -h, 2 * h, -2 * h].map(moved)
      guard sides.allSatisfy({ $0.isSmooth && $0.patterns == middle.patterns }) else { return }
      // Patterns alike are no one equilibrium where windows tie.
      let bend = sides[0].value + sides[1].value - 2 * middle.value
      guard abs(bend) < 1e-5 * max(1, abs(middle.value)) else { return }
      // The error is of the fourth order.
      let slope =
        (8 * (sides[0].value - sides[1].value) - (sides[2].value - sides[3].value)) / (12 * h)
      tally.expect(
        abs(found - slope) < 1e-7 * max(1, abs(slope), abs(middle.value)),
        "seed \(seed), \(what): \(found), \(slope)")
    }
    try compare(gradient.coupling, "κ") { try Value(network, gamma, kappa + $0, p) }
    for e in network.edges.indices {
      try compare(gradient.stiffness[e], "γ of edge \(e)") { step in
        var moved = gamma
        moved[e] += step
        return try Value(network, moved, kappa, p)
      }
      for (i, parameter) in network.edges[e].operation.parameters.enumerated() {
        for k in 0..<parameter.count where g.uniform() < 3 / Double(parameter.count) {
          let (row, column) = (k % parameter.rows, k / parameter.rows)
          try compare(
            gradient.parameters[e][i][row, column],
            "edge \(e), parameter \(i)[\(row), \(column)]"
          ) { step in
            var moved = network
            moved.updateParameters(of: e) { n, w in if n == i { w[row, column] += step } }
            return try Value(moved, gamma, kappa, p)
          }
        }
      }
    }
  }

  /// Training by it goes along the gradient of the evidence over κ, in the loss's scale.
  @Test func theRuleIsTheGradientOverTheCoupling() throws {
    try Tally.over(NeuralSheafLawTests.seeds.filter { $0 % 5 == 3 }) { seed, tally in
      guard let p = try Problem(seed: seed).offKinks(seed: seed) else { return }
      let network = p.network
      let rule = try EvidenceRule(
        EquilibriumRule(
          coupling: .constant(0.6), stiffness: EdgeStiffness(.constant(2)),
          relaxation: .solver(.direct, tolerance: 1e-12)))
      let found = try rule.gradients(p.sheaf, input: p.x, target: p.y, weight: 1).edges
      let posterior = try GaussianSheaf(network, noise: EdgeNoise(2, of: network)).posterior(
        p.x, target: p.y, coupling: 0.6, method: .direct, tolerance: 1e-12, threads: 1)
      var expected = Array(try posterior.evidenceGradient().parameters.joined())
      for i in expected.indices { expected[i].scale(by: network.lossGradientScale / 0.6) }
      // The two look for equilibria in other units: where they come to rest on kinks is rounding.
      guard posterior.kinkCoordinates.allSatisfy({ $0 == 0 }),
        posterior.tiedCoordinates.allSatisfy({ $0 == 0 })
      else { return }
      let error = relativeError(Array(found.joined()), expected, floor: 1e-3)
      tally.expect(error < 1e-6, "seed \(seed): \(error)")
    }.check(atLeast: 15)
  }

  /// With many outputs: E*/κ and ½ Σ ‖J_eᵀc‖²/γ at the forward pass.
  @Test func manyOutputsAreProbed() throws {
    var g = RandomGenerator(seed: 6)
    let network = try Network(widths: [3, 5, 40], outputActivation: .softmax, using: &g)
    let x = g.normalMatrix(rows: 3, columns: 4)
    let y = oneHotTargets(network, batch: 4, using: &g)
    let signs = g.signs(rows: 40, columns: 4)
    let equilibrium = try EquilibriumRule(
      coupling: .constant(0.5), stiffness: EdgeStiffness(.constant(3)),
      relaxation: .solver(.direct, tolerance: 1e-12))
    func gradients(_ rule: any GradientRule) throws -> [[Matrix]] {
      try rule.gradients(NeuralSheaf(network), input: x, target: y, weight: 1, signs: signs).edges
    }
    let (base, all) = (
      try gradients(equilibrium), try gradients(try EvidenceRule(equilibrium))
    )
    func trace(_ network: Network) -> Double {
      let model = GaussianSheaf(network)
      let state = model.sheaf.forwardPass(x)
      let c = model.predictiveCovariance(x, threads: 1).matrices
      let p = OutputActivation.softmax(state.stalks[network.lastVertex])
      var root = signs
      OutputActivation.softmax.setCurvatureRoot(at: p, of: signs, into: &root)
      return (0..<4).reduce(0) { sum, j in
        let r = root.columns(j..<j + 1)
        return sum + dot(r, c[j] * r) / 2 / 3
      }
    }
    for (e, i, row, column) in [(0, 0, 1, 2), (0, 1, 3, 0), (2, 0, 17, 4), (2, 1, 30, 0)] {
      let h = 1e-5
      let sides = [h, -h].map { step in
        var moved = network
        moved.updateParameters(of: e) { n, w in if n == i { w[row, column] += step } }
        return trace(moved)
      }
      let slope = (sides[0] - sides[1]) / (2 * h)
      let found = all[e][i][row, column] - base[e][i][row, column]
      #expect(abs(found - slope) < 1e-7 * max(1, abs(slope)), "edge \(e): \(found), \(slope)")
    }
  }

  @Test func settingsOutOfRange() throws {
    func message(_ rule: EquilibriumRule) -> String {
      do {
        _ = try EvidenceRule(rule)
        return ""
      } catch { return error.description }
    }
    let annealed = try Schedule(.anneal, named: "coupling", from: 1)
    #expect(
      message(try EquilibriumRule(coupling: annealed))
        == "coupling is 0.0, expected a positive number throughout")
    #expect(
      message(try EquilibriumRule(discordClip: 3))
        == "discord-clip is 3.0, expected none for evidence")
  }
}
