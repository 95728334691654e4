/// A scalar piecewise affine function with at most two kinks:
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

  /// A function from its kinks and branches.
  public init(kinks: [Double], slopes: [Double], offsets: [Double]) {
    precondition((1...2).contains(kinks.count) && kinks == kinks.sorted())
    precondition(slopes.count == kinks.count + 1 && offsets.count == slopes.count)
    self.kinks = kinks
    self.slopes = slopes
    self.offsets = offsets
  }

  /// The rectifier max(0, z).
  public static let rectifier = PiecewiseAffine(kinks: [0], slopes: [0, 1], offsets: [0, 0])
}
