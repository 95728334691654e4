import Equilibria
import LinearAlgebra
import NeuralSheaves
import PiecewiseEnergies
import SheafProbability

/// The input that comes of freeing it, with its own value as a weak prior, and pinning the outputs: pins act backwards through the sheaf, and
/// where the prior is much weaker than the edges, nearly all of the discord is the change of the input.
///
///     minimise ½γ‖x′ − x‖² + ½Σ_e ‖ρ_e‖²   with the pinned outputs held,   γ = s tr(JJᵀ)/tr C
///
/// J = ∂z/∂x and C what unit noise on the edges does to z, so that units do not matter; s = 10⁻³. It is the least change to first order, at the end of the way
/// down from the forward pass; whether the network itself then gives what was wanted is told (`isReached`).
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
  /// The class wanted, where outputs are classes.
  public let wantedClass: Int?
  /// Whether the network puts the new input into the class wanted, or is within 1 % of the change of values that was wanted.
  public let isReached: Bool

  /// The share s of the prior.
  public static let prior = 1e-3

  /// One for each sample: values at which all of z_{k+1} is pinned, (n_{k+1}, samples).
  ///
  /// Cost: a relaxation with the input free, for each sample.
  public static func find(
    _ samples: NetworkSamples, values: Matrix, prior: Double = Self.prior, halt: Halt = .never
  ) throws -> [Counterfactual] {
    try samples.range.map { j in
      let one = samples.samples([j])
      let wanted = values.column(j)
      let end = try relax(one, Array(0..<values.rows), wanted, prior, halt)
      var (gap, left) = (0.0, 0.0)
      for i in 0..<values.rows {
        gap += (wanted[i] - one.logits[i, 0]) * (wanted[i] - one.logits[i, 0])
        left += (wanted[i] - end.output[i]) * (wanted[i] - end.output[i])
      }
      return Counterfactual(end, wanted: wanted, nil, isReached: left <= 1e-4 * gap)
    }
  }

  /// Towards another class of each sample: the logits of the class that is predicted and of the one wanted change places, by 5 % of their gap beyond, and more
  /// as long as the network does not follow.
  public static func find(
    _ samples: NetworkSamples, wanted: [Int], prior: Double = Self.prior, halt: Halt = .never
  ) throws -> [Counterfactual] {
    try samples.range.map { j in
      let one = samples.samples([j])
      let (network, z) = (one.network, one.logits)
      var last: Counterfactual?
      for overshoot in Self.overshoots(network) {
        let (coordinates, values): ([Int], [Double])
        if network.outputActivation == .sigmoid {
          (coordinates, values) = ([0], [-overshoot * z[0, 0]])
        } else {
          let top = z.largestRow(ofColumn: 0)
          let (a, b) = (z[top, 0], z[wanted[j], 0])
          let (middle, gap) = ((a + b) / 2, overshoot * (a - b) / 2)
          (coordinates, values) = ([top, wanted[j]], [middle - gap, middle + gap])
        }
        let end = try relax(one, coordinates, values, prior, halt)
        let isReached =
          network.classLogits(Matrix(column: end.output)).largestRow(ofColumn: 0) == wanted[j]
        last = Counterfactual(end, wanted: values, wanted[j], isReached: isReached)
        if isReached || halt.reason != nil { break }
      }
      return last!
    }
  }

  /// By what parts of their gap logits are pinned beyond each other, one after the other; of large networks, whose relaxations take seconds, once.
  private static func overshoots(_ network: Network) -> [Double] {
    network.freeDimension > largeDimension ? [0.05] : [0.05, 0.2, 0.5, 1, 2]
  }

  /// The free coordinates beyond which a network is large.
  static let largeDimension = 4096

  private typealias End = (
    input: [Double], distance: Double, output: [Double], status: SolutionStatus
  )

  private init(_ end: End, wanted: [Double], _ wantedClass: Int?, isReached: Bool) {
    (input, distance, output, status) = end
    (self.wanted, self.wantedClass, self.isReached) = (wanted, wantedClass, isReached)
  }

  /// The relaxation of one sample with some coordinates of z_{k+1} pinned.
  private static func relax(
    _ one: NetworkSamples, _ coordinates: [Int], _ values: [Double], _ prior: Double, _ halt: Halt
  ) throws -> End {
    let (network, x) = (one.network, one.input)
    let gains = InputJacobians.map(network, at: one.state) { _, transpose in transpose.sumOfSquares
    }
    let noise = GaussianSheaf(network).predictiveCovariance(
      at: NeuralSheaf(network).patterns(at: one.state), batch: 1
    ).variances.elements.reduce(0, +)
    let gamma = prior * max(gains[0], 1e-30) / max(noise, 1e-30)
    let pins = try Pins(
      [
        Pin(vertex: 0, coordinates: Array(0..<x.rows), values: x, strength: .soft(gamma)),
        Pin(vertex: network.lastVertex, coordinates: coordinates, values: Matrix(column: values)),
      ], network: network, input: x)
    var solver = EquilibriumMethod.auto.solver()
    solver.settings.halt = halt
    let end = try solver.solve(PinnedEnergy(NeuralSheaf(network), pins: pins), input: x)
    let moved = end.state.stalks[0]
    var change = moved
    change.add(x, scale: -1)
    return (
      moved.column(0), change.sumOfSquares.squareRoot(), network.logits(moved).column(0),
      end.statuses[0]
    )
  }
}
