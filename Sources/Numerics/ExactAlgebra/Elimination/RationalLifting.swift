import BigInt

/// Exact rational solutions of yᵀA = bᵀ, A a matrix of integers, from one elimination of A modulo a prime p.
///
/// The digits of the p-adic expansion of y come one after the other, each by a solution modulo p
/// (Dixon 1982, doi:10.1007/BF01459082): y₀ = A⁻ᵀb mod p, and b − Aᵀy₀ is divisible by p. When they are
/// enough, the expansion's rational number is that of Euclid's algorithm stopped half way (Wang 1981).
/// What is returned has been multiplied out: it is right whatever the prime.
struct RationalLifting<Ring: IntegerRing> {
  let ring: Ring
  /// A.
  let matrix: SparseColumns<Ring.Element>
  /// A modulo p, eliminated with its history.
  let elimination: UnitPivotElimination<PrimeField>

  /// A vector of rational numbers with one denominator, in lowest terms together.
  struct Solution: Sendable, Equatable {
    /// A number for each row; 0 in rows without a pivot.
    var numerators: [BigInt]
    /// Above 0.
    var denominator: BigInt
  }

  /// The solution y of yᵀA = bᵀ that is 0 in the rows without a pivot; nil if there is none.
  ///
  /// If b is in the row space of A over the rationals, nil means that the rank of A is greater than
  /// modulo p. Cost: a sweep over A and over its elimination for each digit; the number of digits is that of the
  /// numerators and the denominator together.
  ///
  /// - Parameter right: b, a number for each column.
  func solution(of right: [Ring.Element]) throws(ArithmeticOverflow) -> Solution? {
    let field = elimination.ring
    let prime = Ring.Element(field.characteristic)
    var rest = right
    var numbers = [BigInt](repeating: 0, count: matrix.rows)
    var power: BigInt = 1
    var digits = 0
    var nextTry = 2
    while rest.contains(where: { $0 != 0 }) {
      let residues = rest.map { field.element(Int($0 % prime)) }
      let digit = elimination.leftSolution(of: residues).map { field.symmetric($0) }
      let factors = digit.map { Ring.Element($0) }
      for j in 0..<matrix.columns {
        for k in matrix.columnStarts[j]..<matrix.columnStarts[j + 1] {
          let factor = factors[Int(matrix.rowIndices[k])]
          if factor == 0 { continue }
          rest[j] = try ring.difference(rest[j], minus: matrix.values[k], times: factor)
        }
        let (quotient, remainder) = rest[j].quotientAndRemainder(dividingBy: prime)
        if remainder != 0 { return nil }
        rest[j] = quotient
      }
      for (i, d) in digit.enumerated() where d != 0 { numbers[i] += power * BigInt(d) }
      power *= BigInt(field.characteristic)
      digits += 1
      if digits == nextTry {
        nextTry *= 2
        if let candidate = fractions(of: numbers, modulo: power), solves(candidate, right) {
          return candidate
        }
      }
    }
    return Solution(numerators: numbers, denominator: 1)
  }

  /// Rational numbers congruent to the given ones, both parts below (modulus/2)^½ for each new factor of the
  /// denominator; nil if there are none.
  private func fractions(of numbers: [BigInt], modulo modulus: BigInt) -> Solution? {
    let bound = (modulus >> 1).squareRoot()
    var denominator: BigInt = 1
    for number in numbers where number != 0 {
      let scaled = symmetric(number * denominator, modulo: modulus)
      if scaled.magnitude <= bound.magnitude { continue }
      // Remainders r = u · scaled modulo the modulus, until r is small.
      var (r, s) = (modulus, scaled.signum() < 0 ? scaled + modulus : scaled)
      var (u, v): (BigInt, BigInt) = (0, 1)
      while s > bound {
        let (quotient, remainder) = r.quotientAndRemainder(dividingBy: s)
        (r, s) = (s, remainder)
        (u, v) = (v, u - quotient * v)
      }
      denominator *= BigInt(v.magnitude)
      if denominator > bound { return nil }
    }
    var numerators = numbers.map { symmetric($0 * denominator, modulo: modulus) }
    let common = numerators.reduce(denominator) { $0 == 1 ? 1 : $0.greatestCommonDivisor(with: $1) }
    if common != 1 {
      numerators = numerators.map { $0 / common }
      denominator /= common
    }
    return Solution(numerators: numerators, denominator: denominator)
  }

  private func symmetric(_ number: BigInt, modulo modulus: BigInt) -> BigInt {
    let rest = number.modulus(modulus)
    return rest + rest > modulus ? rest - modulus : rest
  }

  private func solves(_ candidate: Solution, _ right: [Ring.Element]) -> Bool {
    (0..<matrix.columns).allSatisfy { j in
      let sum = matrix.column(j).reduce(BigInt(0)) {
        $0 + BigInt($1.value) * candidate.numerators[$1.row]
      }
      return sum == candidate.denominator * BigInt(right[j])
    }
  }
}

extension RationalLifting {
  /// Eliminates A modulo p, without the columns that are marked.
  init(
    ring: Ring, matrix: SparseColumns<Ring.Element>, modulo field: PrimeField,
    skipping skipped: [Bool]?
  ) {
    let prime = Ring.Element(field.characteristic)
    let residues = matrix.mapValues(droppingZero: 0) { field.element(Int($0 % prime)) }
    self.init(
      ring: ring, matrix: matrix,
      elimination: UnitPivotElimination(
        overField: field, residues, skipping: skipped, recording: true))
  }
}

extension UnitPivotElimination where Ring == PrimeField {
  /// The elimination over a field, which cannot overflow.
  init(
    overField field: PrimeField, _ matrix: SparseColumns<UInt32>, skipping skipped: [Bool]?,
    recording: Bool = false
  ) {
    do {
      try self.init(matrix, over: field, skipping: skipped, recording: recording)
    } catch {
      preconditionFailure("residues that overflow")
    }
  }
}
