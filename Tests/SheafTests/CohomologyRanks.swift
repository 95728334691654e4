import CellularSheaves
import LinearAlgebra

extension CellularSheaf {
  /// The rank of H^q(X_b) → H^q(X_a) over GF(p) for closed sets of cells X_a ⊂ X_b by definition:
  /// dim (Z_b restricted to X_a + B_a) − dim B_a.
  func denseRank(_ q: Int, from a: Set<Int>, to b: Set<Int>, modulo p: Int) -> Int {
    let (low, high) = (coordinates(q, in: a), coordinates(q, in: b))
    let place = Dictionary(uniqueKeysWithValues: high.enumerated().map { ($1, $0) })
    let restricted = cocycles(q, on: b, modulo: p).map { cocycle in
      low.map { cocycle[place[$0]!] }
    }
    let coboundaries = coboundaries(q, on: a, modulo: p)
    return DenseResidues.rank(restricted + coboundaries, modulo: p)
      - DenseResidues.rank(coboundaries, modulo: p)
  }

  /// A basis of Z^q(X_a), in the coordinates of its cells.
  func cocycles(_ q: Int, on a: Set<Int>, modulo p: Int) -> [[Int]] {
    let columns = coordinates(q, in: a)
    return DenseResidues.kernel(
      DenseResidues.block(
        coboundary(q), rows: coordinates(q + 1, in: a), columns: columns, modulo: p),
      columns: columns.count, modulo: p)
  }

  /// Vectors that span B^q(X_a).
  func coboundaries(_ q: Int, on a: Set<Int>, modulo p: Int) -> [[Int]] {
    DenseResidues.transposed(
      DenseResidues.block(
        coboundary(q - 1), rows: coordinates(q, in: a), columns: coordinates(q - 1, in: a),
        modulo: p))
  }

  /// The coordinates of C^q on a set of cells.
  func coordinates(_ q: Int, in a: Set<Int>) -> [Int] {
    coordinates(complex.cells(ofDimension: q).filter { a.contains($0) })
  }
}
