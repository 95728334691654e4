import NeuralSheaves
import PiecewiseEnergies

extension ActiveSet {
  /// Which samples are at an equilibrium as they stand, up to rounding. Cost: two sweeps.
  func isSettled(_ energy: PinnedEnergy) -> [Bool] {
    var state = state
    energy.setOutput(of: &state)
    return zip(
      ClarkeGradient(energy, flat, state).residuals, energy.residualScales(state.stalks[0])
    ).map { $0 <= 1e-12 * $1 }
  }

  /// Lets every sample rest on the convex kinks that its state lies on, up to rounding; those that do
  /// not hold are released after the first step.
  ///
  /// So a start at an equilibrium has its face. Where ρ = 0, as between the zeros of a rectifier that a
  /// window takes the maximum of, there is no kink in the energy and nothing to rest on.
  ///
  /// - Parameter tolerance: how far from a kink is on it, relative to the coordinate where that is
  ///   larger than 1.
  mutating func restOnKinks(tolerance: Double = 1e-13) {
    var (x, momenta) = (
      [Double](repeating: 0, count: flat.count), [Double](repeating: 0, count: flat.count)
    )
    for j in 0..<batch {
      flat.gather(state.stalks, j, into: &x)
      flat.gather(rho, j, into: &momenta)
      for c in momenta.indices { momenta[c] *= weights[c] }
      let least = 1e-10 * max(1e-3, momenta.maximumMagnitude)
      // By coordinate, the threshold and by how much the derivative of E rises there.
      var rises: [Int: (threshold: Double, by: Double)] = [:]
      var ties: [Kink] = []
      for (r, row) in flat.rows.enumerated() where abs(momenta[row.target]) > least {
        let b = branch(j, row: r)
        let here = flat.function(r, b)
        flat.forEachBoundary(r, b) { boundary in
          let c = boundary.source
          guard boundary.contains(x, tolerance: tolerance) else { return }
          if let other = boundary.other {
            if momenta[row.target] < 0 && !(isHeld[c] && isHeld[other]) {
              ties.append(.tie(row: r, branch: boundary.neighbour))
            }
          } else if !isHeld[c] {
            let there = flat.function(r, boundary.neighbour)
            let rise = boundary.sign * (there.slope - here.slope) * momenta[row.target]
            rises[c] = (boundary.threshold, (rises[c]?.by ?? 0) + rise)
          }
        }
      }
      progress[j].kinks =
        rises.filter { $0.value.by > least }.sorted { $0.key < $1.key }
        .map { .value(coordinate: $0.key, threshold: $0.value.threshold) } + ties
    }
  }
}
