import CellComplexes
import LinearAlgebra

/// The matrices of δ^k : C^k → C^{k+1}, (δc)_τ = Σ_{σ ⊴ τ} [σ : τ] F_{σ ⊴ τ} c_σ.
extension CellularSheaf {
  /// In which bases of the stalks a matrix is written.
  public enum Coordinates: Sendable {
    /// Those of the maps.
    case given
    /// Orthonormal ones: R_τ F R_σ⁻¹ for inner products W = RᵀR. The adjoint is the transpose there.
    case orthonormal
    /// Those of the maps below, orthonormal ones above: R_τ F. Then ‖δ c‖² is the energy of c.
    case orthonormalAbove
  }

  /// δ^k, (dim C^{k+1}, dim C^k).
  ///
  /// - Complexity: proportional to the entries of the maps.
  public func coboundary(_ k: Int, in coordinates: Coordinates = .given) -> SparseMatrix {
    coboundaryTransposed(k, in: coordinates).transposed
  }

  /// (δ^k)ᵀ, whose columns are the rows of δ^k.
  public func coboundaryTransposed(
    _ k: Int, in coordinates: Coordinates = .given
  ) -> SparseMatrix {
    // A closure that reads it through the sheaf would keep the whole sheaf alive, cell by cell.
    let complex = complex
    let (lower, upper) = (complex.cells(ofDimension: k), complex.cells(ofDimension: k + 1))
    var builder = SparseMatrix.ColumnBuilder(rows: cochainDimension(k))
    let base = lower.isEmpty ? 0 : starts[lower.lowerBound]
    let changes = coordinates != .given && !isUnweighted
    builder.reserve(
      columns: cochainDimension(k + 1),
      entries: upper.isEmpty
        ? 0
        : (complex.incidences(of: upper.upperBound - 1).upperBound
          - complex.incidences(of: upper.lowerBound).lowerBound)
          * (cochainDimension(k + 1) / max(upper.count, 1)))
    var ordered: [Int] = []
    for cell in upper {
      ordered.removeAll(keepingCapacity: true)
      ordered.append(contentsOf: complex.incidences(of: cell))
      if ordered.count == 2 {
        if complex.face(ordered[0]) > complex.face(ordered[1]) { ordered.swapAt(0, 1) }
      } else {
        ordered.sort { (complex.face($0), $0) < (complex.face($1), $1) }
      }
      let rows = stalk(of: cell)
      if changes {
        appendWeighted(cell, ordered, base, coordinates, to: &builder)
      } else {
        for row in 0..<rows {
          for i in ordered { appendRow(row, of: i, rows, base, to: &builder) }
          builder.endColumn()
        }
      }
    }
    return builder.matrix
  }

  @inline(__always) private func appendRow(
    _ row: Int, of incidence: Int, _ rows: Int, _ base: Int,
    to builder: inout SparseMatrix.ColumnBuilder
  ) {
    let start = starts[complex.face(incidence)] - base
    let sign = Double(complex.sign(incidence))
    switch maps.table[Int(maps.places[incidence])] {
    case .scalar(let s): builder.append(row: start + row, sign * s)
    case .matrix(let offset, let m, let n):
      for j in 0..<n { builder.append(row: start + j, sign * maps.buffer[offset + row + j * m]) }
    case .sparse(let t):
      maps.transposes[t].forEachEntry(ofColumn: row) { builder.append(row: start + $0, sign * $1) }
    }
  }

  /// The rows of a cell where there are weights.
  private func appendWeighted(
    _ cell: Int, _ ordered: [Int], _ base: Int, _ coordinates: Coordinates,
    to builder: inout SparseMatrix.ColumnBuilder
  ) {
    let rows = stalk(of: cell)
    let root = products[cell].root(rows)
    let blocks = ordered.map { i -> (start: Int, sign: Double, map: Matrix) in
      let face = complex.face(i)
      let n = stalk(of: face)
      let map = root * maps[i].dense(n)
      return (
        starts[face] - base, Double(complex.sign(i)),
        coordinates == .orthonormal ? map * products[face].inverseRoot(n) : map
      )
    }
    for row in 0..<rows {
      for block in blocks {
        for j in 0..<block.map.columns {
          builder.append(row: block.start + j, block.sign * block.map[row, j])
        }
      }
      builder.endColumn()
    }
  }

  /// The coordinates of cochains of degree k in orthonormal bases, R c, column by column.
  public func orthonormal(_ cochains: Matrix, degree k: Int) -> Matrix {
    changed(cochains, k) { $0.root($1) }
  }

  /// Cochains from their coordinates in orthonormal bases, R⁻¹ c̃.
  public func given(_ coordinates: Matrix, degree k: Int) -> Matrix {
    changed(coordinates, k) { $0.inverseRoot($1) }
  }

  /// W c, the weights of the stalks times cochains of degree k, column by column.
  public func weighted(_ cochains: Matrix, degree k: Int) -> Matrix {
    changed(cochains, k) { $0.dense($1) }
  }

  private func changed(
    _ cochains: Matrix, _ k: Int, _ change: (InnerProduct, Int) -> Matrix
  ) -> Matrix {
    precondition(
      cochains.rows == cochainDimension(k), "a cochain of degree \(k) of shape \(cochains.shape)")
    guard !isUnweighted else { return cochains }
    var result = cochains
    for cell in complex.cells(ofDimension: k) where products[cell] != .standard {
      let range = range(of: cell)
      result.setBlock(
        row: range.lowerBound, column: 0,
        to: change(products[cell], range.count) * cochains.rows(range))
    }
    return result
  }
}
