/// Something about a network or its samples that somebody should know of, with its evidence.
public struct Finding: Sendable, Equatable {
  /// What is found.
  public enum Kind: String, Sendable, CaseIterable {
    /// A neuron on a flat branch, such as the inactive one of ReLU, on every sample: nothing passes it, forth or back.
    case dead
    /// A neuron on one branch that is not flat on every sample: it acts as an affine map.
    case alwaysActive
    /// A neuron at a limit that is not the lowest on every sample, such as 6 of ReLU6.
    case saturated
    /// Neurons whose values before the activation are positive multiples of each other.
    case duplicate
    /// Neurons whose values before the activation are negative multiples of each other.
    case opposite
    /// Probabilities beyond 1 − 10⁻⁶ for most samples: their gradients vanish.
    case saturatedOutput
    /// A hidden layer in whose result samples differ far less than in that of the first.
    case vanishingSignal
    /// A hidden layer in whose result samples differ far more than in that of the first.
    case explodingSignal
    /// Gradients that are far smaller at the first layer than at the last.
    case vanishingGradient
    /// Gradients that are far larger at the first layer than at the last.
    case explodingGradient
    /// A stalk of lower rank than input and output: no later layer can bring back what it lacks.
    case bottleneck
    /// Weights without full rank.
    case rankDeficient
    /// Probabilities that do not come true.
    case miscalibrated
  }

  /// What is found.
  public let kind: Kind
  /// The vertex, by its name.
  public let vertex: String
  /// Its coordinates, or of a convolution its channels, where the finding is about some of them.
  public let coordinates: [Int]
  /// Whether coordinates are channels.
  public let areChannels: Bool
  /// What was seen, in a sentence with its numbers.
  public let evidence: String
  /// The share of what there is that it concerns: of the neurons of a stalk, or of the samples.
  public let share: Double

  init(
    _ kind: Kind, _ vertex: String, coordinates: [Int] = [], areChannels: Bool = false,
    share: Double, _ evidence: String
  ) {
    (self.kind, self.vertex, self.coordinates) = (kind, vertex, coordinates)
    (self.areChannels, self.share, self.evidence) = (areChannels, share, evidence)
  }
}

/// What counts as a finding. These values were fixed before any planted fault was looked for.
public struct FindingThresholds: Sendable {
  /// The fewest samples from which something is said of neurons.
  public var samples = 20
  /// 1 − |cosine| of the values of two neurons, with and without their means, up to which they are multiples of each other.
  public var alignment = 1e-6
  /// The probability beyond which an output is saturated.
  public var saturation = 1 - 1e-6
  /// The share of samples beyond which outputs as a whole are saturated.
  public var saturatedShare = 0.5
  /// The factor between the spreads of a hidden layer and of the first, either way, at which a signal vanishes or explodes.
  public var signal = 1e3
  /// The factor between the gradients of the first and the last layer, either way, at which they vanish or explode.
  public var gradient = 1e4
  /// A singular value below this share of the largest counts as 0.
  public var rank = 1e-6
  /// The p-value of calibration up to which it is a finding.
  public var calibrationPValue = 0.01
  /// The expected calibration error from which it is a finding.
  public var calibrationError = 0.02

  /// The usual ones.
  public init() {}
}
