import CellComplexes
import LinearAlgebra

/// Products with δ cell by cell: no matrix is made.
extension CellularSheaf {
  /// δ c for cochains of degree k, one per column.
  ///
  /// - Complexity: one multiplication for each entry of the maps and column.
  public func applyCoboundary(_ c: Matrix, degree k: Int) -> Matrix {
    precondition(c.rows == cochainDimension(k), "a cochain of degree \(k) of shape \(c.shape)")
    var result = Matrix(rows: cochainDimension(k + 1), columns: c.columns)
    forEachBlock(k) { map, face, cell, sign in
      result.update { elements, m in
        add(map, sign, c.elements, c.rows, face, to: &elements, m, cell, c.columns)
      }
    }
    return result
  }

  /// ½‖δ c‖² of cochains of degree k, one per column, in the inner products of the stalks.
  public func energies(_ c: Matrix, degree k: Int) -> [Double] {
    let image = orthonormal(applyCoboundary(c, degree: k), degree: k + 1)
    return (0..<c.columns).map { image.sumOfSquares(column: $0) / 2 }
  }

  /// Visits the incidences of cells of dimension k + 1 with the places of their stalks.
  @inline(__always) private func forEachBlock(
    _ k: Int,
    _ visit: (RestrictionMaps.Entry, _ face: Range<Int>, _ cell: Range<Int>, Double) -> Void
  ) {
    let (lower, upper) = (complex.cells(ofDimension: k), complex.cells(ofDimension: k + 1))
    guard !upper.isEmpty else { return }
    let (low, high) = (starts[lower.lowerBound], starts[upper.lowerBound])
    for cell in upper {
      let rows = starts[cell] - high..<starts[cell + 1] - high
      for i in complex.incidences(of: cell) {
        let face = complex.face(i)
        visit(
          maps.table[Int(maps.places[i])], starts[face] - low..<starts[face + 1] - low, rows,
          Double(complex.sign(i)))
      }
    }
  }

  /// y ← y + sign · F x on the places of two stalks.
  @inline(__always) private func add(
    _ map: RestrictionMaps.Entry, _ sign: Double, _ x: [Double], _ n: Int, _ from: Range<Int>,
    to y: inout [Double], _ m: Int, _ to: Range<Int>, _ columns: Int
  ) {
    for c in 0..<columns {
      let (source, target) = (c * n + from.lowerBound, c * m + to.lowerBound)
      switch map {
      case .scalar(let s):
        for i in 0..<to.count { y[target + i] += sign * s * x[source + i] }
      case .matrix(let start, let rows, let width):
        for j in 0..<width {
          for i in 0..<rows {
            y[target + i] += sign * maps.buffer[start + i + j * rows] * x[source + j]
          }
        }
      case .sparse(let t):
        for row in 0..<maps.transposes[t].columns {
          maps.transposes[t].forEachEntry(ofColumn: row) { j, value in
            y[target + row] += sign * value * x[source + j]
          }
        }
      }
    }
  }
}
