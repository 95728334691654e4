import NeuralSheaves
import PiecewiseEnergies

/// Which kinks of a sample do not hold at the minimiser of its face.
///
/// There δᵀp = Eᵀλ with p = Γρ. A coordinate that rests on a kink stays if the one-sided derivatives of the energy are
/// ≥ 0 to the right and ≤ 0 to the left; with branch b the derivative is λ, with branch b′ it is
/// λ + (slope_b − slope_b′) p. The coordinates i of a window tied at its maximum stay if the shares
/// μ_i = λ_i/p, and μ_b = 1 − Σ μ_i of the representative, are ≥ 0 and p ≤ 0 (the maximum is above its
/// target); if p > 0 the one that gains most goes up alone.
extension ActiveSet {
  private struct Violation {
    /// The derivative of the energy along the way out, with its sign turned.
    var size: Double
    /// The kinks that go, by their places.
    var kinks: [Int]
    /// The rows that change branch.
    var branches: [(row: Int, branch: Int)] = []
    /// The ties that come instead.
    var ties: [Kink] = []
  }

  /// Releases the kinks of sample j that do not hold, or the worst of them where it is cautious; says
  /// whether there were any. ρ is that at the minimiser, and the same on either branch of a kink.
  mutating func release(_ j: Int, _ face: FaceStep) -> Bool {
    let tolerance = 1e-10 * max(1e-3, face.forces[j].maximumMagnitude)
    var violations: [Violation] = []
    var ties: [Int: [(kink: Int, branch: Int, force: Double)]] = [:]
    for (row, force) in zip(face.rows[j], face.forces[j]) where row.kink >= 0 {
      switch progress[j].kinks[row.kink] {
      case .value(let c, let threshold):
        violations += violation(j, row.kink, c, threshold, force, tolerance)
      case .tie(let r, let branch): ties[r, default: []].append((row.kink, branch, force))
      }
    }
    for (r, list) in ties.sorted(by: { $0.key < $1.key }) {
      violations += violation(j, r, list, tolerance)
    }
    guard let worst = violations.max(by: { $0.size < $1.size }) else { return false }
    if progress[j].isCautious { violations = [worst] }
    var gone: Set<Int> = []
    for v in violations {
      gone.formUnion(v.kinks)
      for b in v.branches { patterns[flat.rows[b.row].edge][flat.rows[b.row].row, j] = b.branch }
    }
    let kinks = progress[j].kinks
    progress[j].kinks =
      kinks.indices.filter { !gone.contains($0) }.map { kinks[$0] } + violations.flatMap(\.ties)
    return true
  }

  /// A coordinate that rests on a kink at a value.
  private func violation(
    _ j: Int, _ kink: Int, _ c: Int, _ threshold: Double, _ force: Double, _ tolerance: Double
  ) -> [Violation] {
    let sides = flat.sides(of: c, at: threshold, weights: weights) {
      self.branch(j, row: $0)
    } rho: {
      let (v, i) = flat.place($0)
      return rho[v][i, j]
    }
    // λ is ∂E/∂c on the present branches.
    let (left, right) = (force - sides.left, force - sides.right)
    func changes(_ side: [KinkSides.Change]) -> [(row: Int, branch: Int)] {
      side.map { ($0.row, $0.branch) }
    }
    if -right > tolerance && -right >= left {
      return [Violation(size: -right, kinks: [kink], branches: changes(sides.toRight))]
    }
    return left > tolerance
      ? [Violation(size: left, kinks: [kink], branches: changes(sides.toLeft))] : []
  }

  /// The coordinates of a window that are tied with its representative.
  private func violation(
    _ j: Int, _ r: Int, _ ties: [(kink: Int, branch: Int, force: Double)], _ tolerance: Double
  ) -> [Violation] {
    let p = momentum(j, row: r)
    let total = ties.reduce(0) { $0 + $1.force }
    if p > tolerance {
      var best = (branch: branch(j, row: r), gain: total)
      for t in ties where p - t.force > best.gain { best = (t.branch, p - t.force) }
      if best.gain > tolerance {
        return [
          Violation(
            size: best.gain, kinks: ties.map(\.kink), branches: [(r, best.branch)])
        ]
      }
    }
    let worst = ties.max { $0.force < $1.force }!
    if p - total > tolerance && p - total > worst.force {
      // The representative goes down; the one with the largest share takes its place.
      let heir = ties.min { $0.force < $1.force }!
      return [
        Violation(
          size: p - total, kinks: ties.map(\.kink), branches: [(r, heir.branch)],
          ties: ties.filter { $0.branch != heir.branch }.map { .tie(row: r, branch: $0.branch) })
      ]
    }
    return worst.force > tolerance ? [Violation(size: worst.force, kinks: [worst.kink])] : []
  }

  private func momentum(_ j: Int, row r: Int) -> Double {
    let c = flat.rows[r].target
    let (v, i) = flat.place(c)
    return weights[c] * rho[v][i, j]
  }
}
