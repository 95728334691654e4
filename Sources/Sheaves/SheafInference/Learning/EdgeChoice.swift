/// Which of the candidate edges are kept.
public enum EdgeSelection: Sendable, Equatable {
  /// All.
  case all
  /// So many of least normalised discrepancy; of equal ones those that come first.
  case least(Int)
  /// Those whose normalised discrepancy is at most this.
  case atMost(Double)

  /// The places of the fits that are kept, ascending.
  func kept(_ fits: [EdgeFit]) -> [Int] {
    switch self {
    case .all: return Array(fits.indices)
    case .least(let k):
      let order = fits.indices.sorted {
        (fits[$0].discrepancy, $0) < (fits[$1].discrepancy, $1)
      }
      return order.prefix(max(k, 0)).sorted()
    case .atMost(let bound): return fits.indices.filter { fits[$0].discrepancy <= bound }
    }
  }
}

/// The weights w_e of the inner products w_e ⟨·, ·⟩ of the edges.
public enum EdgeWeighting: Sendable, Equatable {
  /// 1.
  case unit
  /// 1/σ_e², σ_e² the residual variance of the edge, but not less than a share of that of the signals: of largest
  /// likelihood where the discords of edges are independent normal noise. It takes no account of the parameters fitted:
  /// with few samples for many of them σ_e² is too small.
  case residualVariance(floor: Double = 1e-9)
  /// The convex program of Kalofolias with the normalised discrepancies for distances (`LogDegreeWeights`); edges whose
  /// weight is 0 are dropped.
  case logDegree(alpha: Double, beta: Double, tolerance: Double = 1e-8)
}
