import Foundation
import LinearAlgebra
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

  /// The method that `auto` begins with: direct for up to 128 pinned coordinates, iterative for more.
  ///
  /// Measured on [784,512,512,10], they take equal times at 138. Kinks come in addition, but the responses
  /// of most are short: the direct method wins on pooled networks with more than a hundred of them.
  public func chosen(for energy: PinnedEnergy) -> EquilibriumMethod {
    guard self == .auto else { return self }
    return energy.rowCount <= 128 || !energy.openInput.isEmpty ? .direct : .iterative
  }

  /// The solver.
  ///
  /// - Parameter stepLimit: nil for the method's own.
  public func solver(
    for energy: PinnedEnergy, tolerance: Double = 1e-8, stepLimit: Int? = nil,
    threads: Int = ProcessInfo.processInfo.activeProcessorCount
  ) -> any EquilibriumSolver {
    let type: any EquilibriumSolver.Type =
      switch self {
      case .auto: AutomaticSolver.self
      case .direct: DirectSolver.self
      case .iterative: IterativeSolver.self
      case .coordinate: CoordinateSolver.self
      case .flow: FlowSolver.self
      }
    return type.init(
      stepLimit: stepLimit ?? type.defaultStepLimit, tolerance: tolerance, threads: threads)
  }
}
