import Equilibria
import LinearAlgebra
import NeuralSheaves
import PiecewiseEnergies

/// The input that comes of freeing it, with its own value as a weak prior, and pinning the outputs: pins act backwards through the sheaf, and
/// where the prior is much weaker than the edges, nearly all of the discord is the change of the input.
///
///     minimise ½γ‖x′ − x‖² + ½Σ_e ‖ρ_e‖²   with the pinned outputs held
///
/// It is the least change to first order, on the way down from the forward pass; whether the network itself then gives what was wanted is told.
public struct Counterfactual: Sendable {
  /// The input that was found.
  public let input: [Double]
  /// ‖x′ − x‖.
  public let distance: Double
  /// What the pinned outputs should be.
  public let wanted: [Double]
  /// z_{k+1} of the network on the new input.
  public let output: [Double]
  /// How the relaxation ended.
  public let status: SolutionStatus

  /// One for each sample: z_{k+1} is pinned at some coordinates.
  ///
  /// - Parameters:
  ///   - coordinates: those of z_{k+1} that are pinned, for each sample.
  ///   - values: what they are pinned at.
  ///   - prior: γ, relative to the edges' stiffness of 1.
  public static func find(
    _ samples: NetworkSamples, coordinates: [[Int]], values: [[Double]], prior: Double = 1e-4,
    halt: Halt = .never
  ) throws -> [Counterfactual] {
    let network = samples.network
    let last = network.lastVertex
    var found: [Counterfactual] = []
    for j in 0..<samples.count {
      let x = samples.input.columns(j..<j + 1)
      let pins = try Pins(
        [
          Pin(
            vertex: 0, coordinates: Array(0..<x.rows), values: x, strength: .soft(prior)),
          Pin(vertex: last, coordinates: coordinates[j], values: Matrix(column: values[j])),
        ], network: network, input: x)
      var solver = EquilibriumMethod.auto.solver()
      solver.settings.halt = halt
      let end = try solver.solve(PinnedEnergy(NeuralSheaf(network), pins: pins), input: x)
      let moved = end.state.stalks[0]
      var change = moved
      change.add(x, scale: -1)
      found.append(
        Counterfactual(
          input: moved.column(0), distance: change.sumOfSquares.squareRoot(), wanted: values[j],
          output: network.logits(moved).column(0), status: end.statuses[0]))
    }
    return found
  }

  /// Towards another class: the logits of the class that is predicted and of the one wanted change places, by `overshoot` of their gap beyond.
  public static func find(
    _ samples: NetworkSamples, wanted: [Int], overshoot: Double = 0.05, prior: Double = 1e-4,
    halt: Halt = .never
  ) throws -> [Counterfactual] {
    let (network, z) = (samples.network, samples.logits)
    if network.outputActivation == .sigmoid {
      return try find(
        samples, coordinates: wanted.map { _ in [0] },
        values: (0..<samples.count).map { [-overshoot * z[0, $0]] }, prior: prior, halt: halt)
    }
    let tops = (0..<samples.count).map { z.largestRow(ofColumn: $0) }
    let values = (0..<samples.count).map { j in
      let (a, b) = (z[tops[j], j], z[wanted[j], j])
      let (middle, gap) = ((a + b) / 2, overshoot * (a - b) / 2)
      return [middle - gap, middle + gap]
    }
    return try find(
      samples, coordinates: zip(tops, wanted).map { [$0, $1] }, values: values, prior: prior,
      halt: halt)
  }
}
