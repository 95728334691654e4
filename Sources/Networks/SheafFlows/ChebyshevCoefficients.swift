/// The coefficients of the damped Runge–Kutta–Chebyshev method of order 2 with s stages (Verwer, *Explicit
/// Runge–Kutta methods for parabolic partial differential equations*, Appl. Numer. Math. 22 (1996), §2;
/// Sommeijer, Shampine, Verwer, *RKC*, J. Comput. Appl. Math. 88 (1998), §2).
///
/// With w₀ = 1 + ε/s², ε = 2/13, w₁ = T′_s(w₀)/T″_s(w₀), b_j = T″_j(w₀)/T′_j(w₀)², b₀ = b₁ = b₂,
/// a_j = 1 − b_j T_j(w₀), stage j satisfies Y_j = (a_j + b_j T_j(w₀ + w₁ h A)) y on ẏ = A y:
///
///     Y₁ = y + μ̃₁ h F₀,  Y_j = (1 − μ_j − ν_j) y + μ_j Y_{j−1} + ν_j Y_{j−2} + μ̃_j h F_{j−1} + γ̃_j h F₀,
///     μ̃₁ = b₁w₁, μ_j = 2b_jw₀/b_{j−1}, ν_j = −b_j/b_{j−2}, μ̃_j = 2b_jw₁/b_{j−1}, γ̃_j = −a_{j−1}μ̃_j.
///
/// Stable for eigenvalues of −hA in [0, β], where the argument of T_s runs from w₀ to −1.
struct ChebyshevCoefficients: Sendable {
  /// The coefficients of one stage.
  struct Stage: Sendable {
    let mu, nu, muTilde, gammaTilde: Double
  }

  /// Stages 1 to s; the first has μ̃ only.
  let stages: [Stage]
  /// β(s) = (1 + w₀)/w₁, about 0.653 (s² − 1): the largest h λ that is stable.
  let bound: Double

  /// The method with s ≥ 2 stages.
  init(stages s: Int) {
    precondition(s >= 2, "\(s) stages, expected at least 2")
    let w0 = 1 + 2 / (13 * Double(s * s))
    // T_j, T′_j and T″_j at w₀ by the recurrence of the Chebyshev polynomials and its derivatives.
    var (t, dt, ddt) = ([1, w0], [0.0, 1], [0.0, 0])
    for j in 2...s {
      t.append(2 * w0 * t[j - 1] - t[j - 2])
      dt.append(2 * t[j - 1] + 2 * w0 * dt[j - 1] - dt[j - 2])
      ddt.append(4 * dt[j - 1] + 2 * w0 * ddt[j - 1] - ddt[j - 2])
    }
    let w1 = dt[s] / ddt[s]
    var b = (0...s).map { $0 < 2 ? 0 : ddt[$0] / (dt[$0] * dt[$0]) }
    (b[0], b[1]) = (b[2], b[2])
    var stages = [Stage(mu: 0, nu: 0, muTilde: b[1] * w1, gammaTilde: 0)]
    for j in 2...s {
      let muTilde = 2 * b[j] * w1 / b[j - 1]
      stages.append(
        Stage(
          mu: 2 * b[j] * w0 / b[j - 1], nu: -b[j] / b[j - 2], muTilde: muTilde,
          gammaTilde: -(1 - b[j - 1] * t[j - 1]) * muTilde))
    }
    self.stages = stages
    bound = (1 + w0) / w1
  }

  /// The fewest stages that are stable for h λ, at least 2, at most `limit`.
  static func stages(forProduct product: Double, limit: Int) -> Int {
    var s = max(2, min(limit, Int((product / 0.653 + 1).squareRoot())))
    while s < limit && ChebyshevCoefficients(stages: s).bound < product { s += 1 }
    return s
  }
}
