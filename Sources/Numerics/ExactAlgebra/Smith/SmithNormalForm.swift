import BigInt
import LinearAlgebra

/// The Smith normal form of a matrix of integers: A = U D V with U, V of determinant ±1 and D diagonal with
/// d₁ | d₂ | … | d_r on its diagonal, all above 0, r the rank.
///
/// d₁ ⋯ d_k is the greatest common divisor of all k × k minors, and the cokernel of A is
/// ℤ^(rows − r) ⊕ ⨁ ℤ/d_i.
///
/// Unit pivots are eliminated first; what remains is made diagonal in machine integers if they suffice, and
/// else modulo a multiple of its last factor (`ModularSmith`). Machine integers that overflow give way to
/// `BigInt`. What remains is held as a dense matrix: a few hundred rows and columns are meant.
public struct SmithNormalForm: Sendable, Equatable {
  /// How many of the d_i are 1.
  public let unitCount: Int
  /// The d_i above 1, each a divisor of the next.
  public let torsion: [BigInt]

  /// The rank r of the matrix over the rational numbers.
  public var rank: Int { unitCount + torsion.count }
  /// All d_i.
  public var invariantFactors: [BigInt] {
    [BigInt](repeating: 1, count: unitCount) + torsion
  }

  /// The Smith normal form of a matrix of whole numbers.
  ///
  /// - Throws: `UnreadableEntry`, if a number is not whole.
  public init(_ matrix: SparseMatrix) throws(UnreadableEntry) {
    if let small = try? SparseColumns(matrix, over: Integers()) {
      self.init(small)
    } else {
      self.init(try SparseColumns(matrix, over: BigIntegers()))
    }
  }

  /// The Smith normal form of a matrix of machine integers.
  public init(_ matrix: SparseColumns<Int>) {
    if let elimination = try? UnitPivotElimination(matrix, over: Integers()) {
      self.init(elimination)
    } else {
      self.init(matrix.mapValues(droppingZero: 0) { BigInt($0) })
    }
  }

  /// The Smith normal form of a matrix of integers of any size.
  public init(_ matrix: SparseColumns<BigInt>) {
    guard let elimination = try? UnitPivotElimination(matrix, over: BigIntegers()) else {
      preconditionFailure("integers without bounds that overflow")
    }
    self.init(elimination)
  }

  /// 1 for each unit pivot, and the factors of the remainder.
  init<Ring: IntegerRing>(_ elimination: UnitPivotElimination<Ring>) {
    let remainder = IntegerMatrix(nonzeroPartOf: elimination.remainder)
    let factors = SmithNormalForm.factors(of: remainder.map { BigInt($0) })
    unitCount = elimination.pivotCount + factors.count { $0 == 1 }
    torsion = factors.filter { $0 != 1 }
  }

  private static func factors(of matrix: IntegerMatrix<BigInt>) -> [BigInt] {
    if matrix.elements.allSatisfy({ $0.magnitude < 1 << 62 }) {
      let small = Diagonalization(ring: Integers(), modulus: 0)
      if let diagonal = try? small.diagonal(of: matrix.map { Int($0) }) {
        return divisorChain(diagonal.map { BigInt($0) })
      }
    }
    return ModularSmith(matrix).factors
  }

  /// The Smith normal form of a diagonal matrix without zeros: ℤ/a ⊕ ℤ/b = ℤ/gcd(a, b) ⊕ ℤ/lcm(a, b).
  static func divisorChain(_ diagonal: [BigInt]) -> [BigInt] {
    let units = diagonal.count { $0 == 1 }
    var chain = diagonal.filter { $0 != 1 }
    for i in chain.indices {
      for j in chain.indices[(i + 1)...] where chain[j] % chain[i] != 0 {
        let divisor = chain[i].greatestCommonDivisor(with: chain[j])
        chain[j] = chain[j] / divisor * chain[i]
        chain[i] = divisor
      }
    }
    return [BigInt](repeating: 1, count: units) + chain
  }
}
