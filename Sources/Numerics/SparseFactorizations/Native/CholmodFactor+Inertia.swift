#if SuiteSparse
  import LinearAlgebra

  extension CholmodFactor {
    /// The signs of D of a factor L D Lᵀ, and how far rounding may have moved the matrix.
    ///
    /// - Parameters:
    ///   - smallest: what smaller pivots were enlarged to.
    ///   - largest: the uncertainty up to which the count is reliable.
    func inertia(order n: Int, smallestPivot smallest: Double, largest: Double) -> Inertia {
      // |L| |D| |Lᵀ|: its diagonal, its row sums by w = |D| |Lᵀ| 1, and the entries of each row of L.
      var pivots = [Double](repeating: .nan, count: n)
      var diagonal = [Double](repeating: 0, count: n)
      var sums = [Double](repeating: 0, count: n)
      var counts = [Int](repeating: 1, count: n)
      forEachColumn { j, pivot, rows, entries in
        let size = abs(pivot)
        let weight = entries.reduce(1) { $0 + abs($1) } * size
        pivots[j] = pivot
        diagonal[j] += size
        sums[j] += weight
        for (i, entry) in zip(rows, entries) {
          diagonal[i] += entry * entry * size
          sums[i] += abs(entry) * weight
          counts[i] += 1
        }
      }
      let terms = Double(counts.max() ?? 0) + 3
      let limits = diagonal.map { max(terms * .ulpOfOne * $0, 2 * smallest) }
      let bound = sums.maximumMagnitude * terms * .ulpOfOne + 2 * smallest
      let isComplete = bound.isFinite && pivots.allSatisfy(\.isFinite)
      let uncertainty = isComplete ? bound : .infinity
      return .ofPivots(
        pivots, uncertainty: uncertainty, limits: limits, isWithin: uncertainty <= largest)
    }
  }
#endif
