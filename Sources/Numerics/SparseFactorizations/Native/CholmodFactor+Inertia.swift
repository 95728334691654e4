#if SuiteSparse
  import LinearAlgebra

  extension CholmodFactor {
    /// The signs of D of a factor L D Lᵀ, and how far rounding may have moved the matrix.
    ///
    /// - Parameter smallest: what smaller pivots were enlarged to.
    func inertia(
      order n: Int, smallestPivot smallest: Double
    ) throws(FactorizationError) -> Inertia {
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
      return Inertia(
        pivots: pivots, limits: limits, uncertainty: isComplete ? bound : .infinity,
        distance: isComplete ? try smallestEigenvalue(order: n) : 0)
    }

    /// An estimate from above of the smallest |eigenvalue| by inverse iteration from two fixed vectors: after k steps
    /// too large by a factor of n^(1/2k) in the worst case.
    private func smallestEigenvalue(order n: Int) throws(FactorizationError) -> Double {
      var g = RandomGenerator(seed: 1)
      var x = g.normalMatrix(rows: n, columns: 2)
      var smallest = Double.infinity
      for _ in 0..<7 {
        let norms = x.columnNorms
        x.update { elements, rows in
          for i in elements.indices { elements[i] /= norms[i / rows] }
        }
        try solve(&x)
        let largest = x.columnNorms.maximumMagnitude
        guard largest.isFinite && largest > 0 else { return 0 }
        smallest = min(smallest, 1 / largest)
      }
      return smallest
    }
  }
#endif
