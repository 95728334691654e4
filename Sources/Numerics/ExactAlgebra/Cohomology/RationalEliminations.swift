import BigInt

/// The coboundaries of a complex of integers, eliminated modulo a prime so that relations can be lifted to ℚ.
struct RationalEliminations<Ring: IntegerRing> {
  private let dimensions: [Int]
  /// Of δ_k, or of its transpose if it was eliminated by rows.
  private let liftings: [RationalLifting<Ring>]
  private let isByRows: [Bool]

  /// Eliminates from the top and with the clearing of `ExactComplex.eliminate`; a square of the matrix that is
  /// invertible modulo p is so over ℚ.
  init(of complex: ExactComplex<Ring>, modulo field: PrimeField, alwaysByRows: Bool) {
    dimensions = complex.dimensions
    var liftings: [RationalLifting<Ring>] = []
    isByRows = complex.coboundaries.map { alwaysByRows || $0.rows >= $0.columns }
    var cleared = [Bool](repeating: false, count: dimensions.last ?? 0)
    for k in complex.coboundaries.indices.reversed() {
      let matrix = complex.coboundaries[k]
      let lifting =
        isByRows[k]
        ? RationalLifting(
          ring: complex.ring, matrix: matrix.transposed, modulo: field, skipping: cleared)
        : RationalLifting(
          ring: complex.ring, matrix: matrix.clearing(rows: cleared), modulo: field, skipping: nil)
      cleared = [Bool](repeating: false, count: matrix.columns)
      let pivots =
        isByRows[k] ? lifting.elimination.pivotRows : lifting.elimination.pivotColumns
      for j in pivots { cleared[j] = true }
      liftings.append(lifting)
    }
    self.liftings = liftings.reversed()
  }

  /// The ranks modulo p.
  var ranks: [Int] { liftings.map(\.elimination.pivotCount) }

  /// The coordinates of C^k that are pivots of neither δ_k nor δ_{k−1} (`FieldEliminations.freeCoordinates`).
  func freeCoordinates(degree k: Int) -> [Int] {
    var isFree = [Bool](repeating: true, count: dimensions[k])
    if k < liftings.count {
      let elimination = liftings[k].elimination
      for j in isByRows[k] ? elimination.pivotRows : elimination.pivotColumns { isFree[j] = false }
    }
    if k > 0 {
      let elimination = liftings[k - 1].elimination
      for i in isByRows[k - 1] ? elimination.pivotColumns : elimination.pivotRows {
        isFree[i] = false
      }
    }
    return isFree.indices.filter { isFree[$0] }
  }

  /// The multiple without common divisor of the cocycle that is 1 in one free coordinate and 0 in the others and in
  /// the pivot rows of δ_{k−1}; nil if there is none over ℚ. All must have been eliminated by rows.
  func cocycle(degree k: Int, free: Int) throws(ArithmeticOverflow) -> [BigInt]? {
    if k < liftings.count { return try liftings[k].relation(ofRow: free) }
    var values = [BigInt](repeating: 0, count: dimensions[k])
    values[free] = 1
    return values
  }

  /// Whether the rank of δ_k over ℚ is that modulo p.
  ///
  /// By rows: a cocycle over ℚ for each free coordinate of C^k, and the coboundaries, whose rank is no less than
  /// modulo p, make up a kernel as large as that modulo p. By columns the same of the transpose.
  func provesRank(degree k: Int) throws(ArithmeticOverflow) -> Bool {
    for free in freeCoordinates(degree: isByRows[k] ? k : k + 1) {
      if try liftings[k].relation(ofRow: free) == nil { return false }
    }
    return true
  }
}

extension RationalLifting {
  /// The y with yᵀA = 0 that is 0 in the rows without a pivot besides row `i`, without a common divisor and above 0
  /// there; nil if there is none.
  fileprivate func relation(ofRow i: Int) throws(ArithmeticOverflow) -> [BigInt]? {
    var right = [Ring.Element](repeating: 0, count: matrix.columns)
    for j in 0..<matrix.columns {
      for k in matrix.columnStarts[j]..<matrix.columnStarts[j + 1]
      where matrix.rowIndices[k] == i { right[j] = ring.negative(matrix.values[k]) }
    }
    guard let solution = try solution(of: right) else { return nil }
    var values = solution.numerators
    values[i] = solution.denominator
    return values
  }
}
