/// How many eigenvalues of a symmetric matrix are negative, zero and positive, as far as a factorisation tells.
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
  /// Whether no pivot is too small and `uncertainty` is within the tolerance; if not, move μ a little.
  public let isReliable: Bool
}
