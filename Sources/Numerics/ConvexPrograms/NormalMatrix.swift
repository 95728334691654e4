import LinearAlgebra

/// The lower triangle of M = P + Gᵀ W⁻² G + Aᵀ R A for changing W and diagonal R, in one pattern.
///
/// W⁻¹G has in each row of an orthant the entries of that row of G, and in each row of a second-order cone all the
/// columns that the cone has: with explicit zeros a pattern that does not depend on W.
struct NormalMatrix: Sendable {
  private let cones: ConeBlocks
  /// The rows of G as columns, dense within second-order cones, followed by those of A if they are wanted.
  private let transposedRows: SparseMatrix
  /// The pattern of M, the diagonal included.
  private let pattern: SparseMatrix
  /// Where in the pattern the entries of P, of the products and of the diagonal are.
  private let quadraticPlaces: [Int32]
  private let productPlaces: [Int32]
  private let diagonalPlaces: [Int32]
  private let quadratic: SparseMatrix
  private let equalityRows: Int

  /// - Parameters:
  ///   - transposedInequalities: Gᵀ.
  ///   - transposedEqualities: Aᵀ, nil if R = 0.
  init(
    quadratic: SparseMatrix, transposedInequalities g: SparseMatrix, cones: ConeBlocks,
    transposedEqualities a: SparseMatrix?
  ) {
    (self.quadratic, self.cones, equalityRows) = (quadratic, cones, a?.columns ?? 0)
    let n = g.rows
    let rows = Self.dense(g, within: cones)
    transposedRows = a.map { rows.beside($0) } ?? rows
    let product = transposedRows.outerGram
    // A matrix that has an entry wherever one of the three has.
    var builder = SparseMatrix.ColumnBuilder(rows: n)
    builder.reserve(columns: n, entries: product.values.count + n)
    for j in 0..<n {
      builder.append(row: j, 1)
      var (p, q) = (product.columnStarts[j], quadratic.columnStarts[j])
      let (pEnd, qEnd) = (product.columnStarts[j + 1], quadratic.columnStarts[j + 1])
      while p < pEnd || q < qEnd {
        let a = p < pEnd ? product.rowIndices[p] : .max
        let b = q < qEnd ? quadratic.rowIndices[q] : .max
        let row = min(a, b)
        if row > j { builder.append(row: Int(row), 1) }
        if a == row { p += 1 }
        if b == row { q += 1 }
      }
      builder.endColumn()
    }
    pattern = builder.matrix
    quadraticPlaces = pattern.places(of: quadratic)
    productPlaces = pattern.places(of: product)
    diagonalPlaces = (0..<n).map { [pattern] in Int32($0 < n ? pattern.columnStarts[$0] : 0) }
  }

  /// Gᵀ with all entries of the columns of a second-order cone.
  private static func dense(_ g: SparseMatrix, within cones: ConeBlocks) -> SparseMatrix {
    var values: [Double] = []
    values.reserveCapacity(g.values.count)
    var builder = SparseMatrix.ColumnBuilder(rows: g.rows)
    builder.reserve(columns: g.columns, entries: g.values.count)
    for block in cones.blocks {
      if block.isOrthant {
        for row in block.start..<block.end {
          g.forEachEntry(ofColumn: row) { j, value in
            builder.append(row: j, 1)
            values.append(value)
          }
          builder.endColumn()
        }
      } else {
        let range = g.columnStarts[block.start]..<g.columnStarts[block.end]
        let all = Array(Set(g.rowIndices[range])).sorted()
        for row in block.start..<block.end {
          var k = g.columnStarts[row]
          for j in all {
            builder.append(row: Int(j), 1)
            if k < g.columnStarts[row + 1] && g.rowIndices[k] == j {
              values.append(g.values[k])
              k += 1
            } else {
              values.append(0)
            }
          }
          builder.endColumn()
        }
      }
    }
    return builder.matrix.with(values)
  }

  /// W⁻¹G in the layout of `transposedRows`, and √R A.
  private func scaledRows(_ scaling: NesterovToddScaling, _ weights: [Double]) -> [Double] {
    var values = transposedRows.values
    let (starts, w) = (transposedRows.columnStarts, scaling.w)
    for (number, block) in cones.blocks.enumerated() {
      if block.isOrthant {
        for row in block.start..<block.end {
          let factor = 1 / w[row]
          for k in starts[row]..<starts[row + 1] { values[k] *= factor }
        }
      } else {
        let first = starts[block.start]
        let (width, height) = (starts[block.start + 1] - first, block.end - block.start)
        let (w0, scale) = (w[block.start], 1 / scaling.eta[number])
        for j in 0..<width {
          let head = values[first + j]
          var inner = 0.0
          for i in 1..<height { inner += w[block.start + i] * values[first + i * width + j] }
          let factor = inner / (1 + w0) - head
          values[first + j] = scale * (w0 * head - inner)
          for i in 1..<height {
            let k = first + i * width + j
            values[k] = scale * (values[k] + factor * w[block.start + i])
          }
        }
      }
    }
    for row in 0..<equalityRows {
      let factor = weights[row].squareRoot()
      for k in starts[cones.rows + row]..<starts[cones.rows + row + 1] { values[k] *= factor }
    }
    return values
  }

  /// M + δ (I + diag M) for a relative and absolute δ.
  ///
  /// - Parameter weights: R, one number for each equality, if these were wanted.
  func matrix(
    _ scaling: NesterovToddScaling, weights: [Double], shift: Double, relativeShift: Double
  ) -> SparseMatrix {
    let product = transposedRows.with(scaledRows(scaling, weights)).outerGram
    var values = [Double](repeating: 0, count: pattern.values.count)
    for (k, place) in quadraticPlaces.enumerated() { values[Int(place)] += quadratic.values[k] }
    for (k, place) in productPlaces.enumerated() { values[Int(place)] += product.values[k] }
    for place in diagonalPlaces {
      values[Int(place)] += shift + relativeShift * values[Int(place)]
    }
    return pattern.with(values)
  }

  /// The diagonal of P + Gᵀ W⁻² G.
  func diagonal(_ scaling: NesterovToddScaling) -> [Double] {
    let values = scaledRows(scaling, [Double](repeating: 0, count: equalityRows))
    var result = quadratic.diagonal
    for k in values.indices { result[Int(transposedRows.rowIndices[k])] += values[k] * values[k] }
    return result
  }
}

extension SparseMatrix {
  /// The numbers of the entries of another matrix among those of this, which has them all.
  fileprivate func places(of other: SparseMatrix) -> [Int32] {
    var result = [Int32](repeating: 0, count: other.values.count)
    for j in 0..<columns {
      var k = columnStarts[j]
      for e in other.columnStarts[j]..<other.columnStarts[j + 1] {
        while rowIndices[k] < other.rowIndices[e] { k += 1 }
        result[e] = Int32(k)
      }
    }
    return result
  }
}
