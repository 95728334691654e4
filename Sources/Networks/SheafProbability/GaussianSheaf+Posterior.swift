import Equilibria
import Foundation
import LinearAlgebra
import NeuralSheaves
import PiecewiseEnergies

extension GaussianSheaf {
  /// The stalks given the output, pinned coordinates, or both: V is (κ/2)‖z_{k+1} − y‖² for the identity and κ·CE(φ(z_{k+1}), y) for a
  /// sigmoid or softmax.
  ///
  /// The mode is found in closed form for networks without state-dependent operations and with identity output,
  /// by `method` otherwise. The covariances take a reverse sweep for each output and each pinned coordinate.
  ///
  /// - Parameters:
  ///   - input: x, (n₀, batch).
  ///   - target: y, (n_{k+1}, batch); probabilities for a cross-entropy; nil where the output is not observed.
  ///   - pins: coordinates of free stalks that are known: a hard pin exactly, a soft one of stiffness w with the variance 1/w.
  ///   - coupling: κ, the precision of the observation of the output.
  /// - Throws: shapes that do not fit, numbers that are not finite, a κ that is not positive, targets that are no
  ///   probabilities, pins on the input or on a_{k+1}, and what the solver refuses. A mode that is not reached is no error: see `statuses`.
  public func posterior(
    _ input: Matrix, target: Matrix? = nil, pins: [Pin] = [], coupling: Double = 1,
    method: EquilibriumMethod = .auto, tolerance: Double = 1e-10,
    threads: Int = ProcessInfo.processInfo.activeProcessorCount
  ) throws(ProbabilityError) -> SheafPosterior {
    let pins = try checked(input, target, pins, coupling)
    let observations = Observations(
      pins,
      output: target.map { _ in
        OutputCurvature(activation: network.outputActivation, coupling: coupling)
      }, of: network)
    let isLinear =
      (target == nil || network.outputActivation == .identity)
      && network.edges.allSatisfy { !$0.operation.isStateDependent }
    return isLinear
      ? try linearPosterior(input, target, pins, observations, coupling, threads: threads)
      : try laplacePosterior(
        input, target, pins, observations, coupling,
        method.solver(tolerance: tolerance, threads: threads))
  }

  /// The logarithm of the density of what is known, log p(y | x) where that is the output (`SheafPosterior.logEvidence(threads:)`).
  public func logEvidence(
    _ input: Matrix, target: Matrix? = nil, pins: [Pin] = [], coupling: Double = 1,
    method: EquilibriumMethod = .auto, tolerance: Double = 1e-10,
    threads: Int = ProcessInfo.processInfo.activeProcessorCount
  ) throws(ProbabilityError) -> [Double] {
    try posterior(
      input, target: target, pins: pins, coupling: coupling, method: method, tolerance: tolerance,
      threads: threads
    ).logEvidence(threads: threads)
  }

  private func checked(
    _ input: Matrix, _ target: Matrix?, _ pins: [Pin], _ coupling: Double
  ) throws(ProbabilityError) -> Pins {
    guard coupling > 0 && coupling.isFinite else { throw .coupling(found: coupling) }
    for (name, x, n) in [
      ("the input", input as Matrix?, network.inputDimension),
      ("the observed output", target, network.outputDimension),
    ] {
      guard let x else { continue }
      guard x.rows == n && x.columns == input.columns && x.columns > 0 else {
        throw .quantity(
          name: name, found: x.shape, expected: "(\(n), \(max(input.columns, 1)))")
      }
      if let (i, j) = x.firstNonFinite { throw .notFinite(name: name, coordinate: i, sample: j) }
    }
    if let target, network.outputActivation != .identity {
      do {
        try network.outputActivation.checkTarget(target, named: "the observed output")
      } catch { throw .target(error) }
    }
    if let pin = pins.first(where: { $0.vertex == 0 || $0.vertex == network.vertices.count }) {
      throw .pinned(
        stalk: pin.vertex == 0 ? network.vertices[0].name : network.outputName)
    }
    do {
      let clamp = target.map { [Pin.clamp($0, of: network)] } ?? []
      return try Pins(pins + clamp, network: network, input: input)
    } catch { throw .pins(error) }
  }

  /// ω* = ω_fwd + L⁻¹EᵀB(D + BᵀGB)⁻¹Bᵀr and E* = ½ (Bᵀr)ᵀ(D + BᵀGB)⁻¹Bᵀr, r what is known less its forward pass.
  private func linearPosterior(
    _ input: Matrix, _ target: Matrix?, _ pins: Pins, _ observations: Observations,
    _ coupling: Double, threads: Int
  ) throws(ProbabilityError) -> SheafPosterior {
    var state = sheaf.forwardPass(input)
    let patterns = sheaf.patterns(at: state)
    let joint = covariances(
      of: observations.coordinates, at: patterns, batch: input.columns, threads: threads)
    let residuals = residuals(state, target, pins, observations)
    var forces = residuals
    var energies: [Double] = []
    for (j, g) in joint.enumerated() {
      let b = observations.factor(at: state.stalks[network.lastVertex], sample: j)
      var r = Matrix(rows: b.columns, columns: 1)
      r.addProduct(b, residuals.columns(j..<j + 1), transposing: .left)
      var lambda = r
      try factored(g, b, observations, sample: j).solve(&lambda)
      energies.append(dot(r, lambda) / 2)
      forces.setColumns(from: j, to: b * lambda)
    }
    let shift = response(to: forces, on: observations.coordinates, at: patterns)
    for v in state.stalks.indices.dropFirst() { state.stalks[v].add(shift[v]) }
    pins.impose(on: &state)
    state.output = target
    let n = input.columns
    return try SheafPosterior(
      self, coupling, state, patterns, observations, joint, energies: energies,
      statuses: [SolutionStatus](repeating: .converged, count: n),
      ties: [Int](repeating: 0, count: n), kinks: [[RestingKink]](repeating: [], count: n))
  }

