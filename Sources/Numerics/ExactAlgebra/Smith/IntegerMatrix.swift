/// A small dense matrix of integers, row by row.
struct IntegerMatrix<Element: SignedInteger & Sendable>: Sendable {
  let rows, columns: Int
  private(set) var elements: [Element]

  init(rows: Int, columns: Int, elements: [Element]) {
    precondition(elements.count == rows * columns, "\(elements.count) of \(rows) × \(columns)")
    (self.rows, self.columns, self.elements) = (rows, columns, elements)
  }

  /// The rows and columns of a sparse matrix that are not 0.
  init(nonzeroPartOf sparse: SparseColumns<Element>) {
    let occupied = sparse.transposed
    let rowsKept = (0..<sparse.rows).filter {
      occupied.columnStarts[$0] < occupied.columnStarts[$0 + 1]
    }
    let columnsKept = (0..<sparse.columns).filter {
      sparse.columnStarts[$0] < sparse.columnStarts[$0 + 1]
    }
    var place = [Int](repeating: -1, count: sparse.rows)
    for (i, row) in rowsKept.enumerated() { place[row] = i }
    self.init(
      rows: rowsKept.count, columns: columnsKept.count,
      elements: [Element](repeating: 0, count: rowsKept.count * columnsKept.count))
    for (j, column) in columnsKept.enumerated() {
      for (row, value) in sparse.column(column) { self[place[row], j] = value }
    }
  }

  subscript(i: Int, j: Int) -> Element {
    _read { yield elements[i * columns + j] }
    _modify { yield &elements[i * columns + j] }
  }

  mutating func swapRows(_ i: Int, _ k: Int) {
    if i == k { return }
    for j in 0..<columns { elements.swapAt(i * columns + j, k * columns + j) }
  }

  mutating func swapColumns(_ j: Int, _ k: Int) {
    if j == k { return }
    for i in 0..<rows { elements.swapAt(i * columns + j, i * columns + k) }
  }

  /// The same entries in another type.
  func map<Image>(_ transform: (Element) -> Image) -> IntegerMatrix<Image> {
    IntegerMatrix<Image>(rows: rows, columns: columns, elements: elements.map(transform))
  }

  /// The entries in the given rows and columns, in their order.
  func minor(rows chosenRows: [Int], columns chosenColumns: [Int]) -> IntegerMatrix {
    IntegerMatrix(
      rows: chosenRows.count, columns: chosenColumns.count,
      elements: chosenRows.flatMap { i in chosenColumns.map { self[i, $0] } })
  }

  /// The matrix in compressed columns.
  var sparse: SparseColumns<Element> {
    var result = SparseColumns<Element>(rows: rows)
    for j in 0..<columns {
      result.append((0..<rows).lazy.filter { self[$0, j] != 0 }.map { ($0, self[$0, j]) })
    }
    return result
  }
}
