/// The two sides of a kink of a coordinate: what −∂E/∂c gains there beside its value on the present branches, and
/// the rows that change branch.
///
/// A row that reads c with slope s and has the momentum p = γρ pushes c with s p. ρ is the same on both sides, so with
/// slope s′ beyond the kink the push gains (s′ − s) p. Where left ≥ 0 ≥ right beside the force F, F + left ≥ 0 ≥ F +
/// right, c rests.
package struct KinkSides {
  /// A row that changes branch on one side, and γ times the change of its slope there.
  package struct Change {
    package let row, branch: Int
    package let jump: Double
  }

  package var left = 0.0
  package var right = 0.0
  package var toLeft: [Change] = []
  package var toRight: [Change] = []
}

extension FlatNetwork {
  /// The sides of coordinate c at a threshold. Cost: the branches of its readers.
  ///
  /// - Parameters:
  ///   - weights: γ of each coordinate's discrepancy.
  ///   - branch: the present branch of a row.
  ///   - rho: ρ of the row that determines a coordinate.
  package func sides(
    of c: Int, at threshold: Double, weights: [Double], branch: (Int) -> Int, rho: (Int) -> Double
  ) -> KinkSides {
    var sides = KinkSides()
    for k in readerStarts[c]..<readerStarts[c + 1] {
      let r = readers[k]
      let b = branch(r)
      let here = function(r, b)
      guard here.source == c else { continue }
      let target = rows[r].target
      forEachBoundary(r, b) { boundary in
        guard boundary.other == nil, boundary.threshold == threshold else { return }
        let jump = weights[target] * (function(r, boundary.neighbour).slope - here.slope)
        let change = KinkSides.Change(row: r, branch: boundary.neighbour, jump: jump)
        if boundary.sign > 0 {
          sides.left += jump * rho(target)
          sides.toLeft.append(change)
        } else {
          sides.right += jump * rho(target)
          sides.toRight.append(change)
        }
      }
    }
    return sides
  }
}
