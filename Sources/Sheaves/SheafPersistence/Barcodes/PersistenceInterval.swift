import BigInt
import ExactAlgebra

/// A bar [birth, death) of a persistent cohomology: a class of X_a for birth ≤ a < death.
///
/// It is the restriction of a class of every X_b, a ≤ b < death, and restricts to 0 below its birth.
public struct PersistenceInterval: Sendable, Equatable {
  /// The degree q of the cohomology.
  public let degree: Int
  /// The first value at which the class is not 0.
  public let birth: Double
  /// The first value to which it does not extend, ∞ if it extends to the whole complex.
  public let death: Double
  /// A cochain of the whole complex whose coboundary is 0 on X_a for all a < death, and which is 0 on X_a for all
  /// a < birth; its classes are those of the bar. Only where it was asked for.
  public let representative: Representative?

  /// A bar.
  public init(
    degree: Int, birth: Double, death: Double, representative: Representative? = nil
  ) {
    (self.degree, self.birth, self.death) = (degree, birth, death)
    self.representative = representative
  }

  /// death − birth.
  public var length: Double { death - birth }

  /// Whether the class is there at a value.
  public func contains(_ a: Double) -> Bool { birth <= a && a < death }

  /// A cochain by its values that are not 0.
  public enum Representative: Sendable, Equatable {
    /// Over GF(p) residues of least magnitude; over ℚ whole numbers without a common divisor.
    case exact(SparseCocycle)
    /// Real numbers at coordinates of C^q, ascending.
    case real(coordinates: [Int], values: [Double])

    /// The coordinates of C^q with values that are not 0, ascending.
    public var coordinates: [Int] {
      switch self {
      case .exact(let cochain): cochain.coordinates
      case .real(let coordinates, _): coordinates
      }
    }

    /// The values there, rounded where they are larger than double precision takes.
    public var values: [Double] {
      switch self {
      case .exact(let cochain): cochain.values.map { Double($0) }
      case .real(_, let values): values
      }
    }
  }
}
