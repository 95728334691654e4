/// The scaling of Nesterov and Todd at a pair s, z of interior points: the symmetric W with W z = W⁻¹ s = λ that
/// maps K onto itself.
///
/// In an orthant W = diag √(s / z). In a second-order cone, with J = diag(1, −1, …, −1), s̄ = s / √(sᵀJs) and z̄
/// alike, w = (s̄ + J z̄) / √(2 (1 + s̄ᵀz̄)) and η = (sᵀJs / zᵀJz)^¼:
///
///     W = η [ w₀   w₁ᵀ                    ]        W⁻¹ as with −w₁ for w₁ and 1/η for η.
///           [ w₁   I + w₁ w₁ᵀ / (1 + w₀) ]
///
/// (Vandenberghe, The CVXOPT linear and quadratic cone program solvers, 2010, section 4.)
struct NesterovToddScaling: Sendable {
  let cones: ConeBlocks
  /// Row by row: W in orthants, w in second-order cones.
  private(set) var w: [Double]
  /// η by blocks; 1 for orthants.
  private(set) var eta: [Double]
  /// λ = W z.
  private(set) var lambda: [Double] = []

  /// W = I.
  init(identity cones: ConeBlocks) {
    self.cones = cones
    w = [Double](repeating: 0, count: cones.rows)
    cones.addUnit(1, to: &w)
    eta = [Double](repeating: 1, count: cones.blocks.count)
    lambda = w
  }

  /// The scaling at interior points; nil where rounding has put them on the boundary.
  init?(_ cones: ConeBlocks, s: [Double], z: [Double]) {
    self.init(identity: cones)
    for (number, block) in cones.blocks.enumerated() {
      if block.isOrthant {
        for i in block.start..<block.end {
          guard s[i] > 0, z[i] > 0 else { return nil }
          w[i] = (s[i] / z[i]).squareRoot()
        }
      } else {
        let (ds, dz) = (cones.determinant(s, block), cones.determinant(z, block))
        guard ds > 0, dz > 0, s[block.start] > 0, z[block.start] > 0 else { return nil }
        let (rs, rz) = (1 / ds.squareRoot(), 1 / dz.squareRoot())
        var inner = 0.0
        for i in block.start..<block.end { inner += s[i] * z[i] }
        let scale = 1 / (2 * (1 + inner * rs * rz)).squareRoot()
        var tail = 0.0
        for i in block.start + 1..<block.end {
          w[i] = (s[i] * rs - z[i] * rz) * scale
          tail += w[i] * w[i]
        }
        // wᵀJw = 1, exactly.
        w[block.start] = (1 + tail).squareRoot()
        eta[number] = (ds / dz).squareRoot().squareRoot()
      }
    }
    lambda = apply(z)
    guard lambda.allSatisfy(\.isFinite) else { return nil }
  }

  /// W v.
  func apply(_ v: [Double]) -> [Double] { map(v, sign: 1) }

  /// W⁻¹ v.
  func applyInverse(_ v: [Double]) -> [Double] { map(v, sign: -1) }

  private func map(_ v: [Double], sign: Double) -> [Double] {
    var result = v
    for (number, block) in cones.blocks.enumerated() {
      let k = block.start
      if block.isOrthant {
        if sign > 0 {
          for i in k..<block.end { result[i] = w[i] * v[i] }
        } else {
          for i in k..<block.end { result[i] = v[i] / w[i] }
        }
      } else {
        var inner = 0.0
        for i in k + 1..<block.end { inner += w[i] * v[i] }
        inner *= sign
        let factor = sign * (v[k] + inner / (1 + w[k]))
        let scale = sign > 0 ? eta[number] : 1 / eta[number]
        result[k] = scale * (w[k] * v[k] + inner)
        for i in k + 1..<block.end { result[i] = scale * (v[i] + factor * w[i]) }
      }
    }
    return result
  }
}
