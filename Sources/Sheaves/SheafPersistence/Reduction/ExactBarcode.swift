import BigInt
import CellularSheaves
import ExactAlgebra
import LinearAlgebra

/// The bars over a field without rounding, the coboundaries reduced one after the other from degree 0 on.
struct ExactBarcode: ExactComputation {
  let filtration: SheafFiltration
  /// The largest degree of bars.
  let top: Int
  let findingRepresentatives: Bool

  func result<Arithmetic>(
    _ coboundaries: ExactCoboundaries<Arithmetic>
  ) throws -> [PersistenceInterval] {
    typealias Element = Arithmetic.Element
    let dimension = filtration.sheaf.complex.dimension
    guard min(top, dimension) >= 0 else { return [] }
    let order = FilteredOrder(filtration, degrees: min(top + 1, dimension) + 1)
    var result: [PersistenceInterval] = []
    var cleared = [Bool](repeating: false, count: order.count(0))
    var previous: SparseColumns<Element>?
    for k in 0...min(top, dimension) {
      let given = k < dimension ? try coboundaries.columns(degree: k) : nil
      if let previous, let given { try coboundaries.checkSquare(previous, given, degree: k - 1) }
      previous = given
      let reduced = try FilteredReduction.reduce(
        ordered(given, order, degree: k), with: coboundaries.arithmetic, skipping: cleared,
        recording: findingRepresentatives)
      cleared = [Bool](repeating: false, count: k < dimension ? order.count(k + 1) : 0)
      let bar = { (column: Int, death: Double, cochain: [(row: Int, value: Element)]?) in
        PersistenceInterval(
          degree: k, birth: order.values[k][column], death: death,
          representative: cochain.map {
            Self.representative($0, order.coordinates[k], coboundaries.whole)
          })
      }
      for (column, row, cochain) in reduced.pairs {
        cleared[row] = true
        let death = order.values[k + 1][row]
        if order.values[k][column] < death { result.append(bar(column, death, cochain)) }
      }
      for (column, cochain) in reduced.cocycles { result.append(bar(column, .infinity, cochain)) }
    }
    return result
  }

  /// Rows and columns in the order of appearance; in the top degree columns without rows.
  private func ordered<Element>(
    _ matrix: SparseColumns<Element>?, _ order: FilteredOrder, degree k: Int
  ) -> SparseColumns<Element> {
    var result = SparseColumns<Element>(rows: matrix?.rows ?? 0)
    for j in order.coordinates[k] {
      guard let matrix else {
        result.appendColumn(EmptyCollection())
        continue
      }
      result.appendColumn(
        (matrix.columnStarts[j]..<matrix.columnStarts[j + 1]).lazy.map {
          (Int(order.places[k + 1][Int(matrix.rowIndices[$0])]), matrix.values[$0])
        })
    }
    return result
  }

  private static func representative<Element>(
    _ cochain: [(row: Int, value: Element)], _ coordinates: [Int], _ whole: (Element) -> BigInt
  ) -> PersistenceInterval.Representative {
    let sorted = cochain.map { (coordinates[$0.row], whole($0.value)) }.sorted { $0.0 < $1.0 }
    return .exact(SparseCocycle(coordinates: sorted.map(\.0), values: sorted.map(\.1)))
  }
}
