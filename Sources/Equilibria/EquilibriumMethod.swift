import Foundation
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

  /// The method that `auto` takes for a problem: direct for few rows of E, iterative for many.
  ///
  /// Rows are the pins and the kinks, which are not known before; ties of pooling windows are the
  /// kinks that come in numbers. Measured: the direct method wins up to about sixty rows a sample.
  public func chosen(for energy: PinnedEnergy) -> EquilibriumMethod {
    guard self == .auto else { return self }
    guard energy.openInput.isEmpty else { return .direct }
    let network = energy.sheaf.network
    var rows = energy.output == nil ? 0 : network.outputDimension
    for v in 1..<network.vertices.count {
      rows += energy.pins.held(v).count + energy.pins.soft(v).reduce(0) { $0 + $1.rows.count }
    }
    for edge in network.edges where edge.operation.isStateDependent {
      let operation = edge.operation
      let choosing = operation.targetRows.count { row in
        operation.branch(0, ofRow: row).source
          != operation.branch(operation.branchCount(ofRow: row) - 1, ofRow: row).source
      }
      rows += choosing / 2
    }
    return rows <= 60 ? .direct : .iterative
  }

  /// The solver.
  ///
  /// - Parameter stepLimit: nil for the method's own.
  public func solver(
    for energy: PinnedEnergy, tolerance: Double = 1e-8, stepLimit: Int? = nil,
    threads: Int = ProcessInfo.processInfo.activeProcessorCount
  ) -> any EquilibriumSolver {
    switch chosen(for: energy) {
    case .auto, .direct:
      DirectSolver(stepLimit: stepLimit ?? 1000, tolerance: tolerance, threads: threads)
    case .iterative:
      IterativeSolver(stepLimit: stepLimit ?? 1000, tolerance: tolerance, threads: threads)
    case .coordinate:
      CoordinateSolver(stepLimit: stepLimit ?? 100_000, tolerance: tolerance, threads: threads)
    case .flow:
      FlowSolver(stepLimit: stepLimit ?? 200_000, tolerance: tolerance, threads: threads)
    }
  }
}
