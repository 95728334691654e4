import CellComplexes
import CellularSheaves
import LinearAlgebra
import SparseFactorizations

/// The dimensions of the cohomology H^k = ker δ^k / im δ^{k−1} of a sheaf over the real numbers, from numerical ranks of
/// the coboundaries: dim H^k = dim C^k − rank δ^k − rank δ^{k−1}.
///
/// A rank is the number of columns that a rank-revealing factorisation keeps; what it dropped and the least that it kept
/// are reported beside it. Where they are near each other the numbers do not tell the rank: `isNarrow`. Exact
/// ranks are those of `exactCohomology`.
public struct RealCohomology: Sendable {
  /// The rank of a coboundary as a factorisation shows it.
  public struct Rank: Sendable, Equatable {
    /// The rank.
    public let value: Int
    /// Norms up to this count as 0.
    public let tolerance: Double
    /// The smallest pivot that was kept, ∞ if none.
    public let smallestKept: Double
    /// The norm of what was dropped.
    public let largestDropped: Double
    /// Whether the two are too near to tell the rank.
    public let isNarrow: Bool
    /// Whether the tolerance was raised for the sake of a gap: what is between the default one and this was dropped.
    public let isRaised: Bool
  }

  /// The rank of δ^k for each k from 0 to the dimension of the complex; the last is 0.
  public let ranks: [Rank]
  /// dim H^k for each k.
  public let betti: [Int]

  /// The cohomology of a sheaf. Relative cohomology is that of `sheaf.relative(to:)`.
  ///
  /// Maps are taken in orthonormal coordinates, so the weights have a say in what is small.
  ///
  /// - Parameter tolerance: norms of columns up to this count as 0; if nil 20 (m + n) ε times the largest column's norm or,
  ///   where that is narrow, the first larger one up to 10⁻⁶ of it that is not.
  /// - Throws: What the factorisations throw.
  /// - Complexity: one sparse QR factorisation for each degree.
  public init(
    _ sheaf: CellularSheaf, tolerance: Double? = nil
  ) throws(FactorizationError) {
    var ranks: [Rank] = []
    for k in 0..<max(sheaf.complex.dimension + 1, 0) {
      ranks.append(try Self.rank(sheaf, k, tolerance))
    }
    self.ranks = ranks
    betti = ranks.indices.map { k in
      sheaf.cochainDimension(k) - ranks[k].value - (k > 0 ? ranks[k - 1].value : 0)
    }
  }

  private static func rank(
    _ sheaf: CellularSheaf, _ k: Int, _ tolerance: Double?
  ) throws(FactorizationError) -> Rank {
    let transpose = sheaf.coboundaryTransposed(k, in: .orthonormal)
    // The tall one of the two has the smaller R.
    let qr = try RankRevealingQR.deciding(
      transpose.rows < transpose.columns ? transpose.transposed : transpose, by: tolerance)
    return Rank(
      value: qr.rank, tolerance: qr.tolerance, smallestKept: qr.smallestKept,
      largestDropped: qr.largestDropped, isNarrow: qr.isNarrow, isRaised: qr.isRaised)
  }

  /// Whether some tolerance was raised.
  public var isRaised: Bool { ranks.contains(where: \.isRaised) }

  /// Whether some rank has no gap.
  public var isNarrow: Bool { ranks.contains(where: \.isNarrow) }
}

extension CellularSheaf {
  /// The sheaf whose cohomology is H^k(X, A; F), A a closed set of cells: F on the open set of the others.
  ///
  /// - Throws: `quantity` where a cell of A has a face that is not in it.
  public func relative(
    to closed: Set<Int>
  ) throws(SheafError) -> (sheaf: CellularSheaf, cells: [Int]) {
    for cell in closed.sorted() {
      for i in complex.incidences(of: cell) where !closed.contains(complex.face(i)) {
        throw .quantity(
          name: "the cells relative to which",
          found:
            "\"\(complex.name(cell))\" without its face \"\(complex.name(complex.face(i)))\"",
          expected: "a closed set of cells, with all their faces")
      }
    }
    return restricted(to: Set(0..<complex.count).subtracting(closed))
  }

  /// The sheaf on the cells whose closure is all there, a subcomplex. It has the cohomology of the whole face poset, the
  /// ordinary one, where the proper faces of each open cell have an acyclic order complex, as the one end of a half-open
  /// edge does; an edge without ends has no face, and its H⁰ is lost. The complex of all cells computes the cohomology with
  /// compact supports (Curry 2014, §6.2).
  public func withoutOpenCells() -> CellularSheaf {
    let isComplete = complex.isComplete()
    return restricted(to: Set((0..<complex.count).filter { isComplete[$0] })).sheaf
  }
}
