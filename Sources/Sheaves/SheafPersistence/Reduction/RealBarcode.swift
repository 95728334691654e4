import CellularSheaves
import LinearAlgebra

/// The bars over ℝ, the coboundaries reduced in orthonormal coordinates from degree 0 on.
struct RealBarcode {
  let filtration: SheafFiltration
  /// Relative to the largest column.
  let tolerance: Double?

  func barcode(upTo top: Int, findingRepresentatives: Bool) -> Barcode {
    let sheaf = filtration.sheaf
    let dimension = sheaf.complex.dimension
    guard min(top, dimension) >= 0 else { return Barcode([]) }
    let order = FilteredOrder(filtration, degrees: min(top + 1, dimension) + 1)
    var (result, decisions) = ([PersistenceInterval](), [Barcode.RankDecision]())
    var cleared = [Bool](repeating: false, count: order.count(0))
    for k in 0...min(top, dimension) {
      let matrix = k < dimension ? sheaf.coboundary(k, in: .orthonormal) : nil
      let bound = matrix?.negligible(tolerance) ?? 0
      let reduction = RealReduction(
        ordered(matrix, order, degree: k), rowValues: matrix == nil ? [] : order.values[k + 1],
        skipping: cleared, tolerance: bound, recording: findingRepresentatives)
      cleared = [Bool](repeating: false, count: k < dimension ? order.count(k + 1) : 0)
      let bar = { (column: Int, death: Double, cochain: RealReduction.Cochain?) in
        PersistenceInterval(
          degree: k, birth: order.values[k][column], death: death,
          representative: cochain.map { representative($0, order, degree: k) })
      }
      for (column, row, cochain) in reduction.result.pairs {
        cleared[row] = true
        let death = order.values[k + 1][row]
        if order.values[k][column] < death { result.append(bar(column, death, cochain)) }
      }
      for (column, cochain) in reduction.result.cocycles {
        result.append(bar(column, .infinity, cochain))
      }
      if matrix != nil {
        decisions.append(
          .init(
            degree: k, tolerance: bound, smallestKept: reduction.smallestKept,
            largestDropped: reduction.largestDropped))
      }
    }
    return Barcode(result, decisions: decisions)
  }

  private func ordered(
    _ matrix: SparseMatrix?, _ order: FilteredOrder, degree k: Int
  ) -> [RealReduction.Cochain] {
    order.coordinates[k].map { j in
      var column: RealReduction.Cochain = []
      matrix?.forEachEntry(ofColumn: j) { row, value in
        if value != 0 { column.append((Int(order.places[k + 1][row]), value)) }
      }
      return column
    }
  }

  /// The cochain in the coordinates of the maps.
  private func representative(
    _ cochain: RealReduction.Cochain, _ order: FilteredOrder, degree k: Int
  ) -> PersistenceInterval.Representative {
    var entries = cochain.map { (order.coordinates[k][$0.row], $0.value) }
    if !filtration.sheaf.isUnweighted {
      var dense = [Double](repeating: 0, count: order.count(k))
      for (i, value) in entries { dense[i] = value }
      let given = filtration.sheaf.given(Matrix(column: dense), degree: k).elements
      entries = given.enumerated().filter { $0.element != 0 }.map { ($0.offset, $0.element) }
    }
    entries.sort { $0.0 < $1.0 }
    return .real(coordinates: entries.map(\.0), values: entries.map(\.1))
  }
}
