import BigInt
import CellularSheaves
import ExactAlgebra
import LinearAlgebra

/// The bars over a field without rounding, the coboundaries reduced one after the other from degree 0 on.
struct ExactBarcode<Arithmetic: ColumnArithmetic> {
  typealias Element = Arithmetic.Element

  let filtration: SheafFiltration
  let arithmetic: Arithmetic
  /// How a coboundary is read; over ℚ a multiple of it does.
  let read: (SparseMatrix) throws(UnreadableEntry) -> SparseColumns<Element>
  /// The whole number that an element stands for.
  let whole: (Element) -> BigInt

  /// The bars up to a degree.
  ///
  /// - Throws: `PersistenceError`; `ArithmeticOverflow` if the elements' type is too small.
  func intervals(upTo top: Int, findingRepresentatives: Bool) throws -> [PersistenceInterval] {
    let dimension = filtration.sheaf.complex.dimension
    guard min(top, dimension) >= 0 else { return [] }
    let order = FilteredOrder(filtration, degrees: min(top + 1, dimension) + 1)
    var result: [PersistenceInterval] = []
    var cleared = [Bool](repeating: false, count: order.count(0))
    var previous: SparseColumns<Element>?
    for k in 0...min(top, dimension) {
      let given = k < dimension ? try columns(degree: k) : nil
      if let previous, let given { try checkSquare(previous, given, degree: k - 1) }
      previous = given
      let reduced = try FilteredReduction.reduce(
        ordered(given, order, degree: k), with: arithmetic, skipping: cleared,
        recording: findingRepresentatives)
      cleared = [Bool](repeating: false, count: k < dimension ? order.count(k + 1) : 0)
      let bar = { (column: Int, death: Double, cochain: [(row: Int, value: Element)]?) in
        PersistenceInterval(
          degree: k, birth: order.values[k][column], death: death,
          representative: cochain.map { representative($0, order.coordinates[k]) })
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

  private func columns(degree k: Int) throws -> SparseColumns<Element> {
    do {
      return try read(filtration.sheaf.coboundary(k))
    } catch {
      if error.overflows { throw ArithmeticOverflow() }
      throw PersistenceError.coefficients(.entry(degree: k, error))
    }
  }

  /// Rows and columns in the order of appearance; in the top degree columns without rows.
  private func ordered(
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

  /// δ_{k+1} δ_k = 0, column by column.
  private func checkSquare(
    _ first: SparseColumns<Element>, _ second: SparseColumns<Element>, degree k: Int
  ) throws {
    let ring = arithmetic.ring
    var sum = WorkingColumn(rows: second.rows, zero: ring.zero, isOrdered: false)
    for j in 0..<first.columns {
      for l in first.columnStarts[j]..<first.columnStarts[j + 1] {
        try sum.combine(
          ring.one, minus: ring.negative(first.values[l]), times: second,
          Int(first.rowIndices[l]), over: ring)
      }
      for i in sum.touched where sum.values[Int(i)] != ring.zero {
        throw PersistenceError.coefficients(
          .notZero(degree: k, row: Int(i), column: j, value: "\(sum.values[Int(i)])"))
      }
      sum.clear(ring.zero)
    }
  }

  private func representative(
    _ cochain: [(row: Int, value: Element)], _ coordinates: [Int]
  ) -> PersistenceInterval.Representative {
    let sorted = cochain.map { (coordinates[$0.row], whole($0.value)) }.sorted { $0.0 < $1.0 }
    return .exact(SparseCocycle(coordinates: sorted.map(\.0), values: sorted.map(\.1)))
  }
}
