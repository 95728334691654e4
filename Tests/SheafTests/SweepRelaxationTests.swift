import Equilibria
import LinearAlgebra
import NeuralSheaves
import PiecewiseEnergies
import Testing

@testable import SheafTraining

/// Relaxation within a budget of sweeps, on random chains and graphs.
struct SweepRelaxationTests {
  static let seeds = NeuralSheafLawTests.seeds

  /// A random network with samples and targets.
  struct Problem {
    let sheaf: NeuralSheaf
    let x, y: Matrix
    var network: Network { sheaf.network }

    init(seed: UInt64, batch: Int = 6, activation: OutputActivation? = nil) throws {
      var (network, g) = try randomNetwork(seed: seed)
      network.outputActivation = activation ?? OutputActivation.allCases[Int(seed % 3)]
      sheaf = NeuralSheaf(network)
      x = g.normalMatrix(rows: network.inputDimension, columns: batch)
      y = oneHotTargets(network, batch: batch, using: &g)
    }

    func relaxed(
      coupling: Double, stiffness: Double = 1, directions: Int
    ) -> SweepRelaxation {
      var sweep = SweepRelaxation(sheaf, batch: x.columns)
      sweep.run(
        sheaf, input: x, target: y, coupling: coupling,
        stiffness: network.vertices.map { _ in stiffness }, directions: directions)
      return sweep
    }

    func energy(coupling: Double) throws -> PinnedEnergy {
      try EquilibriumRule.energy(sheaf, input: x, target: y, coupling: coupling)
    }

    func clamped(_ state: SheafState) -> SheafState {
      var state = state
      state.output = y
      return state
    }

    /// The samples whose patterns at a state are those of the forward pass.
    func samplesOnOnePattern(_ state: SheafState) -> [Int] {
      let (a, b) = (sheaf.patterns(at: state), sheaf.patterns(at: sheaf.forwardPass(x)))
      return (0..<x.columns).filter { j in
        zip(a, b).allSatisfy { $0.dimension == 0 || $0.sample(j) == $1.sample(j) }
      }
    }
  }

