import LinearAlgebra

/// Two steps down in a complex: the ways σ ⊴ τ ⊴ ρ from a cell to another of two dimensions less.
public struct CellSquare {
  /// ρ.
  public let cell: Int
  /// σ.
  public let face: Int
  /// The incidences τ ⊴ ρ and σ ⊴ τ of each way.
  public let ways: [(outer: Int, inner: Int)]
}

extension CellComplex {
  /// Visits all pairs of cells that differ by two dimensions, with the ways from one to the other.
  ///
  /// - Complexity: O(Σ w log w), w the number of ways below a cell.
  public func forEachSquare<Failure>(
    _ visit: (CellSquare) throws(Failure) -> Void
  ) throws(Failure) {
    guard dimension >= 2 else { return }
    var ways: [(face: Int32, outer: Int, inner: Int)] = []
    for cell in dimensionStarts[2]..<count {
      ways.removeAll(keepingCapacity: true)
      for i in incidences(of: cell) {
        for j in incidences(of: face(i)) { ways.append((faces[j], i, j)) }
      }
      ways.sort { ($0.face, $0.outer, $0.inner) < ($1.face, $1.outer, $1.inner) }
      var start = 0
      while start < ways.count {
        let end = ways[start...].firstIndex { $0.face != ways[start].face } ?? ways.count
        try visit(
          CellSquare(
            cell: cell, face: Int(ways[start].face),
            ways: ways[start..<end].map { ($0.outer, $0.inner) }))
        start = end
      }
    }
  }

  /// The product of the two incidence numbers on a way.
  public func sign(_ way: (outer: Int, inner: Int)) -> Int { sign(way.outer) * sign(way.inner) }

  /// Checks that the incidence numbers of every square add up to 0, that is, ∂∂ = 0.
  ///
  /// - Throws: `openSquare` for the first that do not.
  public func checkBoundaries() throws(CellComplexError) {
    try forEachSquare { (square) throws(CellComplexError) in
      let sum = square.ways.reduce(0) { $0 + sign($1) }
      guard sum == 0 else {
        throw .openSquare(of: name(square.cell), face: name(square.face), sum: sum)
      }
    }
  }

  /// Whether each cell is as a closed one is: its boundary is a cycle, and so are its faces. An edge is where it has two
  /// ends of opposite sign. What is no vertex and has no faces, as in an open part of a complex, is not.
  public func isComplete() -> [Bool] {
    let vertices = cells(ofDimension: 0)
    var result = (0..<count).map { vertices.contains($0) || !incidences(of: $0).isEmpty }
    for edge in cells(ofDimension: 1)
    where incidences(of: edge).reduce(0, { $0 + sign($1) }) != 0 { result[edge] = false }
    forEachSquare { square in
      if square.ways.reduce(0, { $0 + sign($1) }) != 0 { result[square.cell] = false }
    }
    for k in dimension < 1 ? [] : Array(1...dimension) {
      for cell in cells(ofDimension: k)
      where incidences(of: cell).contains(where: { !result[face($0)] }) { result[cell] = false }
    }
    return result
  }

  /// The matrix of the boundary ∂ : C_k → C_{k−1} with real coefficients, (cells of dimension k − 1, of k); that of the
  /// coboundary is its transpose.
  public func boundary(from k: Int) -> SparseMatrix {
    let (above, below) = (cells(ofDimension: k), cells(ofDimension: k - 1))
    var entries: [(row: Int, column: Int, value: Double)] = []
    for cell in above {
      for i in incidences(of: cell) {
        entries.append(
          (face(i) - below.lowerBound, cell - above.lowerBound, Double(sign(i))))
      }
    }
    return SparseMatrix(rows: below.count, columns: above.count, entries: entries)
  }
}
