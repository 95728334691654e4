import Equilibria
import LinearAlgebra
import NeuralSheaves
import PiecewiseEnergies
import SheafProbability
import SheafTraining

/// The discord of samples whose outputs are clamped to their targets, at the equilibrium, beside what the network itself leads to expect.
///
/// Classifiers are clamped by cross-entropy, values by ½‖z − y‖², both with κ = 1 and unit stiffness.
///
/// *Expectation.* The mean over targets drawn from the network's own output: classes with their probabilities φ(ŷ); values with the residuals' own
/// mean square, independent of each other. On the pattern of the forward pass a target y leads to the force λ on z_{k+1} with
/// λ = y − φ(ŷ + Cλ), C the predictive covariance of unit noise, and an edge's discord is λᵀJ_eJ_eᵀλ. So a network that is right as often as it is
/// sure has ratios of about 1.
public struct ClampedDiscord: Sendable {
  /// Which samples of those asked about, ascending.
  public let samples: [Int]
  /// The discords, means over the samples.
  public let report: DiscordReport
  /// By edge, as in the report, its expectation; NaN for more than 64 outputs.
  public let expected: [Double]
  /// By edge, as in the report, the discord of each sample.
  public let bySample: [[Double]]
  /// The energy of each sample.
  public let energies: [Double]
  /// By vertex the mean square of ρ of each coordinate.
  public let byCoordinate: [[Double]]
  /// How each sample's relaxation ended.
  public let statuses: [SolutionStatus]
  /// How many samples did not come to an equilibrium.
  public var unsettled: Int { statuses.count { $0 != .converged } }
  /// m_y of each sample (`FlipEnergies`); empty where outputs are no classes.
  public let flipEnergies: [Double]

  /// Clamps samples with targets.
  ///
  /// Cost: a relaxation and n_{k+1} reverse sweeps for each sample.
  /// - Parameter places: what to call the samples; their own numbers if nil.
  /// - Throws: `PinError`, `EquilibriumError`; `Interruption` at a halt.
  public init(
    _ samples: NetworkSamples, places: [Int]? = nil, halt: Halt = .never
  ) throws {
    guard let target = samples.target else {
      preconditionFailure("samples without targets cannot be clamped")
    }
    let network = samples.network
    let energy = try EquilibriumRule.energy(
      NeuralSheaf(network), input: samples.input, target: target, coupling: 1)
    var solver = EquilibriumMethod.auto.solver()
    solver.settings.halt = halt
    let end = try solver.solve(energy, input: samples.input)
    self.samples = places ?? Array(0..<samples.count)
    report = energy.discords(at: end.state)
    (energies, statuses) = (end.energies, end.statuses)
    let rho = end.discrepancy
    let output = energy.output
    let last = network.lastVertex
    bySample =
      network.edges.map { edge in
        (0..<samples.count).map { j in
          edge.operation.targetRows.reduce(0) { sum, i in
            sum + rho[edge.target][i, j] * rho[edge.target][i, j]
          }
        }
      }
      + (output.map { o in
        [
          (0..<samples.count).map { j in
            o.discord(
              end.state.stalks[last].columns(j..<j + 1), target.columns(j..<j + 1), isClamped: true)
          }
        ]
      } ?? [])
    byCoordinate = rho.map { part in
      (0..<part.rows).map { i in
        (0..<part.columns).reduce(0) { $0 + part[i, $1] * part[i, $1] }
          / Double(max(part.columns, 1))
      }
    }
    if network.outputDimension <= ExpectedDiscord.mostOutputs {
      let expectation = try ExpectedDiscord(samples, halt: halt)
      expected = expectation.edges + (output == nil ? [] : [expectation.output])
      flipEnergies =
        samples.classes.map { FlipEnergies(samples, $0, expectation.covariances).energies } ?? []
    } else {
      expected = report.edges.map { _ in .nan }
      flipEnergies = samples.classes.map { FlipEnergies(samples, classes: $0).energies } ?? []
    }
  }

  /// The edges that carry the most of the discord of the k-th sample, without the output edge, each with its share.
  public func leadingEdges(ofSample k: Int, most: Int = 3) -> [(edge: Int, share: Double)] {
    let hidden = report.edges.indices.filter { report.edges[$0].kind != .output }
    let total = hidden.reduce(0) { $0 + bySample[$1][k] }
    guard total > 0 else { return [] }
    return hidden.map { ($0, bySample[$0][k] / total) }.sorted { $0.1 > $1.1 }.prefix(most)
      .map { (edge: $0.0, share: $0.1) }
  }
}