  /// κ = 0: σ = δ_Ω⁻ᵀ(y − φ(ŷ)), and stalks rest at the forward pass.
  @Test(arguments: seeds) func momentaWithoutCouplingAreCotangents(seed: UInt64) throws {
    let p = try Problem(seed: seed)
    let sweep = p.relaxed(coupling: 0, directions: 1)
    let forward = p.sheaf.forwardPass(p.x)
    var u = p.sheaf.zeroCochain(batch: p.x.columns)
    u[p.network.lastVertex].set(p.y)
    u[p.network.lastVertex].add(
      p.network.outputActivation(forward.stalks[p.network.lastVertex]), scale: -1)
    let cotangents = p.sheaf.reverseSubstitution(u, at: p.sheaf.patterns(at: forward))
    #expect(
      relativeError(Array(sweep.momenta.dropFirst()), Array(cotangents.dropFirst())) < 1e-12,
      "seed \(seed)")
    #expect(relativeError(sweep.state, forward) < 1e-14, "seed \(seed)")
  }

  /// The last step of an annealed κ is backpropagation, for any number of directions.
  @Test(arguments: seeds) func annealedRuleIsBackpropagation(seed: UInt64) throws {
    let p = try Problem(seed: seed)
    let exact = try Backpropagation().gradients(p.sheaf, input: p.x, target: p.y, weight: 1)
    for (schedule, tolerance) in [
      (try Schedule(.anneal, named: "coupling", from: 1), 1e-12), (.constant(1e-8), 1e-4),
    ] {
      for directions in [1, 4] {
        let found = try EquilibriumRule(
          coupling: schedule, relaxation: .sweeps(directions: directions)
        ).gradients(p.sheaf, input: p.x, target: p.y, weight: 1, progress: 1)
        #expect(
          relativeError(
            Array(found.edges.joined()), Array(exact.edges.joined()), floor: 1e-3) < tolerance,
          "seed \(seed), \(schedule.shape), \(directions) directions")
      }
    }
  }

  /// One output: where no branch changes on the way, one direction ends at the equilibrium.
  @Test func oneDirectionIsTheEquilibriumOfOneOutput() throws {
    var compared = 0
    for seed in Self.seeds {
      let activation: OutputActivation = seed % 2 == 0 ? .identity : .sigmoid
      let p = try Problem(seed: seed, activation: activation)
      guard p.network.outputDimension == 1 else { continue }
      let (kappa, gamma) = (0.02, [1, 2.5][Int(seed % 4) / 2])
      let sweep = p.relaxed(coupling: kappa, stiffness: gamma, directions: 1)
      let end = try DirectSolver(tolerance: 1e-13, threads: 1).solve(
        p.energy(coupling: kappa / gamma), input: p.x)
      for j in p.samplesOnOnePattern(end.state) where end.kinkNeurons[j] == 0 {
        compared += 1
        for v in 1..<p.network.vertices.count {
          for i in 0..<sweep.momenta[v].rows {
            let (a, b) = (sweep.state.stalks[v][i, j], end.state.stalks[v][i, j])
            #expect(abs(a - b) < 1e-9 * max(1, abs(b)), "seed \(seed), sample \(j), vertex \(v)")
            let sigma = gamma * end.discrepancy[v][i, j] / kappa
            #expect(
              abs(sweep.momenta[v][i, j] - sigma) < 1e-9 * max(1, abs(sigma)),
              "seed \(seed), sample \(j), momentum of vertex \(v)")
          }
        }
      }
    }
    #expect(compared > 300, "\(compared) samples")
  }

  /// With many directions ∂E tends to 0, where no branch changes on the way.
  @Test(arguments: OutputActivation.allCases) func manyDirectionsAreAnEquilibrium(
    activation: OutputActivation
  ) throws {
    var (compared, settled) = (0, 0)
    for seed in Self.seeds where seed % 3 == 1 {
      let p = try Problem(seed: seed, activation: activation)
      let kappa = 0.01
      let sweep = p.relaxed(coupling: kappa, directions: 40)
      let energy = try p.energy(coupling: kappa)
      let smallest = ClarkeGradient(
        energy, FlatNetwork(p.network), p.clamped(sweep.state))
      for j in p.samplesOnOnePattern(sweep.state) {
        compared += 1
        // κ‖r‖ is the force that everything began with.
        if smallest.residuals[j] <= 1e-9 * kappa { settled += 1 }
        #expect(
          smallest.residuals[j] <= 1e-6 * kappa,
          "seed \(seed), sample \(j), \(smallest.residuals[j])")
      }
    }
    #expect(compared > 900 && settled >= compared * 99 / 100, "\(settled) of \(compared)")
  }

  /// Momenta are γρ/κ of the state on the edges with parameters.
  @Test(arguments: seeds.filter { $0 % 5 == 0 }, [1, 3]) func momentaAreTheDiscrepancies(
    seed: UInt64, directions: Int
  ) throws {
    let p = try Problem(seed: seed)
    let (kappa, gamma) = (0.1, 1.7)
    let sweep = p.relaxed(coupling: kappa, stiffness: gamma, directions: directions)
    let rho = p.sheaf.discrepancy(sweep.state)
    for edge in p.network.edges where !edge.operation.regressorDimensions.isEmpty {
      var sigma = rho[edge.target]
      sigma.scale(by: gamma / kappa)
      #expect(
        relativeError([sweep.momenta[edge.target]], [sigma], floor: 1) < 1e-11,
        "seed \(seed), \(directions) directions")
    }
  }

  /// E ends no higher than at the forward pass, but for samples that a kink throws back.
  @Test(arguments: [1, 2, 4]) func energyFalls(directions: Int) throws {
    var (count, higher) = (0, 0)
    for seed in Self.seeds {
      let p = try Problem(seed: seed)
      let energy = try p.energy(coupling: 0.1)
      let before = energy.values(at: p.clamped(p.sheaf.forwardPass(p.x)))
      let after = energy.values(
        at: p.clamped(p.relaxed(coupling: 0.1, directions: directions).state))
      for (a, b) in zip(after, before) {
        count += 1
        higher += a <= b * (1 + 1e-9) + 1e-13 ? 0 : 1
      }
    }
    #expect(higher <= count * 3 / 100, "\(higher) of \(count)")
  }
}
