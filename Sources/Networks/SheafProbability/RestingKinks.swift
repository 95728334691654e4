import Foundation
import LinearAlgebra
import NeuralSheaves
import PiecewiseEnergies

/// A coordinate that rests on a kink of the energy, and the rise of E per unit to its left and to its right, both ≥ 0.
struct RestingKink: Sendable {
  let coordinate: StalkCoordinate
  let left: Double
  let right: Double

  /// (2πv)^(−½) ∫ exp(−t²/2v − s(t)) dt with s(t) = left·|t| for t < 0 and right·t for t > 0: what a kink leaves of a
  /// Gaussian integral of variance v, between 0 and 1; about (1/left + 1/right)/√(2πv) where the kink is sharp.
  func share(variance v: Double) -> Double {
    let scale = (v / 2).squareRoot()
    return (scaledErrorComplement(left * scale) + scaledErrorComplement(right * scale)) / 2
  }
}

/// e^(x²) erfc(x) for x ≥ 0, by the continued fraction (Abramowitz, Stegun 1964, 7.1.14) beyond 5.
func scaledErrorComplement(_ x: Double) -> Double {
  if x < 5 { return exp(x * x) * erfc(x) }
  var tail = x
  for k in stride(from: 40, through: 1, by: -1) { tail = x + Double(k) / 2 / tail }
  return 1 / (Double.pi.squareRoot() * tail)
}

extension PinnedEnergy {
  /// The free coordinates of each sample that rest on a kink which their readers pull at.
  ///
  /// - Parameter tolerance: how near to a kink a coordinate rests on it.
  func restingKinks(
    at state: SheafState, _ patterns: [ActivationPattern], tolerance: Double = 1e-9
  ) -> [[RestingKink]] {
    let flat = FlatNetwork(sheaf.network)
    let weights = flat.weights(stiffness)
    let discrepancy = sheaf.discrepancy(state)
    let gradient = Array(gradient(at: state).prefix(state.stalks.count))
    return (0..<state.batch).map { j in
      let zero = [Double](repeating: 0, count: flat.count)
      var (x, rho, slope) = (zero, zero, zero)
      flat.gather(state.stalks, j, into: &x)
      flat.gather(discrepancy, j, into: &rho)
      flat.gather(gradient, j, into: &slope)
      let momenta = zip(weights, rho).map { abs($0 * $1) }
      let least = 1e-10 * max(1e-3, momenta.max() ?? 0)
      let branch = { (r: Int) in patterns[flat.rows[r].edge][flat.rows[r].row, j] }
      var (kinks, seen) = ([RestingKink](), Set<Int>())
      for (r, row) in flat.rows.enumerated() where momenta[row.target] > least {
        flat.forEachBoundary(r, branch(r)) { boundary in
          let c = boundary.source
          let (vertex, i) = flat.place(c)
          guard boundary.other == nil, vertex > 0, !pins.held(vertex).contains(i),
            boundary.contains(x, tolerance: tolerance),
            seen.insert(c).inserted
          else { return }
          let sides = flat.sides(
            of: c, at: boundary.threshold, weights: weights, branch: branch, rho: { rho[$0] })
          kinks.append(
            RestingKink(
              coordinate: StalkCoordinate(vertex: vertex, row: i),
              left: max(0, sides.left - slope[c]), right: max(0, slope[c] - sides.right)))
        }
      }
      return kinks
    }
  }
}
