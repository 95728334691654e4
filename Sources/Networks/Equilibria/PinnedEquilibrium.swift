import LinearAlgebra
import NeuralSheaves
import PiecewiseEnergies

/// The end of a relaxation with pins: a state at which 0 ∈ ∂E, sample by sample.
public struct PinnedEquilibrium: Sendable {
  /// How each sample ended. `converged`: the residual is within the tolerance or, where γ of a pin is so large that
  /// its force γ(c − t) is rounded by more than that, within four times this rounding, and 1e-3.
  public internal(set) var statuses: [SolutionStatus]
  /// The stalks, with `output` where the energy has an output edge.
  public internal(set) var state: SheafState
  /// ρ at the state, one matrix per vertex.
  public internal(set) var discrepancy: [Matrix] = []
  /// E of each sample, soft pins and output edge included.
  public internal(set) var energies: [Double]
  /// ‖the smallest element of ∂E‖∞ / max(1, ‖t − Eω‖∞) of each sample, t − Eω the distance of what is
  /// held from the forward pass; read off the state alone.
  public internal(set) var residuals: [Double]
  /// The steps of each sample.
  public internal(set) var iterations: [Int]
  /// How many coordinates of each sample rest on a kink.
  public internal(set) var kinkNeurons: [Int]
  /// How many coordinates of each sample are tied with the maximum of a window.
  public internal(set) var tiedCoordinates: [Int]
  /// What the pins leave undetermined of each sample's freed input; nil where nothing.
  public internal(set) var freedoms: [InputFreedom?]

  /// The worst status of the batch: `converged` if all samples are.
  public var status: SolutionStatus {
    let order: [SolutionStatus] = [
      .interrupted, .timeLimit, .diverged, .stepLimit, .stalled,
    ]
    return order.first { statuses.contains($0) } ?? .converged
  }

  /// The forces that the pins exert: ∂E/∂c at each held coordinate, and γ(t − c) at a softly held
  /// one; one matrix per vertex and one for a_{k+1} where there is one, 0 elsewhere. On a held input it
  /// is the derivative of E in the input. Cost: two sweeps.
  public func pinForces(_ energy: PinnedEnergy) -> [Matrix] {
    let gradient = energy.gradient(at: state)
    let stalks = state.stalks + (state.output.map { [$0] } ?? [])
    return stalks.indices.map { v in
      var force = Matrix(rows: stalks[v].rows, columns: state.batch)
      energy.pins.addSoftForces(vertex: v, stalk: stalks[v], into: &force)
      for i in energy.pins.held(v) {
        for j in 0..<state.batch { force[i, j] = gradient[v][i, j] }
      }
      return force
    }
  }
}

extension PinnedEquilibrium {
  /// The report on a state that a method has come to: what it says is read off the state.
  ///
  /// Kinks and ties are not counted. Cost: a few sweeps, and the smallest element of ∂E.
  /// - Parameters:
  ///   - statuses: how each sample ended by the method's own account. One that is said to have converged, and whose
  ///     residual is larger than the tolerance, has stalled; one whose energy is not finite has diverged.
  ///   - iterations: the steps of each sample.
  public init(
    _ energy: PinnedEnergy, at state: SheafState, statuses: [SolutionStatus], iterations: [Int],
    tolerance: Double
  ) {
    self.init(state)
    reserve(state.batch)
    (self.statuses, self.iterations) = (statuses, iterations)
    finish(
      energy, FlatNetwork(energy.sheaf.network), scales: energy.residualScales(state.stalks[0]),
      tolerance: tolerance)
    for j in energies.indices where !energies[j].isFinite { self.statuses[j] = .diverged }
  }

  /// An empty report on a state.
  init(_ state: SheafState) {
    self.init(
      statuses: [], state: state, energies: [], residuals: [], iterations: [], kinkNeurons: [],
      tiedCoordinates: [], freedoms: [])
  }

  /// The report on samples whose energy is not finite.
  init(diverged state: SheafState, _ energy: PinnedEnergy) {
    self.init(state)
    reserve(state.batch)
    statuses = [SolutionStatus](repeating: .diverged, count: state.batch)
    energy.setOutput(of: &self.state)
    discrepancy = energy.sheaf.discrepancy(self.state)
    energies = [Double](repeating: .infinity, count: state.batch)
    residuals = [Double](repeating: .nan, count: state.batch)
  }

