import NeuralSheaves

/// A flow that cannot be run.
public enum FlowError: Error, CustomStringConvertible {
  /// A setting that must be positive and finite.
  case setting(name: String, found: Double)
  /// A step at or above the stability bound.
  case unstableStep(found: Double, bound: Double)
  /// A step of Runge–Kutta–Chebyshev that needs more than a thousand stages.
  case tooManyStages(found: Double, bound: Double)
  /// λ_max is not finite, or so large or small that no step is.
  case noStableStep
  /// The exact flow of an output edge that is not linear.
  case smoothOutput(OutputActivation)
  /// The exact flow of more free coordinates than the limit.
  case tooLarge(freeDimension: Int, limit: Int)
  /// The exact flow with the stopping rule that looks at a step's change.
  case exactHasNoSteps
  /// Maxima of overlapping windows slide along one tie: the exact flow cannot tell how they share it.
  case overlappingTies(vertex: String, coordinate: Int, time: Double)
  /// An eigen-decomposition failed: the weights or the state are not finite, or out of all proportion.
  case noDecomposition

  /// What was found and what was expected, in a sentence.
  public var description: String {
    switch self {
    case .setting(let name, let found): "\(name) is \(found), expected a positive finite number"
    case .tooManyStages(let found, let bound):
      "step \(found) needs more than 1000 stages, whose rounding it would drown in: expected a step below "
        + "\(bound)"
    case .noStableStep:
      "there is no stable step: 2/(α λ_max) is zero or not finite; the weights, a stiffness γ or α are "
        + "too large or too small"
    case .unstableStep(let found, let bound):
      "step \(found) is unstable: forward Euler needs a step below 2/(α λ_max) = \(bound)"
    case .smoothOutput(let activation):
      "the exact flow is for piecewise linear networks, found the output activation \(activation); "
        + "use Euler or Runge–Kutta–Chebyshev"
    case .tooLarge(let n, let limit):
      "the exact flow decomposes matrices: found \(n) free coordinates, expected at most \(limit); use "
        + "Euler or Runge–Kutta–Chebyshev"
    case .exactHasNoSteps:
      "the exact flow has no steps whose change could be small; stop it by the residual or at a time"
    case .overlappingTies(let vertex, let coordinate, let time):
      "at time \(time) \(vertex)[\(coordinate)] is tied in several maxima that overlap: the exact flow "
        + "slides along ties of one window at a time; use Euler or Runge–Kutta–Chebyshev"
    case .noDecomposition:
      "an eigen-decomposition failed: weights, stiffnesses and state must be finite and in proportion"
    }
  }
}
