import BigInt
import LinearAlgebra

/// The invariant factors of a dense matrix A of integers of rank r whose elimination over ℤ grows too much.
///
/// A is made diagonal modulo a number M that s_r divides; since s_i | M, the factors are the greatest common
/// divisors of the diagonal and M (Cohen 1993, §2.4.3). Where M comes from:
///
/// - For a square matrix B, s₁, …, s_{r−1} all divide s₁ ⋯ s_{r−1} = |det B|/s_r, and so |det B|/s for any
///   s | s_r. The denominator of the solution x of xᵀB = bᵀ is such an s, for a random b mostly not far from
///   s_r (Pan 1988; Abbott, Bronstein, Mulders 1999, doi:10.1145/309831.309934). So M = |det B|/s is small,
///   and it will do for all but the last factor, which is |det B|/(s₁ ⋯ s_{r−1}).
/// - In general s₁ ⋯ s_r divides every r × r minor, and M is the greatest common divisor of a few that are
///   not 0.
///
/// The rank is exact: it is that modulo a prime p, and if it is not full, the relations among the rows are
/// lifted to ℚ; if they cannot be, p divides a factor and another prime is taken.
struct ModularSmith {
  /// s₁ | s₂ | … | s_r.
  let factors: [BigInt]

  init(_ matrix: IntegerMatrix<BigInt>) {
    for field in PrimeField.large {
      if let factors = ModularSmith.factors(of: matrix, modulo: field) {
        self.factors = factors
        return
      }
    }
    preconditionFailure("no prime left")
  }

  /// nil if the rank modulo p is less than over ℚ.
  private static func factors(
    of a: IntegerMatrix<BigInt>, modulo field: PrimeField
  ) -> [BigInt]? {
    let lifting = lifting(a, modulo: field)
    let elimination = lifting.elimination
    let rank = elimination.pivotCount
    let isPivotRow = Set(elimination.pivotRows)
    for i in 0..<a.rows where rank < a.columns && !isPivotRow.contains(i) {
      guard lifting.knownSolution(of: (0..<a.columns).map { a[i, $0] }) != nil else { return nil }
    }
    if rank == 0 { return [] }
    let b = a.minor(rows: elimination.pivotRows, columns: elimination.pivotColumns)
    if rank == a.rows && rank == a.columns { return squareFactors(of: b, modulo: field) }
    var modulus = BigInt(b.determinant.magnitude)
    var generator = RandomGenerator(seed: 1)
    for _ in 0..<3 where modulus.bitWidth > 32 {
      let shuffled = a.minor(
        rows: generator.permutation(a.rows), columns: generator.permutation(a.columns))
      let other = ModularSmith.lifting(shuffled, modulo: field).elimination
      let minor = shuffled.minor(rows: other.pivotRows, columns: other.pivotColumns)
      modulus = modulus.greatestCommonDivisor(with: minor.determinant)
    }
    return chain(of: a, modulo: modulus, count: rank)
  }

  /// The factors of a square matrix whose determinant is not 0 modulo p.
  private static func squareFactors(
    of b: IntegerMatrix<BigInt>, modulo field: PrimeField
  ) -> [BigInt] {
    let determinant = BigInt(b.determinant.magnitude)
    let divisor = denominator(for: b, modulo: field)
    let first = chain(of: b, modulo: determinant / divisor, count: b.rows).dropLast()
    return first + [determinant / first.reduce(1, *)]
  }

  private static func lifting(
    _ a: IntegerMatrix<BigInt>, modulo field: PrimeField
  ) -> RationalLifting<BigIntegers> {
    RationalLifting(ring: BigIntegers(), matrix: a.sparse, modulo: field, skipping: nil)
  }

  /// The denominator of the solution x of xᵀB = bᵀ for a random b.
  private static func denominator(
    for b: IntegerMatrix<BigInt>, modulo field: PrimeField
  ) -> BigInt {
    var generator = RandomGenerator(seed: 2)
    let right = (0..<b.columns).map { _ in BigInt(Int.random(in: -9999...9999, using: &generator)) }
    guard let solution = lifting(b, modulo: field).knownSolution(of: right) else {
      preconditionFailure("a matrix with a unit determinant modulo p without solution")
    }
    return solution.denominator
  }

  /// gcd(s_i, M) for i = 1, …, r.
  private static func chain(
    of a: IntegerMatrix<BigInt>, modulo modulus: BigInt, count: Int
  ) -> [BigInt] {
    if modulus == 1 { return [BigInt](repeating: 1, count: count) }
    var diagonal: [BigInt]
    if modulus.bitWidth <= 32 {
      let small = Diagonalization(ring: Integers(), modulus: Int(modulus))
      diagonal = known { () throws(ArithmeticOverflow) in
        try small.diagonal(of: a.map { Int($0 % modulus) })
      }.map { BigInt($0) }
    } else {
      let large = Diagonalization(ring: BigIntegers(), modulus: modulus)
      diagonal = known { () throws(ArithmeticOverflow) in try large.diagonal(of: a) }
    }
    // The diagonal may be longer than r where M is no prime power: (2, 3) is (1, 0) modulo 6.
    diagonal += [BigInt](repeating: modulus, count: max(0, count - diagonal.count))
    return Array(SmithNormalForm.divisorChain(diagonal).prefix(count))
  }

  private static func known<Value>(_ compute: () throws(ArithmeticOverflow) -> Value) -> Value {
    do {
      return try compute()
    } catch {
      preconditionFailure("numbers below 2⁶³ or without bounds that overflow")
    }
  }
}

extension RationalLifting where Ring == BigIntegers {
  /// The solution over integers that cannot overflow.
  func knownSolution(of right: [BigInt]) -> Solution? {
    do {
      return try solution(of: right)
    } catch {
      preconditionFailure("integers without bounds that overflow")
    }
  }
}
