/// Which maps are fitted to an edge (u, v): a pair F_u, F_v for which F_u X_u ≈ F_v X_v.
///
/// The objective is the total variation tr(XᵀLX) = Σ_e ‖F_u X_u − F_v X_v‖² (Hansen, Ghrist, *Learning sheaf Laplacians from
/// smooth signals*, ICASSP 2019), which falls apart into one problem for each edge; a normalisation has to rule out
/// F = 0, and it decides what is found.
public enum MapFamily: Sendable, Equatable {
  /// What is held fixed of a pair of multipliers (a, b).
  public enum Normalization: String, Sendable, CaseIterable {
    /// a² + b² = 2, where min ‖a x − b y‖² is an eigenproblem of order 2, total least squares. It favours the signal of less
    /// variance: where y hardly varies a tends to 0, whatever x does.
    case maps
    /// a²‖x‖² = b²‖y‖²: the generalised eigenproblem with the signals' own variances, whose solution is the ratio of the
    /// norms with the sign of the correlation. (a, b) is scaled to a² + b² = 2 afterwards.
    case signals
  }

  /// F_u = F_v = 1: the constant sheaf.
  case identity
  /// F_u = a, F_v = b.
  case scalar(Normalization = .signals)
  /// F_u = diag(a), F_v = diag(b), a pair of multipliers for each coordinate.
  case diagonal(Normalization = .signals)
  /// F_u = Q orthogonal, F_v = 1, the minimiser of ‖Q X_u − X_v‖ by Procrustes (Schönemann 1966); of determinant 1 if
  /// reflections are not allowed (Kabsch 1976).
  case orthogonal(reflections: Bool = true)
  /// Canonical correlations (Hotelling 1936): of all F_u, F_v of so many rows for which F_u X_u and F_v X_v have unit
  /// covariance, those of least discrepancy 2 Σ (1 − ρ_i). The covariances are C + ridge · (tr C/d) · 1.
  ///
  /// The rank is that of the smaller stalk where it is larger.
  case canonical(rank: Int, ridge: Double = 1e-6)
  /// [F_u | F_v] with orthonormal rows, the eigenvectors of the smallest eigenvalues of the joint Gram matrix of
  /// (X_u, −X_v): Hansen and Ghrist's own relaxation.
  ///
  /// The trap: a direction in which X_u alone hardly varies is such an eigenvector with F_v = 0. Where there are as many of
  /// them as rows, the discrepancy is least and the maps say nothing about how u and v go together: they annihilate the
  /// signals instead of relating them. `canonical` cannot do that.
  case joint(rank: Int)

  /// Whether the two stalks of an edge must be of one dimension.
  var needsEqualStalks: Bool {
    switch self {
    case .identity, .scalar, .diagonal, .orthogonal: true
    case .canonical, .joint: false
    }
  }
}
