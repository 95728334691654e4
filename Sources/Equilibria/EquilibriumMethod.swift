import NeuralSheaves
import PiecewiseEnergies

/// The methods by name, as on the command line.
public enum EquilibriumMethod: String, Sendable, CaseIterable {
  /// The one that a problem calls for.
  case auto
  /// `DirectSolver`.
  case direct
  /// `IterativeSolver`.
  case iterative
  /// `CoordinateSolver`.
  case coordinate
  /// `FlowSolver`.
  case flow

  /// A solver for a problem.
  public func solver(
    for energy: PinnedEnergy, tolerance: Double, stepLimit: Int, threads: Int
  ) -> any EquilibriumSolver {
    self == .iterative
      ? IterativeSolver(stepLimit: stepLimit, tolerance: tolerance, threads: threads)
      : DirectSolver(stepLimit: stepLimit, tolerance: tolerance, threads: threads)
  }
}
