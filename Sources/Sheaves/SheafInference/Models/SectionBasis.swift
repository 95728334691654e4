import LinearAlgebra
import SheafCohomology
import SparseFactorizations

/// The solutions of linear constraints C x + c = 0: a particular one and a basis of the kernel of C, found for each group of
/// unknowns that constraints connect by itself, so that unknowns without constraints stay what they are.
struct SectionBasis {
  /// x₀, of least norm in each group.
  let particular: [Double]
  /// B, (unknowns, dimension of the kernel), orthonormal columns.
  let basis: SparseMatrix
  /// The largest |C x₀ + c|.
  let defect: Double

  /// - Throws: what factorisations throw; `outOfMemory` where a group's basis would not fit.
  init(_ constraints: Linearization, unknowns n: Int) throws(FactorizationError) {
    let byRows = constraints.transposed.transposed
    let components = constraints.transposed.outerGramPattern
    var point = [Double](repeating: 0, count: n)
    var columns: [(places: [Int], values: Matrix)] = []
    for places in components {
      let part = byRows.part(columns: places)
      let rows = Set(part.rowIndices).sorted().map(Int.init)
      guard !rows.isEmpty else {
        columns.append((places, .identity(places.count)))
        continue
      }
      let c = part.part(rows: rows)
      let right = Matrix(column: rows.map { -constraints.residual[$0] })
      let kernel = try RankRevealingQR.deciding(c.transposed, by: nil)
      if right.maximumMagnitude > 0 {
        let some = try RankRevealingQR.deciding(c, by: nil).solveLeastSquares(right)
        let least = kernel.project(some)
        for (i, place) in places.enumerated() { point[place] = least[i, 0] }
      }
      columns.append((places, try kernel.leftNullSpaceWithinMemory()))
    }
    var builder = SparseMatrix.ColumnBuilder(rows: n)
    for (places, values) in columns {
      for j in 0..<values.columns {
        for (i, place) in places.enumerated() { builder.append(row: place, values[i, j]) }
        builder.endColumn()
      }
    }
    (particular, basis) = (point, builder.matrix)
    let left = constraints.transposed.adjoint(Matrix(column: point)).column(0)
    defect = zip(left, constraints.residual).reduce(0) { max($0, abs($1.0 + $1.1)) }
  }
}

extension SparseMatrix {
  /// Bᵀ A for a basis B of orthonormal columns, given by its transpose.
  ///
  /// Where A has no part in a direction the sum leaves rounding, which would pass for a number once unknowns are scaled: what
  /// is below 10⁻¹³ of the norm of its column is left out.
  func along(_ basis: SparseMatrix) -> SparseMatrix {
    let product = basis.times(self)
    var builder = ColumnBuilder(rows: product.rows)
    for (j, square) in columnSquares.enumerated() {
      let least = 1e-13 * square.squareRoot()
      product.forEachEntry(ofColumn: j) { if abs($1) > least { builder.append(row: $0, $1) } }
      builder.endColumn()
    }
    return builder.matrix
  }

  /// Groups of rows that columns connect.
  fileprivate var outerGramPattern: [[Int]] {
    // A path through the rows of each column has the same components as the whole clique.
    var builder = ColumnBuilder(rows: rows)
    var pairs = [[Int32]](repeating: [], count: rows)
    for j in 0..<columns {
      for k in columnStarts[j]..<columnStarts[j + 1] where k > columnStarts[j] {
        pairs[Int(rowIndices[k - 1])].append(rowIndices[k])
      }
    }
    for list in pairs {
      for i in Set(list).sorted() { builder.append(row: Int(i), 1) }
      builder.endColumn()
    }
    return builder.matrix.connectedComponents
  }
}
