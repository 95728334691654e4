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

  /// The method that `auto` begins with: direct for inputs without prior, and for networks of up to 8192 free
  /// coordinates without maxima with up to 128 pinned coordinates; iterative for all others.
  ///
  /// Measured on two cores: on [784,512,512,10] with 256 samples direct takes about half the time, on the
  /// networks with windows or beyond ten thousand coordinates iterative a half to a twentieth.
  public func chosen(for energy: PinnedEnergy) -> EquilibriumMethod {
    guard self == .auto else { return self }
    if !energy.openInput.isEmpty { return .direct }
    let network = energy.sheaf.network
    let hasMaxima = network.edges.contains {
      $0.operation.kind == .pooling && $0.operation.isStateDependent
    }
    let isDirect =
      energy.isSmall && !hasMaxima || Elimination.unknownEdge(of: network) != nil
    return isDirect ? .direct : .iterative
  }

  /// The solver.
  ///
  /// - Parameter stepLimit: nil for the method's own.
  public func solver(
    tolerance: Double = SolverSettings.defaultTolerance, stepLimit: Int? = nil,
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
