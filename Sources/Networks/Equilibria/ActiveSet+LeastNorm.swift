import LinearAlgebra
import NeuralSheaves
import PiecewiseEnergies

extension ActiveSet {
  /// Moves the freed input of sample j, along what its pins leave undetermined, towards the point of
  /// least norm; the energy stays what it is. Says whether there was anything to move.
  ///
  /// The stalks follow with their discrepancies as they are. The walk ends where a row would change
  /// branch.
  mutating func shorten(_ j: Int, _ face: FaceStep) -> Bool {
    progress[j].isLeastNorm = true
    guard let freedom = face.freedom[j], let freed else { return false }
    let x = Matrix(column: freed.open.map { state.stalks[0][$0, j] })
    var inside = Matrix(rows: freedom.determined.columns, columns: 1)
    inside.setProduct(freedom.determined, x, transposing: .left)
    var move = freedom.determined * inside
    move.add(x, scale: -1)
    guard move.maximumMagnitude > 1e-14 * max(1, x.maximumMagnitude) else { return false }
    var step = sheaf.zeroCochain(batch: 1, input: .free)
    for (k, i) in freed.open.enumerated() { step[0][i, 0] = move[k, 0] }
    sheaf.substituteForward(&step, at: patterns.map { $0.samples([j]) }, input: .free)
    var velocity = [Double](repeating: 0, count: flat.count)
    flat.gather(step, 0, into: &velocity)
    straighten(&velocity, j)
    drift(j, along: velocity)
    return true
  }

  /// Moves sample j by a step that keeps every ρ, as far as its branches hold.
  private mutating func drift(_ j: Int, along velocity: [Double]) {
    var x = velocity
    flat.gather(state.stalks, j, into: &x)
    let resting = Set(
      progress[j].kinks.compactMap { kink -> Int? in
        if case .value(let c, _) = kink { c } else { nil }
      })
    var length = 1.0
    for r in flat.rows.indices {
      flat.forEachBoundary(r, branch(j, row: r)) { b in
        let c = b.source
        guard !resting.contains(c) else { return }
        let rate = b.sign * b.difference(velocity)
        let margin = b.sign * (b.difference(x) - b.threshold)
        if rate < 0 { length = min(length, max(0, margin) / -rate) }
      }
    }
    for v in state.stalks.indices {
      for i in 0..<state.stalks[v].rows {
        state.stalks[v][i, j] += length * velocity[flat.starts[v] + i]
      }
    }
  }
}
