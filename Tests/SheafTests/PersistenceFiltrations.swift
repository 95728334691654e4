import CellComplexes
import CellularSheaves
import LinearAlgebra
import SheafPersistence

extension RandomGenerator {
  /// A sheaf of whole numbers on a random simplicial complex of dimension 2 with random values, many of them the
  /// same.
  mutating func filtration() -> SheafFiltration {
    let complex = simplicial(vertices: integer(3...6), facets: integer(2...6), dimension: 2).complex
    let sheaf = integerSheaf(on: complex, summands: integer(1...3))
    var values = (0..<complex.count).map { _ in Double(integer(0...3)) }
    for cell in 0..<complex.count {
      for i in complex.incidences(of: cell) {
        values[cell] = max(values[cell], values[complex.face(i)])
      }
    }
    return known { try SheafFiltration(sheaf, values: values) }
  }
}

extension SheafFiltration {
  /// The rank of H^q(X_b) → H^q(X_a) over GF(p) by definition.
  func denseRank(_ q: Int, from a: Double, to b: Double, modulo p: Int) -> Int {
    sheaf.denseRank(q, from: cells(upTo: a), to: cells(upTo: b), modulo: p)
  }

  /// The coordinates of C^q on X_a.
  func coordinates(_ q: Int, upTo a: Double) -> [Int] {
    sheaf.coordinates(sheaf.complex.cells(ofDimension: q).filter { values[$0] <= a })
  }
}

/// Dense matrices of residues, as rows.
enum DenseResidues {
  static func block(
    _ matrix: SparseMatrix, rows: [Int], columns: [Int], modulo p: Int
  ) -> [[Int]] {
    if rows.isEmpty { return [] }
    let dense = matrix.dense
    return rows.map { i in columns.map { (Int(dense[i, $0]) % p + p) % p } }
  }

  static func transposed(_ rows: [[Int]]) -> [[Int]] {
    guard let first = rows.first else { return [] }
    return first.indices.map { j in rows.map { $0[j] } }
  }

  static func rank(_ rows: [[Int]], modulo p: Int) -> Int { echelon(rows, modulo: p).pivots.count }

  /// A basis of the kernel.
  static func kernel(_ rows: [[Int]], columns n: Int, modulo p: Int) -> [[Int]] {
    let (reduced, pivots) = echelon(rows, modulo: p)
    return (0..<n).filter { !pivots.contains($0) }.map { free in
      var vector = [Int](repeating: 0, count: n)
      vector[free] = 1
      for (row, pivot) in pivots.enumerated() { vector[pivot] = (p - reduced[row][free]) % p }
      return vector
    }
  }

  /// The reduced echelon form and its pivot columns.
  private static func echelon(_ rows: [[Int]], modulo p: Int) -> (rows: [[Int]], pivots: [Int]) {
    var rows = rows
    var pivots: [Int] = []
    for j in 0..<(rows.first?.count ?? 0) {
      let top = pivots.count
      guard let i = rows.indices.dropFirst(top).first(where: { rows[$0][j] != 0 }) else { continue }
      rows.swapAt(top, i)
      let inverse = power(rows[top][j], p - 2, modulo: p)
      rows[top] = rows[top].map { $0 * inverse % p }
      for k in rows.indices where k != top && rows[k][j] != 0 {
        let factor = p - rows[k][j]
        for l in rows[k].indices { rows[k][l] = (rows[k][l] + factor * rows[top][l]) % p }
      }
      pivots.append(j)
    }
    return (rows, pivots)
  }

  private static func power(_ base: Int, _ exponent: Int, modulo p: Int) -> Int {
    var (result, square, rest) = (1, base % p, exponent)
    while rest > 0 {
      if rest & 1 == 1 { result = result * square % p }
      square = square * square % p
      rest >>= 1
    }
    return result
  }
}
