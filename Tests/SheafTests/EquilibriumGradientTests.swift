import Equilibria
import LinearAlgebra
import NeuralSheaves
import PiecewiseEnergies
import Testing

@testable import SheafTraining

/// The gradient of equilibrium training is that of the relaxed energy (envelope theorem).
struct EquilibriumGradientTests {
  typealias Problem = SweepRelaxationTests.Problem

  private static func direct() -> EquilibriumRule.Relaxation { .solver(.direct, tolerance: 1e-12) }

  /// c/κ · Σ E* with E = ½ Σ γ‖ρ‖² + κ L, its patterns and whether a neuron rests on a kink.
  private func relaxedLoss(
    _ network: Network, _ p: Problem, coupling: Double, stiffness: EdgeStiffness
  ) throws -> (value: Double, patterns: [ActivationPattern], hasKinks: Bool) {
    let sheaf = NeuralSheaf(network)
    let gamma = stiffness.values(network, at: 0)
    let energy = try EquilibriumRule.energy(
      sheaf, input: p.x, target: p.y, coupling: coupling,
      stiffness: Stiffness(network.edges.map { gamma[$0.target] }, of: network))
    let end = try DirectSolver(tolerance: 1e-12, threads: 1).solve(energy, input: p.x)
    return (
      end.energies.reduce(0, +) / coupling * network.lossGradientScale,
      sheaf.patterns(at: end.state),
      end.kinkNeurons.contains { $0 > 0 } || end.statuses.contains { $0 != .converged }
    )
  }

