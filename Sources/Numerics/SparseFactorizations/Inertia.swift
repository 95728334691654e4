/// How many eigenvalues of a symmetric matrix lie below a number μ, at it and above it, as far as a factorisation
/// tells.
///
/// By Sylvester's law A − μI = L D Lᵀ has as many eigenvalues of either sign as D has pivots. What rounding
/// makes of it is the factorisation of A − μI + E for an E of norm at most `uncertainty`: every eigenvalue of A
/// farther than that from μ is counted on its side.
public struct Inertia: Sendable, Equatable {
  /// How many eigenvalues lie below μ.
  public let negative: Int
  /// How many pivots are too small for their sign to mean anything.
  public let zero: Int
  /// How many eigenvalues lie above μ.
  public let positive: Int
  /// A bound on the rounding errors as a change of A, ‖E‖₂; ∞ if the factorisation broke down.
  public let uncertainty: Double
  /// An estimate of the distance from μ to the nearest eigenvalue: too large mostly by less than a factor of 2, too
  /// small by no more than `uncertainty`; 0 if the factorisation broke down, ∞ for a matrix of order 0.
  public let distance: Double

  /// Whether the counts can be relied on: no pivot is too small, and the nearest eigenvalue is at least four times
  /// the uncertainty away from μ. If not, move μ a little.
  public var isReliable: Bool { zero == 0 && distance > 4 * uncertainty }

  /// Counts pivots; those within their limit, or not numbers, count as zero.
  init(
    pivots: [Double], limits: [Double], uncertainty: Double, distance: Double
  ) {
    var (negative, zero, positive) = (0, 0, 0)
    for (pivot, limit) in zip(pivots, limits) {
      if pivot > limit {
        positive += 1
      } else if pivot < -limit {
        negative += 1
      } else {
        zero += 1
      }
    }
    (self.negative, self.zero, self.positive) = (negative, zero, positive)
    (self.uncertainty, self.distance) = (uncertainty, distance)
  }
}
