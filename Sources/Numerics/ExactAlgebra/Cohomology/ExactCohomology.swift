import BigInt
import LinearAlgebra

/// The cohomology H^k = ker δ_k / im δ_{k−1} of a cochain complex, without rounding.
///
/// Over a field its dimension is b_k = n_k − rank δ_k − rank δ_{k−1}; over ℤ
/// H^k = ℤ^(b_k) ⊕ ⨁ ℤ/d, d the invariant factors of δ_{k−1} above 1, and b_k is that over ℚ.
///
/// The ranks come from eliminations with unit pivots, in which coboundaries clear one another
/// (`UnitPivotElimination`). Over ℚ the elimination is one modulo a prime p of 31 bits, and it is proved: the rank of δ_k
/// is at least that modulo p, and at most that if H^k modulo p or H^{k+1} modulo p is 0, or if the classes of
/// H^k modulo p lift to cocycles over ℚ; if they do not, another prime is taken.
/// Over ℤ, what has no unit pivot goes to a `SmithNormalForm`.
///
/// Cost: for regular cell complexes and their constant sheaves mostly proportional to the number of
/// cells and their faces; at worst cubic. Over ℤ, the matrix without unit pivots is a dense one.
public struct ExactCohomology: Sendable, Equatable {
  /// The ring of coefficients.
  public enum Coefficients: Sendable, Equatable {
    /// GF(p), 2 ≤ p < 2³¹.
    case prime(Int)
    /// ℚ; every number of a coboundary counts as the dyadic rational that it is.
    case rational
    /// ℤ.
    case integer
  }

  /// The ring of coefficients.
  public let coefficients: Coefficients
  /// b_k for each degree: the dimension of H^k over a field, the rank of its free part over ℤ.
  public let betti: [Int]
  /// The rank of δ_k for each coboundary; over ℤ that over ℚ.
  public let ranks: [Int]
  /// For each degree the d > 1 with H^k = ℤ^(b_k) ⊕ ⨁ ℤ/d, each a divisor of the next; empty over fields.
  public let torsion: [[BigInt]]
  /// For each degree b_k cocycles, if asked for, and else none. Over a field their classes are a basis
  /// of H^k; over ℤ, a basis of H^k ⊗ ℚ, and their numbers have no common divisor.
  public let representatives: [[SparseCocycle]]

  /// The cohomology of 0 → C⁰ → C¹ → … with coboundaries δ_k: C^k → C^(k+1).
  ///
  /// - Parameters:
  ///   - dimensions: n_k for each degree.
  ///   - coboundaries: δ_k of shape (n_{k+1}, n_k), one fewer.
  ///   - findingRepresentatives: whether to find cocycles; each costs at least a sweep over an
  ///     elimination.
  /// - Throws: `CochainComplexError`, if shapes do not match, an entry has no image in the ring, p is no
  ///   prime, or δ_{k+1} δ_k ≠ 0 in the ring.
  public init(
    dimensions: [Int], coboundaries: [SparseMatrix], over coefficients: Coefficients,
    findingRepresentatives: Bool = false
  ) throws(CochainComplexError) {
    let parts: CohomologyParts
    switch coefficients {
    case .prime(let p):
      parts = try CohomologyParts(
        modulo: p, dimensions, coboundaries, findingRepresentatives: findingRepresentatives)
    case .rational, .integer:
      let isOverIntegers = coefficients == .integer
      if let small = try CohomologyParts(
        in: Integers(), dimensions, coboundaries, isOverIntegers: isOverIntegers,
        findingRepresentatives: findingRepresentatives)
      {
        parts = small
      } else if let large = try CohomologyParts(
        in: BigIntegers(), dimensions, coboundaries, isOverIntegers: isOverIntegers,
        findingRepresentatives: findingRepresentatives)
      {
        parts = large
      } else {
        preconditionFailure("integers without bounds that overflow")
      }
    }
    self.coefficients = coefficients
    ranks = parts.ranks
    betti = CohomologyParts.betti(dimensions: dimensions, ranks: parts.ranks)
    torsion = parts.torsion
    representatives = parts.representatives
  }
}

/// A cocycle by its values that are not 0.
public struct SparseCocycle: Sendable, Equatable {
  /// The coordinates of C^k, ascending.
  public let coordinates: [Int]
  /// The values there; over GF(p) the residues of least magnitude, over ℚ and ℤ whole numbers.
  public let values: [BigInt]

  /// A cocycle with these values, as many as coordinates.
  public init(coordinates: [Int], values: [BigInt]) {
    (self.coordinates, self.values) = (coordinates, values)
  }
}
