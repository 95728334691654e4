import LinearAlgebra

/// The eigenvectors of one eigenvalue, or of several that lie so near to each other that none of them has a vector of
/// its own to speak of.
public struct Eigenspace: Sendable {
  /// The eigenvalue; of several the one at the end of the spectrum.
  public let value: Double
  /// An orthonormal basis, (n, dimension); in each column the entry of largest magnitude is positive.
  public let vectors: Matrix
  /// ‖A v − θ v‖ over the largest eigenvalue of A, the largest of the basis; A is L for the top and L⁻¹ for the bottom of
  /// a spectrum. 0 from a dense decomposition.
  public let residual: Double

  /// The dimension.
  public var dimension: Int { vectors.columns }

  /// The space of the pairs at the end that a list begins with: all whose values are within `gap` of the first,
  /// relative to it.
  ///
  /// - Parameter order: the columns of the vectors in the order of the values; as they are if nil.
  init(
    values: [Double], vectors: Matrix, residuals: [Double] = [], order: [Int]? = nil, gap: Double
  ) {
    let count =
      vectors.columns == 0 ? 0 : values.prefix { abs($0 - values[0]) <= gap * abs(values[0]) }.count
    var basis = vectors.columns(Array((order ?? Array(0..<count)).prefix(count)))
    for j in 0..<count {
      let column = basis.column(j)
      let largest = column.max { abs($0) < abs($1) } ?? 0
      if largest < 0 { basis.scaleColumns(by: (0..<count).map { $0 == j ? -1 : 1 }) }
    }
    (value, self.vectors) = (values[0], basis)
    residual = residuals.prefix(count).max() ?? 0
  }

  /// The same space in other coordinates, lengths kept.
  init(_ other: Eigenspace, _ expanded: (Matrix) -> Matrix) {
    (value, residual, vectors) = (other.value, other.residual, expanded(other.vectors))
  }

  /// How much of each coordinate's axis lies in the space, over its dimension: v_i² of a single vector. The sum is 1.
  public var energies: [Double] {
    (0..<vectors.rows).map { i in
      (0..<dimension).reduce(0) { $0 + vectors[i, $1] * vectors[i, $1] } / Double(dimension)
    }
  }

  /// The root mean square of the cosines of the principal angles with another space, those that one of them lacks being 0:
  /// |cos| of two vectors.
  public func cosine(with other: Eigenspace) -> Double {
    var products = Matrix(rows: dimension, columns: other.dimension)
    products.setProduct(vectors, other.vectors, transposing: .left)
    return (products.sumOfSquares / Double(max(dimension, other.dimension))).squareRoot()
  }
}
