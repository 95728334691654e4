import LinearAlgebra
import SheafCoarsening

/// An orthonormal basis of a tree of pixels whose sections are learnt: local principal components, handed up the tree.
///
/// Each pixel has itself, ℝ. In a part P the bases of the parts below, V = (V_1 … V_c), stand side by side, S is the covariance of
/// images, and u_1, u_2, … are the eigenvectors of VᵀSV by descending eigenvalue:
///
///     the columns V u_1 … V u_k are handed up, the others are wavelets of P.
///
/// At the last part all are kept. With k = 1 and two parts below it is a treelet (Lee, Nadler, Wasserman 2008), and what is handed up
/// is the section of an edge: the map (a, b) with a, b ⊥ u_1 has it as its kernel. With k = 64 it is all principal components.
struct LearnedSections {
  /// The elements of the basis, one a column.
  let vectors: Matrix

  /// - Parameter k: the dimension of the stalks of parts.
  init(_ covariance: Matrix, _ hierarchy: VertexHierarchy, stalk k: Int) throws {
    let n = covariance.rows
    let unit = Matrix.identity(n)
    var bases = (0..<n).map { unit.columns($0..<$0 + 1) }
    var wavelets: [Matrix] = []
    for level in 1..<hierarchy.levels {
      bases = try hierarchy.children(level).map { below in
        let parts = below.map { bases[$0] }
        let v = Matrix(
          rows: n, columns: parts.reduce(0) { $0 + $1.columns },
          columnMajor: parts.flatMap(\.elements))
        let gram = Moments.product(v, covariance * v, .left)
        let ascending = v * (try SymmetricEigendecomposition(gram).vectors)
        let descending = ascending.columns(Array((0..<ascending.columns).reversed()))
        let kept = min(k, descending.columns)
        wavelets.append(descending.columns(kept..<descending.columns))
        return descending.columns(0..<kept)
      }
    }
    vectors = Matrix(
      rows: n, columns: n, columnMajor: (bases + wavelets.reversed()).flatMap(\.elements))
  }
}
