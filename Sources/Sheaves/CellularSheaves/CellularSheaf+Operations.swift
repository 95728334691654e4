import CellComplexes
import LinearAlgebra

extension CellularSheaf {
  /// F ⊕ G on one complex: stalks side by side, those of this sheaf first.
  public func directSum(_ other: CellularSheaf) throws -> CellularSheaf {
    try combined(with: other, stalk: +) { a, b in
      var sum = Matrix(rows: a.rows + b.rows, columns: a.columns + b.columns)
      sum.setBlock(row: 0, column: 0, to: a)
      sum.setBlock(row: a.rows, column: a.columns, to: b)
      return sum
    }
  }

  /// F ⊗ G on one complex: the Kronecker products of the maps, coordinate (i, j) of a stalk at i · dim G + j.
  public func tensorProduct(_ other: CellularSheaf) throws -> CellularSheaf {
    try combined(with: other, stalk: *) { $0.kronecker($1) }
  }

  private func combined(
    with other: CellularSheaf, stalk: (Int, Int) -> Int, _ combine: (Matrix, Matrix) -> Matrix
  ) throws -> CellularSheaf {
    precondition(complex == other.complex, "two sheaves on different complexes")
    let weights: [InnerProduct]? =
      isUnweighted && other.isUnweighted
      ? nil
      : (0..<complex.count).map { cell in
        .matrix(
          combine(
            products[cell].dense(self.stalk(of: cell)),
            other.products[cell].dense(other.stalk(of: cell))))
      }
    return try CellularSheaf(
      complex, stalks: (0..<complex.count).map { stalk(self.stalk(of: $0), other.stalk(of: $0)) },
      weights: weights
    ) { i in
      let face = complex.face(i)
      return .matrix(
        combine(
          maps[i].dense(self.stalk(of: face)), other.maps[i].dense(other.stalk(of: face))))
    }
  }

  /// The external tensor product F ⊠ G on the product of the complexes: F(σ) ⊗ G(τ) on σ × τ. Its cohomology is
  /// H^k = ⊕ H^i(F) ⊗ H^{k−i}(G) (Künneth).
  public func externalProduct(_ other: CellularSheaf) throws -> CellularSheaf {
    let product = complex.product(other.complex)
    let pairs = complex.productCells(with: other.complex)
    let stalks = pairs.map { stalk(of: $0.0) * other.stalk(of: $0.1) }
    let weights: [InnerProduct]? =
      isUnweighted && other.isUnweighted
      ? nil
      : pairs.map { a, b in
        .matrix(
          products[a].dense(stalk(of: a)).kronecker(other.products[b].dense(other.stalk(of: b))))
      }
    let cellOf = product.cellsOfIncidences
    return try CellularSheaf(product, stalks: stalks, weights: weights) { i in
      let ((a, b), (c, d)) = (pairs[cellOf[i]], pairs[product.face(i)])
      // Faces of σ × τ: first those of σ, then those of τ, in their order.
      let place = i - product.incidences(of: cellOf[i]).lowerBound
      let ofFirst = complex.incidences(of: a)
      let isFirst = place < ofFirst.count
      let left =
        isFirst
        ? maps[ofFirst.lowerBound + place].dense(stalk(of: c)) : .identity(stalk(of: a))
      let right =
        isFirst
        ? .identity(other.stalk(of: b))
        : other.maps[other.complex.incidences(of: b).lowerBound + place - ofFirst.count]
          .dense(other.stalk(of: d))
      return .matrix(left.kronecker(right))
    }
  }

  /// The sheaf on some of the cells, with the incidences among them: the restriction to a subcomplex where they are
  /// closed; where they are open, its cochains are those that vanish on the complement, whose cohomology is the relative one.
  ///
  /// - Returns: the sheaf, and the cell of this complex that each of its cells is.
  public func restricted(to cells: Set<Int>) -> (sheaf: CellularSheaf, cells: [Int]) {
    let part = complex.part(cells)
    var table = maps
    table.choose(part.incidences)
    var starts = [0]
    for cell in part.cells { starts.append(starts.last! + stalk(of: cell)) }
    let products =
      isUnweighted ? InnerProducts() : InnerProducts(part.cells.map { self.products[$0] })
    return (
      CellularSheaf(unchecked: part.complex, starts: starts, maps: table, products: products),
      part.cells
    )
  }
}

extension Matrix {
  /// The Kronecker product.
  func kronecker(_ other: Matrix) -> Matrix {
    var product = Matrix(rows: rows * other.rows, columns: columns * other.columns)
    for j in 0..<columns {
      for i in 0..<rows {
        var block = other
        block.scale(by: self[i, j])
        product.setBlock(row: i * other.rows, column: j * other.columns, to: block)
      }
    }
    return product
  }
}