  /// Central differences of E* in every parameter, wherever no branch changes between the two sides.
  @Test(arguments: [(0.1, 1.0, 1.0), (1, 1, 1), (0.5, 4, 1), (0.5, 1, 3), (0.2, 2, 0.3)])
  func gradientIsOfTheRelaxedEnergy(coupling: Double, common: Double, affine: Double) throws {
    var compared = 0
    let stiffness = try EdgeStiffness(.constant(common), factors: [.affine: affine])
    for seed in NeuralSheafLawTests.seeds where seed % 11 == 2 {
      let p = try Problem(seed: seed, batch: 2)
      let middle = try relaxedLoss(p.network, p, coupling: coupling, stiffness: stiffness)
      guard !middle.hasKinks else { continue }
      let gradients = try EquilibriumRule(
        coupling: .constant(coupling), stiffness: stiffness, relaxation: Self.direct()
      ).gradients(p.sheaf, input: p.x, target: p.y, weight: 1)
      var g = RandomGenerator(case: seed)
      for e in p.network.edges.indices {
        for (i, parameter) in p.network.edges[e].operation.parameters.enumerated() {
          // All of small matrices, some of large ones.
          for k in 0..<parameter.count where parameter.count <= 12 || g.uniform() < 0.1 {
            let (row, column) = (k % parameter.rows, k / parameter.rows)
            let h = 1e-5
            let sides = try [h, -h].map { step in
              var moved = p.network
              moved.updateParameters(of: e) { n, w in if n == i { w[row, column] += step } }
              return try relaxedLoss(moved, p, coupling: coupling, stiffness: stiffness)
            }
            guard sides.allSatisfy({ !$0.hasKinks && $0.patterns == middle.patterns }) else {
              continue
            }
            // Patterns alike are no one equilibrium where windows tie: then the energy jumps.
            let bend = sides[0].value + sides[1].value - 2 * middle.value
            guard abs(bend) < 1e-9 * max(1, abs(middle.value)) else { continue }
            compared += 1
            let slope = (sides[0].value - sides[1].value) / (2 * h)
            let found = gradients.edges[e][i][row, column]
            #expect(
              abs(found - slope) < 1e-6 * max(1, abs(slope)),
              "seed \(seed), edge \(e), parameter \(i)[\(row), \(column)]: \(found), \(slope)")
          }
        }
      }
    }
    #expect(compared > 1000, "\(compared) parameters")
  }

  /// Stiffness γ of all edges is a coupling κ/γ. A power of two, which rounds nothing: where two branches are
  /// as good, a rounding would choose.
  @Test func commonStiffnessDividesTheCoupling() throws {
    try Tally.over(SweepRelaxationTests.seeds.filter { $0 % 4 == 1 }, Self.compareStiffness)
      .check(atLeast: 100)
  }

  private static func compareStiffness(seed: UInt64, _ tally: inout Tally) throws {
    guard let p = try Problem(seed: seed).offKinks(seed: seed) else { return }
    for relaxation in [Self.direct(), .sweeps(directions: 1), .sweeps(directions: 3)] {
      let (stiff, soft) = try (
        EquilibriumRule(
          coupling: .constant(0.4), stiffness: EdgeStiffness(.constant(4)), relaxation: relaxation),
        EquilibriumRule(coupling: .constant(0.1), relaxation: relaxation)
      )
      let (a, b) = try (
        stiff.gradients(p.sheaf, input: p.x, target: p.y, weight: 1),
        soft.gradients(p.sheaf, input: p.x, target: p.y, weight: 1)
      )
      let error = relativeError(Array(a.edges.joined()), Array(b.edges.joined()), floor: 1e-3)
      tally.expect(error < 1e-9, "seed \(seed), \(relaxation): \(error)")
    }
  }

  /// A long clip changes nothing; a short one bounds what each sample does to each edge.
  @Test(arguments: SweepRelaxationTests.seeds.filter { $0 % 4 == 2 }) func clippedDiscordsAreShort(
    seed: UInt64
  ) throws {
    let p = try Problem(seed: seed)
    for relaxation in [Self.direct(), .sweeps(directions: 2)] {
      func rule(_ clip: Double?) throws -> EquilibriumRule {
        try EquilibriumRule(
          coupling: .constant(0.1), stiffness: EdgeStiffness(.constant(2)), relaxation: relaxation,
          discordClip: clip)
      }
      let free = try rule(nil).gradients(p.sheaf, input: p.x, target: p.y, weight: 1)
      let long = try rule(1e9).gradients(p.sheaf, input: p.x, target: p.y, weight: 1)
      #expect(Array(free.edges.joined()) == Array(long.edges.joined()), "seed \(seed)")
      let clip = 1e-3
      var batch = RuleBatch(input: p.x, target: p.y)
      var (short, whole) = (try rule(clip), try rule(nil))
      var lengths: [[Double]] = []
      func norms(_ part: EdgeGradient) -> [Double] {
        (0..<part.cotangent.columns).map {
          abs(part.scale) * part.cotangent.sumOfSquares(column: $0).squareRoot()
        }
      }
      _ = try whole.visitEdges(p.sheaf, &batch) { lengths.append(norms($0)) }
      let bound = clip * p.network.lossGradientScale
      var edge = 0
      _ = try short.visitEdges(p.sheaf, &batch) { part in
        for (j, length) in norms(part).enumerated() {
          let expected = min(lengths[edge][j], bound)
          #expect(
            abs(length - expected) <= 1e-12 * bound,
            "seed \(seed), edge \(part.edge), sample \(j)")
        }
        edge += 1
      }
    }
  }

  @Test func settingsOfTheRuleOutOfRange() {
    func message(_ body: () throws(TrainingError) -> Void) -> String {
      do {
        try body()
        return ""
      } catch { return error.description }
    }
    #expect(
      message { () throws(TrainingError) in
        _ = try EquilibriumRule(relaxation: .sweeps(directions: 0))
      } == "directions is 0, expected at least 1")
    for tolerance in [0, -1, Double.nan, .infinity] {
      #expect(
        message { () throws(TrainingError) in
          _ = try EquilibriumRule(relaxation: .solver(.auto, tolerance: tolerance))
        }.hasPrefix("tolerance is \(tolerance)"))
    }
    #expect(
      message { () throws(TrainingError) in
        _ = try EquilibriumRule(relaxation: .solver(.auto, stepLimit: 0))
      }.contains("at least 1"))
    for clip in [0, -1, Double.nan] {
      #expect(
        message { () throws(TrainingError) in _ = try EquilibriumRule(discordClip: clip) }
          .hasPrefix("discord-clip is \(clip)"))
    }
    #expect(
      message { () throws(TrainingError) in
        _ = try EquilibriumRule(
          stiffness: EdgeStiffness(.constant(1e-200), factors: [.affine: 1e-200]))
      }.contains("stiffness"))
    #expect(
      message { () throws(TrainingError) in
        _ = try EquilibriumRule(stiffness: EdgeStiffness(factors: [.affine: 1e200]))
      }.contains("ratios"))
    #expect(
      message { () throws(TrainingError) in _ = try EdgeStiffness(factors: [.affine: 0]) }
        .contains("affine"))
    #expect(
      message { () throws(TrainingError) in _ = try EdgeStiffness(factors: [.output: 2]) }
        .contains("coupling"))
  }
}
