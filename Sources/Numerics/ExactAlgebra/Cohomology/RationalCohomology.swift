import BigInt

/// The ranks of the coboundaries over ℚ and cocycles, proved by lifting from a prime field.
struct RationalCohomology: Sendable {
  private(set) var ranks: [Int]
  private(set) var representatives: [[SparseCocycle]]

  init<Ring: IntegerRing>(
    of complex: ExactComplex<Ring>, findingRepresentatives: Bool
  ) throws(ArithmeticOverflow) {
    for field in PrimeField.large {
      if let result = try RationalCohomology(
        of: complex, modulo: field, findingRepresentatives: findingRepresentatives)
      {
        self = result
        return
      }
    }
    preconditionFailure("no prime left")
  }

  /// nil if p divides an invariant factor of a coboundary.
  private init?<Ring: IntegerRing>(
    of complex: ExactComplex<Ring>, modulo field: PrimeField, findingRepresentatives: Bool
  ) throws(ArithmeticOverflow) {
    let count = complex.coboundaries.count
    let dimensions = complex.dimensions
    ranks = [Int](repeating: 0, count: count)
    representatives = [[SparseCocycle]](repeating: [], count: dimensions.count)
    // From the top, as in `ExactComplex.eliminate`, by rows: liftings need that side.
    var liftings: [RationalLifting<Ring>] = []
    var cleared = [Bool](repeating: false, count: dimensions.last ?? 0)
    for k in (0..<count).reversed() {
      let lifting = RationalLifting(
        ring: complex.ring, matrix: complex.coboundaries[k].transposed, modulo: field,
        skipping: cleared)
      cleared = [Bool](repeating: false, count: dimensions[k])
      for i in lifting.elimination.pivotRows { cleared[i] = true }
      ranks[k] = lifting.elimination.pivotCount
      liftings.insert(lifting, at: 0)
    }
    let betti = CohomologyParts.betti(dimensions: dimensions, ranks: ranks)
    for k in dimensions.indices where betti[k] > 0 {
      let isProved = k == count || betti[k + 1] == 0
      if isProved && !findingRepresentatives { continue }
      var isFree = [Bool](repeating: true, count: dimensions[k])
      if k > 0 { for i in liftings[k - 1].elimination.pivotColumns { isFree[i] = false } }
      if k < count { for j in liftings[k].elimination.pivotRows { isFree[j] = false } }
      for free in isFree.indices where isFree[free] {
        var values = [BigInt](repeating: 0, count: dimensions[k])
        var denominator: BigInt = 1
        if k < count {
          guard let solution = try liftings[k].relation(ofRow: free) else { return nil }
          (values, denominator) = (solution.numerators, solution.denominator)
        }
        values[free] = denominator
        if findingRepresentatives { representatives[k].append(SparseCocycle(values)) }
      }
    }
  }
}

extension RationalLifting {
  /// The solution y of yᵀA = −(row i of A).
  fileprivate func relation(ofRow i: Int) throws(ArithmeticOverflow) -> Solution? {
    var right = [Ring.Element](repeating: 0, count: matrix.columns)
    for j in 0..<matrix.columns {
      for k in matrix.columnStarts[j]..<matrix.columnStarts[j + 1]
      where matrix.rowIndices[k] == i { right[j] = ring.negative(matrix.values[k]) }
    }
    return try solution(of: right)
  }
}
