import LinearAlgebra
import NeuralSheaves
import PiecewiseEnergies

extension ActiveSet {
  /// What a steepest descent came to.
  enum Descent { case down, stationary, none }

  /// Moves sample j along −g, g the smallest element of ∂E at its state.
  ///
  /// E°(ω; −g) = max over ∂E of ⟨g′, −g⟩ ≤ −‖g‖² (Clarke 1983, Prop. 2.1.2 and the projection theorem),
  /// so unless g = 0 there is a way down, kinks and ties notwithstanding. Every row on a boundary
  /// takes the branch that the direction enters.
  mutating func descend(_ j: Int, _ energy: PinnedEnergy) -> Descent {
    var one = state.samples(j..<j + 1)
    if let potential {
      one.output = potential.output(
        at: one.stalks[sheaf.network.lastVertex], samples: [samples[j]])
    }
    let gradient = ClarkeGradient(energy, flat, one)
    guard gradient.residuals[0] > 1e-12 else { return .stationary }
    let velocity = gradient.elements[0].map { -$0 }
    var x = [Double](repeating: 0, count: flat.count)
    flat.gather(state.stalks, j, into: &x)
    let before = self
    progress[j].kinks = []
    var rate = velocity
    for c in 0..<flat.starts[1] { rate[c] = 0 }
    for (r, row) in flat.rows.enumerated() {
      let now = patterns[row.edge][row.row, j]
      let candidates = flat.branches(r, at: now, x, tolerance: 1e-9)
      if candidates.count > 1 {
        patterns[row.edge][row.row, j] =
          candidates.first { flat.enters($0, r, x, velocity, tolerance: 1e-9) } ?? now
      }
    }
    // δ v on those branches.
    var v = sheaf.zeroCochain(batch: 1, input: input)
    for w in v.indices {
      for i in 0..<v[w].rows { v[w][i, 0] = velocity[flat.starts[w] + i] }
    }
    sheaf.applyCoboundary(&v, at: patterns.map { $0.samples([j]) }, input: input)
    flat.gather(v, 0, into: &rate)
    for c in 0..<flat.starts[1] { rate[c] = 0 }
    let model = smoothPotential.map {
      OutputModel(
        $0, at: one.stalks[sheaf.network.lastVertex], sample: samples[j],
        damping: 0.5 * $0.largestWeight)
    }
    // Far enough to come to the least energy along the path.
    let length = 1e3
    _ = walk(
      j, velocity: velocity.map { $0 * length }, rhoVelocity: rate.map { $0 * length }, model: model
    )
    let old = progress[j].energy
    readDiscrepancy()
    progress[j].energy = self.energy(j)
    guard progress[j].energy < old else {
      restore(j, from: before)
      return .none
    }
    return .down
  }
}

extension FlatNetwork {
  /// Whether a move from x along v goes into the region of a branch, or along its edge.
  func enters(
    _ branch: Int, _ r: Int, _ x: [Double], _ v: [Double], tolerance: Double
  ) -> Bool {
    var result = true
    forEachBoundary(r, branch) { b in
      if b.contains(x, tolerance: tolerance) && b.sign * b.difference(v) < 0 { result = false }
    }
    return result
  }
}
