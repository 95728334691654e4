import Equilibria
import Foundation
import LinearAlgebra
import NeuralSheaves
import PiecewiseEnergies

extension GaussianSheaf {
  /// The stalks given the output: V is (κ/2)‖z_{k+1} − y‖² for the identity and κ·CE(φ(z_{k+1}), y) for a sigmoid or
  /// softmax.
  ///
  /// The mode is found in closed form for networks without state-dependent operations and with identity output,
  /// by `method` otherwise. Then C takes n_{k+1} reverse sweeps.
  ///
  /// - Parameters:
  ///   - input: x, (n₀, batch).
  ///   - target: y, (n_{k+1}, batch); probabilities for a cross-entropy.
  ///   - coupling: κ, the precision of the observation.
  /// - Throws: shapes that do not fit, numbers that are not finite, a κ that is not positive, targets that are no
  ///   probabilities, and what the solver refuses. A mode that is not reached is no error: see `statuses`.
  public func posterior(
    _ input: Matrix, target: Matrix, coupling: Double = 1, method: EquilibriumMethod = .auto,
    tolerance: Double = 1e-10, threads: Int = ProcessInfo.processInfo.activeProcessorCount
  ) throws(ProbabilityError) -> SheafPosterior {
    try check(input, target, coupling)
    let isLinear =
      network.outputActivation == .identity
      && network.edges.allSatisfy { !$0.operation.isStateDependent }
    return isLinear
      ? try linearPosterior(input, target, coupling, threads: threads)
      : try laplacePosterior(
        input, target, coupling, method.solver(tolerance: tolerance, threads: threads))
  }

  /// log p(y | x) of each sample (`SheafPosterior.logEvidence(threads:)`).
  public func logEvidence(
    _ input: Matrix, target: Matrix, coupling: Double = 1, method: EquilibriumMethod = .auto,
    tolerance: Double = 1e-10, threads: Int = ProcessInfo.processInfo.activeProcessorCount
  ) throws(ProbabilityError) -> [Double] {
    try posterior(
      input, target: target, coupling: coupling, method: method, tolerance: tolerance,
      threads: threads
    ).logEvidence(threads: threads)
  }

  private func check(
    _ input: Matrix, _ target: Matrix, _ coupling: Double
  ) throws(ProbabilityError) {
    guard coupling > 0 && coupling.isFinite else { throw .coupling(found: coupling) }
    for (name, x, n) in [
      ("the input", input, network.inputDimension),
      ("the observed output", target, network.outputDimension),
    ] {
      guard x.rows == n && x.columns == input.columns && x.columns > 0 else {
        throw .quantity(
          name: name, found: x.shape, expected: "(\(n), \(max(input.columns, 1)))")
      }
      if let (i, j) = x.firstNonFinite { throw .notFinite(name: name, coordinate: i, sample: j) }
    }
    guard network.outputActivation != .identity else { return }
    do {
      try network.outputActivation.checkTarget(target, named: "the observed output")
    } catch { throw .target(error) }
  }

  /// ω* = ω_fwd + L⁻¹E₀ᵀS⁻¹r and E* = ½ rᵀS⁻¹r with r = y − ŷ.
  private func linearPosterior(
    _ input: Matrix, _ target: Matrix, _ coupling: Double, threads: Int
  ) throws(ProbabilityError) -> SheafPosterior {
    var state = sheaf.forwardPass(input)
    let patterns = sheaf.patterns(at: state)
    let predictive = predictiveCovariance(at: patterns, batch: input.columns, threads: threads)
    var forces = target
    forces.add(state.stalks[network.lastVertex], scale: -1)
    var energies: [Double] = []
    for (j, s) in predictive.observed(coupling: coupling).enumerated() {
      let r = forces.columns(j..<j + 1)
      var lambda = r
      do {
        try CholeskyFactorization(s).solve(&lambda)
      } catch { throw .indefinite(sample: j) }
      forces.setColumns(from: j, to: lambda)
      energies.append(dot(r, lambda) / 2)
    }
    let shift = response(to: forces, at: patterns)
    for v in state.stalks.indices.dropFirst() { state.stalks[v].add(shift[v]) }
    state.output = target
    let n = input.columns
    return try SheafPosterior(
      self, coupling, state, patterns, predictive, energies: energies,
      statuses: [SolutionStatus](repeating: .converged, count: n),
      ties: [Int](repeating: 0, count: n), kinks: [[RestingKink]](repeating: [], count: n))
  }

  private func laplacePosterior(
    _ input: Matrix, _ target: Matrix, _ coupling: Double, _ solver: any EquilibriumSolver
  ) throws(ProbabilityError) -> SheafPosterior {
    let activation = network.outputActivation
    let pins: Pins
    do {
      pins = try Pins([.clamp(target, of: network)], network: network, input: input)
    } catch { preconditionFailure("\(error)") }
    let energy = PinnedEnergy(
      sheaf, pins: pins,
      output: OutputEdge(
        activation: activation, energy: activation == .identity ? .squared : .crossEntropy,
        coupling: coupling),
      stiffness: stiffness)
    let end: PinnedEquilibrium
    do {
      end = try solver.solve(energy, input: input)
    } catch { throw .equilibrium(error) }
    let patterns = sheaf.patterns(at: end.state)
    return try SheafPosterior(
      self, coupling, end.state, patterns,
      predictiveCovariance(
        at: patterns, batch: input.columns, threads: solver.settings.threads),
      energies: end.energies, statuses: end.statuses,
      ties: end.tiedCoordinates, kinks: energy.restingKinks(at: end.state, patterns))
  }

  /// L⁻¹E₀ᵀf for forces f on z_{k+1}, (n_{k+1}, batch): two sweeps.
  func response(to forces: Matrix, at patterns: [ActivationPattern]) -> [Matrix] {
    var u = sheaf.zeroCochain(batch: forces.columns)
    u[network.lastVertex] = forces
    sheaf.substituteBackward(&u, at: patterns)
    stiffness.multiply(&u) { 1 / $0 }
    sheaf.substituteForward(&u, at: patterns)
    return u
  }
}

extension SheafPosterior {
  fileprivate init(
    _ model: GaussianSheaf, _ coupling: Double, _ state: SheafState,
    _ patterns: [ActivationPattern], _ predictive: PredictiveCovariance, energies: [Double],
    statuses: [SolutionStatus], ties: [Int], kinks: [[RestingKink]]
  ) throws(ProbabilityError) {
    let curvature = OutputCurvature(
      activation: model.network.outputActivation, coupling: coupling)
    let z = state.stalks[model.network.lastVertex]
    var (factors, inner) = ([Matrix](), [CholeskyFactorization]())
    for (j, p) in predictive.matrices.enumerated() {
      let f = curvature.factor(at: z, sample: j)
      var m = Matrix.identity(f.columns)
      m.addProduct(f, p * f, transposing: .left)
      factors.append(f)
      do {
        inner.append(try CholeskyFactorization(m))
      } catch { throw .indefinite(sample: j) }
    }
    self.init(
      model: model, coupling: coupling, state: state, patterns: patterns, energies: energies,
      statuses: statuses, tiedCoordinates: ties, predictive: predictive, kinks: kinks,
      factors: factors, inner: inner, logNormaliser: curvature.logNormaliser(z.rows))
  }
}
