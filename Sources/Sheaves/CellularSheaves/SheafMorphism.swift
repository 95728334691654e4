import CellComplexes
import LinearAlgebra

/// A morphism φ : F → G of sheaves on one complex: a linear map φ_σ : F(σ) → G(σ) for each cell that commutes with the
/// restriction maps, φ_τ F_{σ ⊴ τ} = G_{σ ⊴ τ} φ_σ. It induces maps H^k(F) → H^k(G).
public struct SheafMorphism: Sendable {
  /// F.
  public let source: CellularSheaf
  /// G.
  public let target: CellularSheaf
  /// φ_σ of each cell, (dim G(σ), dim F(σ)).
  public let components: [Matrix]

  /// A morphism from its components.
  ///
  /// - Parameter tolerance: of the squares, relative to the sum over the two ways of the products of their maps' norms.
  /// - Throws: `morphism` for the first square that does not commute, `shape` for a component of the wrong shape.
  public init(
    from source: CellularSheaf, to target: CellularSheaf, components: [Matrix],
    tolerance: Double = 1e-10
  ) throws(SheafError) {
    let complex = source.complex
    precondition(
      complex == target.complex && components.count == complex.count,
      "\(components.count) components, sheaves on one complex of \(complex.count) cells")
    (self.source, self.target, self.components) = (source, target, components)
    for cell in 0..<complex.count {
      let (name, m) = (complex.name(cell), components[cell])
      guard m.rows == target.stalk(of: cell) && m.columns == source.stalk(of: cell) else {
        throw .shape(
          cell: name, face: name, found: m.shape,
          expected: "(\(target.stalk(of: cell)), \(source.stalk(of: cell)))")
      }
      guard m.firstNonFinite == nil else { throw .notFinite(cell: name, face: name) }
      for i in complex.incidences(of: cell) {
        let face = complex.face(i)
        let (below, above) = (source.maps[i], target.maps[i])
        var difference = m * below.dense(source.stalk(of: face))
        difference.add(above.dense(target.stalk(of: face)) * components[face], scale: -1)
        let scale =
          m.sumOfSquares.squareRoot() * below.norm
          + above.norm * components[face].sumOfSquares.squareRoot()
        let norm = difference.sumOfSquares.squareRoot()
        guard norm <= tolerance * scale else {
          throw .morphism(cell: name, face: complex.name(face), difference: norm)
        }
      }
    }
  }

  /// φ on cochains of degree k, a block diagonal matrix (dim C^k(G), dim C^k(F)).
  public func matrix(_ k: Int) -> SparseMatrix {
    var builder = SparseMatrix.ColumnBuilder(rows: target.cochainDimension(k))
    for cell in source.complex.cells(ofDimension: k) {
      let start = target.range(of: cell).lowerBound
      let m = components[cell]
      for j in 0..<m.columns {
        for i in 0..<m.rows { builder.append(row: start + i, m[i, j]) }
        builder.endColumn()
      }
    }
    return builder.matrix
  }

  /// The kernel, a subsheaf of the source: ker φ_σ in bases orthonormal in the coordinates of the stalks, with its inclusion.
  ///
  /// - Parameter tolerance: singular values of a component up to this times the largest count as 0.
  /// - Complexity: one dense decomposition for each cell.
  public func kernel(tolerance: Double = 1e-10) throws -> SheafMorphism {
    let bases = try components.map { try Self.subspaces($0, tolerance).kernel }
    return try source.subsheaf(bases)
  }

  /// The image, a subsheaf of the target: im φ_σ in orthonormal coordinates, with its inclusion.
  public func image(tolerance: Double = 1e-10) throws -> SheafMorphism {
    let bases = try components.map { try Self.subspaces($0, tolerance).image }
    return try target.subsheaf(bases)
  }

  /// Orthonormal bases of the kernel and the image of a matrix.
  ///
  /// From the eigenvectors of the symmetric matrix (0 A; Aᵀ 0), whose eigenvalues are ± the singular values: those of
  /// AᵀA would lose half of the digits.
  static func subspaces(
    _ a: Matrix, _ tolerance: Double
  ) throws(FactorizationError) -> (kernel: Matrix, image: Matrix) {
    let (m, n) = (a.rows, a.columns)
    var both = Matrix(rows: m + n, columns: m + n)
    both.setBlock(row: 0, column: m, to: a)
    both.setBlock(row: m, column: 0, to: a.transposed)
    let pairs = try SymmetricEigendecomposition(both)
    let top = max(pairs.values.last ?? 0, 0)
    let positive = pairs.values.indices.filter { pairs.values[$0] > tolerance * top && top > 0 }
    let scale = 2.0.squareRoot()
    var chosen = pairs.vectors.columns(positive)
    chosen.scale(by: scale)
    let image = chosen.rows(0..<m)
    let coimage = chosen.rows(m..<m + n)
    // The kernel: the complement of the coimage.
    var projection = Matrix.identity(n)
    projection.addProduct(coimage, coimage, transposing: .right, scale: -1)
    let complement = try SymmetricEigendecomposition(projection)
    let kernel = complement.vectors.columns(
      complement.values.indices.filter { complement.values[$0] > 0.5 })
    return (kernel, image)
  }
}

extension CellularSheaf {
  /// The subsheaf with given subspaces of the stalks, in the coordinates of their bases and with the inner products there,
  /// with its inclusion.
  ///
  /// - Parameter bases: orthonormal columns for each cell, which the restriction maps take into one another.
  /// - Throws: `morphism` where a map leaves the subspaces.
  public func subsheaf(_ bases: [Matrix]) throws -> SheafMorphism {
    let cellOf = complex.cellsOfIncidences
    let weights =
      isUnweighted
      ? nil
      : (0..<complex.count).map { cell in
        InnerProduct.matrix(products[cell].dense(stalk(of: cell)).congruent(bases[cell]))
      }
    let sheaf = try CellularSheaf(complex, stalks: bases.map(\.columns), weights: weights) { i in
      let face = complex.face(i)
      let image = maps[i].dense(stalk(of: face)) * bases[face]
      var map = Matrix(rows: bases[cellOf[i]].columns, columns: bases[face].columns)
      map.setProduct(bases[cellOf[i]], image, transposing: .left)
      return .matrix(map)
    }
    return try SheafMorphism(from: sheaf, to: self, components: bases, tolerance: 1e-8)
  }
}
