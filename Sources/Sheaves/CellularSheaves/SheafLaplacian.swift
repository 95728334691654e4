import CellComplexes
import LinearAlgebra

/// A Laplacian of a sheaf on the cochains of degree k,
///
///     L^k = (δ^k)* δ^k + δ^{k−1} (δ^{k−1})*,
///
/// its upper part, its lower part or both, the adjoints being those of the weights (Hansen, Ghrist 2019, §3). In
/// orthonormal coordinates it is L = B Bᵀ with B = [(δ^k)ᵀ | δ^{k−1}]; there it is symmetric, and its kernel is the
/// harmonic cochains, one for each class of H^k.
public struct SheafLaplacian: Sendable {
  /// Which of the two summands.
  public enum Part: String, Sendable, CaseIterable {
    /// (δ^k)* δ^k.
    case up
    /// δ^{k−1} (δ^{k−1})*.
    case down
    /// Their sum.
    case hodge
  }

  /// The sheaf.
  public let sheaf: CellularSheaf
  /// k.
  public let degree: Int
  /// Which of the two summands it is.
  public let part: Part
  /// The lower triangle in orthonormal coordinates, (dim C^k, dim C^k).
  public let triangle: SparseMatrix
  /// Whether it is D^{−1/2} L D^{−1/2}.
  public let isNormalized: Bool

  /// Assembles a Laplacian.
  ///
  /// - Parameter isNormalized: D^{−1/2} L D^{−1/2}, D the block diagonal of L by cells; D^{−1/2} is the pseudo-inverse
  ///   root where a block is singular. Its eigenvalues lie in [0, m], m the most cells that meet in a column
  ///   of B, 2 on a graph.
  /// - Complexity: Σ over the rows of δ^k and the columns of δ^{k−1} of the square of their number of entries.
  public init(
    _ sheaf: CellularSheaf, degree k: Int, part: Part = .hodge, isNormalized: Bool = false
  ) {
    (self.sheaf, degree, self.part, self.isNormalized) = (sheaf, k, part, isNormalized)
    triangle = Self.factor(sheaf, k, part, isNormalized).outerGram
  }

  /// B with B Bᵀ this Laplacian in orthonormal coordinates; assembled anew.
  public var factor: SparseMatrix { Self.factor(sheaf, degree, part, isNormalized) }

  private static func factor(
    _ sheaf: CellularSheaf, _ k: Int, _ part: Part, _ isNormalized: Bool
  ) -> SparseMatrix {
    let factor = sheaf.laplacianFactor(k, part)
    return isNormalized ? sheaf.normalized(factor, degree: k) : factor
  }

  /// The Laplacian as an operator on orthonormal coordinates.
  public var laplacian: SymmetricSparseMatrix {
    SymmetricSparseMatrix(lowerTriangle: triangle, .positiveSemidefinite)
  }
}

extension CellularSheaf {
  /// B with L^k = B Bᵀ in orthonormal coordinates, (dim C^k, dim C^{k+1} + dim C^{k−1}) for both parts.
  public func laplacianFactor(_ k: Int, _ part: SheafLaplacian.Part = .hodge) -> SparseMatrix {
    switch part {
    case .up: coboundaryTransposed(k, in: .orthonormal)
    case .down: coboundary(k - 1, in: .orthonormal)
    case .hodge:
      k == 0
        ? coboundaryTransposed(k, in: .orthonormal)
        : coboundaryTransposed(k, in: .orthonormal).beside(coboundary(k - 1, in: .orthonormal))
    }
  }

  /// D^{−1/2} B.
  func normalized(_ factor: SparseMatrix, degree k: Int) -> SparseMatrix {
    // The roots of the blocks, as rows of a block diagonal matrix; B Bᵀ block by block from the rows of B.
    let byRows = factor.transposed
    var builder = SparseMatrix.ColumnBuilder(rows: factor.columns)
    for cell in complex.cells(ofDimension: k) {
      let range = range(of: cell)
      let block = byRows.part(columns: Array(range))
      let root = Self.inverseRoot(block.transposed.outerGram.symmetrized.dense)
      for i in 0..<range.count {
        for j in 0..<range.count {
          block.forEachEntry(ofColumn: j) { builder.append(row: $0, root[i, j] * $1) }
        }
        builder.endColumn()
      }
    }
    return builder.matrix.transposed
  }

  /// The pseudo-inverse root of a positive semidefinite matrix.
  private static func inverseRoot(_ d: Matrix) -> Matrix {
    guard d.rows > 0, let pairs = try? SymmetricEigendecomposition(d) else { return d }
    let bound = 1e-12 * max(pairs.values.last!, 0)
    let roots = pairs.values.map { $0 > bound ? 1 / $0.squareRoot() : 0 }
    var scaled = pairs.vectors
    for j in 0..<d.columns { for i in 0..<d.rows { scaled[i, j] *= roots[j] } }
    var result = Matrix(rows: d.rows, columns: d.columns)
    result.setProduct(scaled, pairs.vectors, transposing: .right)
    return result
  }
}
