import CellComplexes
import CellularSheaves
import LinearAlgebra

/// A sheaf that was learned from signals: the vertices of their graph with their stalks, the edges that were kept with the
/// maps and weights that were fitted.
///
/// A signal goes with it where its deviations from the means are nearly a section.
public struct LearnedSheaf: Sendable {
  /// The sheaf; an edge's weight is its inner product.
  public let sheaf: CellularSheaf
  /// The fits of all candidate edges, in the order of the edges of the graph.
  public let fits: [EdgeFit]
  /// The places in `fits` of the edges that were kept, in the order of the edges of the sheaf.
  public let kept: [Int]
  /// The weight of each edge that was kept.
  public let weights: [Double]
  /// What is subtracted from each vertex's signals before they are compared, (d_v, 1): the means, or 0.
  public let means: [Matrix]
  /// How the program for the weights ended; `converged` where there was none.
  public let weightStatus: SolutionStatus

  /// The fits of the edges that were kept.
  public var keptFits: [EdgeFit] { kept.map { fits[$0] } }

  /// The vertices without an edge, of which the others tell nothing.
  public var isolated: [Int] {
    let cofaces = sheaf.complex.cofaces()
    return sheaf.complex.cells(ofDimension: 0).filter { cofaces.degree($0) == 0 }
  }

  /// The mean over the edges that were kept of the normalised discrepancy of other signals on the same graph,
  /// ‖F_u x_u − F_v x_v‖²/(‖F_u x_u‖² + ‖F_v x_v‖²), sums over the samples; nil without an edge.
  public func discrepancy(of signals: VertexSignals) -> Double? {
    check(signals)
    guard !kept.isEmpty else { return nil }
    let x = signals.subtracting(means).values
    return keptFits.reduce(0) { $0 + $1.discrepancy(x[$1.first], x[$1.second]) }
      / Double(kept.count)
  }

  func check(_ signals: VertexSignals) {
    precondition(
      signals.stalks == means.map(\.rows), "signals on stalks of dimensions \(signals.stalks)")
  }
}
