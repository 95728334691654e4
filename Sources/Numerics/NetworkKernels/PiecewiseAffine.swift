/// A continuous scalar piecewise affine function with at most two kinks:
/// P(z) = slope_b z + offset_b on branch b = (number of kinks ≤ z).
///
/// A kink belongs to the branch on its right, so z = 0 is active for ReLU.
public struct PiecewiseAffine: Sendable, Equatable {
  /// The kinks in ascending order, one or two.
  public let kinks: [Double]
  /// The slope on each branch, one more than kinks.
  public let slopes: [Double]
  /// The offset on each branch.
  public let offsets: [Double]

  /// A function from its kinks and branches, which must meet: see `init(checking:slopes:offsets:)`.
  public init(kinks: [Double], slopes: [Double], offsets: [Double]) {
    do {
      try self.init(checking: kinks, slopes: slopes, offsets: offsets)
    } catch {
      preconditionFailure("\(error)")
    }
  }

  /// A function from kinks and branches that somebody else has made.
  ///
  /// - Throws: what is wrong with them, a jump among it: the energies of a sheaf are continuous. Branches may
  ///   miss each other at a kink by single precision, 10⁻⁶ of the terms of their values.
  public init(checking kinks: [Double], slopes: [Double], offsets: [Double])
    throws(PiecewiseAffineError)
  {
    guard (1...2).contains(kinks.count), slopes.count == kinks.count + 1,
      offsets.count == slopes.count
    else {
      throw .counts(kinks: kinks.count, slopes: slopes.count, offsets: offsets.count)
    }
    guard (kinks + slopes + offsets).allSatisfy(\.isFinite), kinks == kinks.sorted() else {
      throw .numbers(kinks: kinks, slopes: slopes, offsets: offsets)
    }
    for (b, kink) in kinks.enumerated() {
      let (left, right) = (
        slopes[b] * kink + offsets[b], slopes[b + 1] * kink + offsets[b + 1]
      )
      let size = max(abs(slopes[b] * kink), abs(slopes[b + 1] * kink), abs(left), abs(right))
      guard abs(left - right) <= 1e-6 * size else {
        throw .jump(kink: kink, left: left, right: right)
      }
    }
    self.kinks = kinks
    self.slopes = slopes
    self.offsets = offsets
  }

  /// The rectifier max(0, z).
  public static let rectifier = PiecewiseAffine(kinks: [0], slopes: [0, 1], offsets: [0, 0])

  /// The absolute value.
  public static let absolute = PiecewiseAffine(kinks: [0], slopes: [-1, 1], offsets: [0, 0])

  /// z where z ≥ 0, slope · z elsewhere.
  public static func leakyRectifier(slope: Double) -> PiecewiseAffine {
    PiecewiseAffine(kinks: [0], slopes: [slope, 1], offsets: [0, 0])
  }

  /// min(max(z, lower), upper), lower < upper; one of them may be infinite.
  public static func clip(lower: Double, upper: Double) -> PiecewiseAffine {
    precondition(lower < upper && (lower.isFinite || upper.isFinite))
    if !upper.isFinite {
      return PiecewiseAffine(kinks: [lower], slopes: [0, 1], offsets: [lower, 0])
    }
    if !lower.isFinite {
      return PiecewiseAffine(kinks: [upper], slopes: [1, 0], offsets: [0, upper])
    }
    return PiecewiseAffine(
      kinks: [lower, upper], slopes: [0, 1, 0], offsets: [lower, 0, upper])
  }

  /// min(max(slope · z + offset, 0), 1), slope > 0: the hard sigmoid.
  public static func hardSigmoid(slope: Double, offset: Double) -> PiecewiseAffine {
    precondition(slope > 0)
    return PiecewiseAffine(
      kinks: [-offset / slope, (1 - offset) / slope], slopes: [0, slope, 0],
      offsets: [0, offset, 1])
  }

  /// The function in a few words.
  public var description: String {
    func number(_ x: Double) -> String {
      x == x.rounded() && abs(x) < 1e6 ? "\(Int(x))" : "\(x)"
    }
    switch (kinks.count, slopes, offsets) {
    case (1, [0, 1], [0, 0]): return "ReLU"
    case (1, [-1, 1], [0, 0]): return "absolute value"
    case (1, _, [0, 0]) where slopes[1] == 1 && kinks[0] == 0:
      return "leaky ReLU \(number(slopes[0]))"
    case (1, [0, 1], _) where offsets[1] == 0: return "maximum with \(number(kinks[0]))"
    case (1, [1, 0], _) where offsets[0] == 0: return "minimum with \(number(kinks[0]))"
    case (2, [0, 1, 0], _) where offsets[1] == 0:
      return "clip to [\(number(kinks[0])), \(number(kinks[1]))]"
    default: return "piecewise affine, slopes \(slopes.map(number).joined(separator: ", "))"
    }
  }
}

/// Numbers that are no continuous piecewise affine function.
public enum PiecewiseAffineError: Error, Equatable, CustomStringConvertible {
  /// Other than one or two kinks, or other than one slope and offset more.
  case counts(kinks: Int, slopes: Int, offsets: Int)
  /// Numbers that are not finite, or kinks that do not ascend.
  case numbers(kinks: [Double], slopes: [Double], offsets: [Double])
  /// Branches that do not meet at a kink.
  case jump(kink: Double, left: Double, right: Double)

  /// What was found and what was expected, in a sentence.
  public var description: String {
    switch self {
    case .counts(let kinks, let slopes, let offsets):
      "\(kinks) kinks, \(slopes) slopes and \(offsets) offsets, expected one or two kinks and one slope "
        + "and offset more"
    case .numbers(let kinks, let slopes, let offsets):
      "kinks \(kinks), slopes \(slopes), offsets \(offsets), expected finite numbers, kinks ascending"
    case .jump(let kink, let left, let right):
      "the function jumps at \(kink) from \(left) to \(right), expected a continuous one"
    }
  }
}
