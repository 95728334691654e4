import BigInt
import LinearAlgebra

/// What the eliminations of a complex say about its cohomology.
struct CohomologyParts: Sendable {
  var ranks: [Int]
  var torsion: [[BigInt]]
  var representatives: [[SparseCocycle]]

  /// n_k − rank δ_k − rank δ_{k−1}.
  static func betti(dimensions: [Int], ranks: [Int]) -> [Int] {
    dimensions.indices.map { k in
      dimensions[k] - (k < ranks.count ? ranks[k] : 0) - (k > 0 ? ranks[k - 1] : 0)
    }
  }

  private init(dimensions: [Int]) {
    ranks = [Int](repeating: 0, count: max(0, dimensions.count - 1))
    torsion = [[BigInt]](repeating: [], count: dimensions.count)
    representatives = [[SparseCocycle]](repeating: [], count: dimensions.count)
  }

  /// Cohomology over GF(p).
  init(
    modulo p: Int, _ dimensions: [Int], _ coboundaries: [SparseMatrix],
    findingRepresentatives: Bool
  ) throws(CochainComplexError) {
    self.init(dimensions: dimensions)
    let field: PrimeField
    do { field = try PrimeField(p) } catch { throw .notAPrime(error) }
    guard
      let complex = try ExactComplex.reading(
        over: field, dimensions, coboundaries,
        by: { matrix throws(UnreadableEntry) in try SparseColumns(matrix, over: field) })
    else { preconditionFailure("residues that overflow") }
    let eliminations = FieldEliminations(of: complex, alwaysByRows: findingRepresentatives)
    ranks = eliminations.ranks
    if !findingRepresentatives { return }
    for k in dimensions.indices {
      representatives[k] = eliminations.freeCoordinates(degree: k).map { free in
        let values = eliminations.cocycle(degree: k, free: free)
        return SparseCocycle(values.map { BigInt(field.symmetric($0)) })
      }
    }
  }

  /// Cohomology over ℤ or ℚ with the coboundaries' entries in `ring`; nil if they do not fit it.
  init?<Ring: IntegerRing>(
    in ring: Ring, _ dimensions: [Int], _ coboundaries: [SparseMatrix], isOverIntegers: Bool,
    findingRepresentatives: Bool
  ) throws(CochainComplexError) {
    self.init(dimensions: dimensions)
    guard
      let complex = try ExactComplex.reading(
        over: ring, dimensions, coboundaries,
        by: { matrix throws(UnreadableEntry) in
          isOverIntegers
            ? try SparseColumns(matrix, over: ring)
            : try SparseColumns(clearingDenominatorsOf: matrix, over: ring)
        })
    else { return nil }
    do {
      if isOverIntegers {
        try complex.eliminate { k, _, elimination in
          let form = SmithNormalForm(elimination)
          ranks[k] = form.rank
          torsion[k + 1] = form.torsion
        }
        if !findingRepresentatives { return }
      }
      let rational = try RationalCohomology(
        of: complex, findingRepresentatives: findingRepresentatives)
      ranks = rational.ranks
      representatives = rational.representatives
    } catch {
      return nil
    }
  }
}

extension ExactComplex {
  /// The complex; nil if its numbers do not fit the ring.
  static func reading(
    over ring: Ring, _ dimensions: [Int], _ coboundaries: [SparseMatrix],
    by read: (SparseMatrix) throws(UnreadableEntry) -> SparseColumns<Ring.Element>
  ) throws(CochainComplexError) -> ExactComplex? {
    do {
      return try ExactComplex(over: ring, dimensions: dimensions, coboundaries, reading: read)
    } catch {
      switch error {
      case .complex(let error): throw error
      case .overflow: return nil
      }
    }
  }
}

extension SparseCocycle {
  /// The cocycle with the given values in all coordinates.
  init(_ values: [BigInt]) {
    coordinates = values.indices.filter { values[$0] != 0 }
    self.values = coordinates.map { values[$0] }
  }
}