  mutating func reserve(_ n: Int) {
    statuses = [SolutionStatus](repeating: .stepLimit, count: n)
    iterations = [Int](repeating: 0, count: n)
    kinkNeurons = iterations
    tiedCoordinates = iterations
    freedoms = [InputFreedom?](repeating: nil, count: n)
  }

  /// Takes down how sample j of a set ended.
  mutating func record(_ set: ActiveSet, _ j: Int, _ status: SolutionStatus) {
    let s = set.samples[j]
    statuses[s] = status
    state.setSamples(from: s, to: set.state.samples([j]))
    iterations[s] = set.progress[j].iterations
    freedoms[s] = set.progress[j].freedom
    for kink in set.progress[j].kinks {
      switch kink {
      case .value: kinkNeurons[s] += 1
      case .tie: tiedCoordinates[s] += 1
      }
    }
  }

  /// Replaces the report on sample j by that on sample q of a relaxation that went on from it.
  mutating func take(_ other: PinnedEquilibrium, sample q: Int, at j: Int) {
    statuses[j] = other.statuses[q]
    state.setSamples(from: j, to: other.state.samples(q..<q + 1))
    for v in discrepancy.indices {
      discrepancy[v].setColumns(from: j, to: other.discrepancy[v].columns(q..<q + 1))
    }
    energies[j] = other.energies[q]
    residuals[j] = other.residuals[q]
    iterations[j] = other.iterations[q]
    kinkNeurons[j] = other.kinkNeurons[q]
    tiedCoordinates[j] = other.tiedCoordinates[q]
    freedoms[j] = other.freedoms[q]
  }

  /// Works out a_{k+1}, the energies and the residuals; a sample that was thought to be at an
  /// equilibrium and is not, beyond the rounding of its stiffest pin's force, has stalled.
  ///
  /// The force γ(c − t) is known to 4 γ ε max(1, |c|), ε = 2.2e-16: with stiffnesses γ > 1e7 a sample counts as
  /// converged up to this residual, at most 1e-3.
  mutating func finish(
    _ energy: PinnedEnergy, _ flat: FlatNetwork, scales: [Double], tolerance: Double
  ) {
    energy.pins.impose(on: &state)
    energy.setOutput(of: &state)
    let rho = energy.sheaf.discrepancy(state)
    discrepancy = rho
    energies = energy.eliminatedValues(at: state, discrepancy: rho)
    residuals = zip(ClarkeGradient(energy, flat, state, discrepancy: rho).residuals, scales)
      .map { $0 / $1 }
    for j in energies.indices where !energies[j].isFinite { residuals[j] = .nan }
    // A stiff pin's force γ(c − t) is known no better than the rounding of c allows.
    let stiffest = energy.largestStiffness
    for j in statuses.indices {
      // However it ended, where it is decides.
      if [.stalled, .stepLimit].contains(statuses[j]) && residuals[j] <= tolerance {
        statuses[j] = .converged
      }
      guard statuses[j] == .converged else { continue }
      let size = state.stalks.reduce(1) { maximum($0, $1.maximumMagnitude(column: j)) }
      let rounding = 4 * stiffest * Double.ulpOfOne * size / scales[j]
      if !(residuals[j] <= max(tolerance, min(rounding, 1e-3))) { statuses[j] = .stalled }
    }
  }

  /// Appends the report on the samples from `start` on.
  mutating func append(_ other: PinnedEquilibrium, at start: Int) {
    state.setSamples(from: start, to: other.state)
    for v in discrepancy.indices where !other.discrepancy.isEmpty {
      discrepancy[v].setColumns(from: start, to: other.discrepancy[v])
    }
    statuses += other.statuses
    energies += other.energies
    residuals += other.residuals
    iterations += other.iterations
    kinkNeurons += other.kinkNeurons
    tiedCoordinates += other.tiedCoordinates
    freedoms += other.freedoms
  }
}
