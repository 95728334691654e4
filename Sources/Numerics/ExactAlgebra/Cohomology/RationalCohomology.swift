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
    let eliminations = RationalEliminations(
      of: complex, modulo: field, alwaysByRows: findingRepresentatives)
    let dimensions = complex.dimensions
    ranks = eliminations.ranks
    representatives = [[SparseCocycle]](repeating: [], count: dimensions.count)
    let betti = CohomologyParts.betti(dimensions: dimensions, ranks: ranks)
    if findingRepresentatives {
      for k in dimensions.indices where betti[k] > 0 {
        for free in eliminations.freeCoordinates(degree: k) {
          guard let values = try eliminations.cocycle(degree: k, free: free) else { return nil }
          representatives[k].append(SparseCocycle(values))
        }
      }
      return
    }
    for k in ranks.indices where betti[k] > 0 && betti[k + 1] > 0 {
      if try !eliminations.provesRank(degree: k) { return nil }
    }
  }
}
