/// A bar with a cycle of the persistent homology of the same filtration.
///
/// Chains of degree q are the functionals on C^q(X; F), by their values on its coordinates, and ∂ = δᵀ: homology with
/// coefficients in the dual cosheaf of F, for a constant sheaf of dimension 1 that of the complex. H_q(X_a) is dual to
/// H^q(X_a; F), so that its bars are the same (de Silva, Morozov, Vejdemo-Johansson 2011, §2).
public struct PersistentCycle: Sendable, Equatable {
  /// The degree, the birth and the death of its class.
  public let interval: PersistenceInterval
  /// A cycle on X_birth that is a boundary on X_death and no sooner, by its values at coordinates of C^q.
  public let cycle: PersistenceInterval.Representative

  /// A bar with a cycle.
  public init(_ interval: PersistenceInterval, cycle: PersistenceInterval.Representative) {
    (self.interval, self.cycle) = (interval, cycle)
  }
}
