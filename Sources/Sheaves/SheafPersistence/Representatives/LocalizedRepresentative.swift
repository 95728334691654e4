import LinearAlgebra

/// A real cocycle or cycle of small support in the class of another.
public struct LocalizedRepresentative: Sendable {
  /// The coordinates of C^q with values that are not 0, ascending.
  public let coordinates: [Int]
  /// The values there.
  public let values: [Double]
  /// The cells in whose stalks they are, ascending.
  public let cells: [Int]
  /// Σ w_σ ‖z_σ‖ over the cells, the sum that was made small.
  public let size: Double
  /// No representative of the class has a smaller sum, from the dual program, up to its residuals.
  public let lowerBound: Double
  /// How the optimisation ended.
  public let status: SolutionStatus
}
