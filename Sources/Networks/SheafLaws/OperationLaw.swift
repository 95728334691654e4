/// What every operation must keep to, on its own; P is the operation, (R_π, c_π) its branch pattern π.
public enum OperationLaw: String, Sendable, CaseIterable {
  /// P(s) = R_π s + c_π at the pattern read at s, and ρ = t − P(s) whatever ρ held before.
  case patternReproducesTheOperation
  /// ⟨u, R v⟩ = ⟨Rᵀ u, v⟩, and both products keep what they are told to.
  case transposeIsAdjoint
  /// The entries of a row of an affine operation are those of Rᵀ times a unit vector.
  case rowsAreTransposedUnits
  /// Branches are affine in one source coordinate; beyond a boundary the pattern switches, and on it both
  /// branches agree: P is continuous.
  case branchesAndBoundariesDescribeThePattern
  /// Derivatives in the parameters are difference quotients, a move is the gradient added, and parameters
  /// that are set are seen.
  case parameterGradientsAreFiniteDifferences
  /// The step of the heat equation in one pass is that of its definition.
  case relaxationIsItsDefinition
  /// Θ + (the gradient of ⟨ρ, P(s)⟩) M⁻¹ has the least Σ‖t − P(s)‖²: there the gradient is 0.
  case solvedMomentsAreLeastSquares
}

/// A law that an operation breaks, and where.
public struct LawViolation: Sendable, CustomStringConvertible {
  /// The law.
  public let law: OperationLaw
  /// The operation's summary.
  public let operation: String
  /// What was found.
  public let found: String

  /// In one line.
  public var description: String { "\(law.rawValue): \(operation): \(found)" }
}

/// What a check of an operation found.
public struct OperationReport: Sendable {
  /// The laws that do not hold.
  public internal(set) var violations: [LawViolation] = []
  /// How many comparisons each law made; none where it says nothing about the operation.
  public internal(set) var comparisons: [OperationLaw: Int] = [:]
}