  /// What is known less what a state has of it, by coordinate of the observations; 0 for an output that is not observed.
  private func residuals(
    _ state: SheafState, _ target: Matrix?, _ pins: Pins, _ observations: Observations
  ) -> Matrix {
    var known: [[Double]] = []
    for v in 1...network.lastVertex {
      let held = pins.heldValues(v)
      for p in pins.held(v).indices { known.append((0..<state.batch).map { held[p, $0] }) }
      for pin in pins.soft(v) {
        for p in pin.rows.indices { known.append((0..<state.batch).map { pin.values[p, $0] }) }
      }
    }
    var r = Matrix(rows: observations.coordinates.count, columns: state.batch)
    for (k, c) in observations.coordinates.enumerated() {
      for j in 0..<state.batch {
        let value = state.stalks[c.vertex][c.row, j]
        r[k, j] =
          k < known.count
          ? known[k][j] - value : (target.map { $0[k - known.count, j] } ?? value) - value
      }
    }
    return r
  }

  private func laplacePosterior(
    _ input: Matrix, _ target: Matrix?, _ pins: Pins, _ observations: Observations,
    _ coupling: Double, _ solver: any EquilibriumSolver
  ) throws(ProbabilityError) -> SheafPosterior {
    let activation = network.outputActivation
    let energy = PinnedEnergy(
      sheaf, pins: pins,
      output: target.map { _ in
        OutputEdge(
          activation: activation, energy: activation == .identity ? .squared : .crossEntropy,
          coupling: coupling)
      },
      stiffness: stiffness)
    let end: PinnedEquilibrium
    do {
      end = try solver.solve(energy, input: input)
    } catch { throw .equilibrium(error) }
    let patterns = sheaf.patterns(at: end.state)
    return try SheafPosterior(
      self, coupling, end.state, patterns, observations,
      covariances(
        of: observations.coordinates, at: patterns, batch: input.columns,
        threads: solver.settings.threads),
      energies: end.energies, statuses: end.statuses,
      ties: end.tiedCoordinates, kinks: energy.restingKinks(at: end.state, patterns))
  }

  /// D + BᵀGB of a sample, factored.
  fileprivate func factored(
    _ g: Matrix, _ b: Matrix, _ observations: Observations, sample j: Int
  ) throws(ProbabilityError) -> CholeskyFactorization {
    var m = Matrix.diagonal(observations.noise)
    m.addProduct(b, g * b, transposing: .left)
    do {
      return try CholeskyFactorization(m)
    } catch { throw .indefinite(sample: j) }
  }

  /// L⁻¹Eᵀf for forces f on chosen coordinates, (coordinates, batch): two sweeps.
  func response(
    to forces: Matrix, on coordinates: [StalkCoordinate], at patterns: [ActivationPattern]
  ) -> [Matrix] {
    var u = sheaf.zeroCochain(batch: forces.columns)
    for (k, c) in coordinates.enumerated() {
      for j in 0..<forces.columns { u[c.vertex][c.row, j] += forces[k, j] }
    }
    sheaf.substituteBackward(&u, at: patterns)
    stiffness.multiply(&u) { 1 / $0 }
    sheaf.substituteForward(&u, at: patterns)
    return u
  }
}

extension SheafPosterior {
  fileprivate init(
    _ model: GaussianSheaf, _ coupling: Double, _ state: SheafState,
    _ patterns: [ActivationPattern], _ observations: Observations, _ joint: [Matrix],
    energies: [Double], statuses: [SolutionStatus], ties: [Int], kinks: [[RestingKink]]
  ) throws(ProbabilityError) {
    let z = state.stalks[model.network.lastVertex]
    var (factors, inner) = ([Matrix](), [CholeskyFactorization]())
    for (j, g) in joint.enumerated() {
      let b = observations.factor(at: z, sample: j)
      factors.append(b)
      inner.append(try model.factored(g, b, observations, sample: j))
    }
    self.init(
      model: model, coupling: coupling, state: state, patterns: patterns, energies: energies,
      statuses: statuses, tiedCoordinates: ties,
      predictive: PredictiveCovariance(matrices: joint.map(observations.outputBlock)),
      kinks: kinks, observations: observations, factors: factors, inner: inner)
  }
}
