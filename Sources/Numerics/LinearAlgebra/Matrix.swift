/// A dense real matrix: `rows` × `columns` doubles, column-major and contiguous, a value.
///
/// A quantity over a batch is a matrix with one sample per column, so a sample is contiguous and a
/// range of samples is one block of memory. Operations that begin with `add`, `set`, `scale` or `fill` work
/// in place and allocate nothing as long as the matrix does not share its storage.
public struct Matrix: Sendable, Equatable {
  /// The number of rows.
  public let rows: Int
  /// The number of columns.
  public let columns: Int
  /// The elements in column-major order: element (i, j) at `i + j * rows`.
  public package(set) var elements: [Double]

  /// Works on the elements in place; `body` gets the number of rows beside them.
  package mutating func update(_ body: (inout [Double], _ rows: Int) -> Void) {
    body(&elements, rows)
  }

  /// The zero matrix of the given shape.
  public init(rows: Int, columns: Int) {
    self.init(rows: rows, columns: columns, repeating: 0)
  }

  /// A matrix with every element equal to `value`.
  public init(rows: Int, columns: Int, repeating value: Double) {
    precondition(rows >= 0 && columns >= 0, "negative shape (\(rows), \(columns))")
    self.rows = rows
    self.columns = columns
    elements = [Double](repeating: value, count: rows * columns)
  }

  /// A matrix from its elements in column-major order.
  public init(rows: Int, columns: Int, columnMajor elements: [Double]) {
    precondition(
      elements.count == rows * columns,
      "\(elements.count) elements do not fill a (\(rows), \(columns)) matrix")
    self.rows = rows
    self.columns = columns
    self.elements = elements
  }

  /// A matrix that takes the storage of `buffer`, whatever it holds; `buffer` is left empty.
  public init(rows: Int, columns: Int, reusing buffer: inout [Double]) {
    self.rows = rows
    self.columns = columns
    elements = []
    swap(&elements, &buffer)
    if elements.count > rows * columns {
      elements.removeLast(elements.count - rows * columns)
    } else if elements.count < rows * columns {
      elements.append(contentsOf: repeatElement(0, count: rows * columns - elements.count))
    }
  }

  /// A matrix from its elements in row-major order (NumPy's and PyTorch's).
  public init(rows: Int, columns: Int, rowMajor elements: [Double]) {
    self = Matrix(rows: columns, columns: rows, columnMajor: elements).transposed
  }

  /// A matrix from its rows, all of one length.
  public init(_ rows: [[Double]]) {
    precondition(rows.allSatisfy { $0.count == rows[0].count }, "rows of different lengths")
    self.init(rows: rows.count, columns: rows.first?.count ?? 0, rowMajor: rows.flatMap { $0 })
  }

  /// Matrices of one width on top of each other.
  public init(stacking parts: [Matrix], columns: Int) {
    self.init(rows: parts.reduce(0) { $0 + $1.rows }, columns: columns)
    var row = 0
    for part in parts {
      addRows(row..<row + part.rows, of: part, keeping: 0)
      row += part.rows
    }
  }

  /// A single column.
  public init(column: [Double]) {
    self.init(rows: column.count, columns: 1, columnMajor: column)
  }

  /// The identity of order `n`.
  public static func identity(_ n: Int) -> Matrix {
    diagonal([Double](repeating: 1, count: n))
  }

  /// The square matrix with the given diagonal.
  public static func diagonal(_ d: [Double]) -> Matrix {
    var m = Matrix(rows: d.count, columns: d.count)
    for (i, x) in d.enumerated() { m[i, i] = x }
    return m
  }

  /// Element (i, j), zero-based.
  public subscript(i: Int, j: Int) -> Double {
    @inlinable get {
      precondition(i >= 0 && i < rows && j >= 0 && j < columns, "index out of range")
      return elements[i + j * rows]
    }
    set {
      precondition(i >= 0 && i < rows && j >= 0 && j < columns, "index out of range")
      elements[i + j * rows] = newValue
    }
  }

  /// The number of elements.
  public var count: Int { rows * columns }

  /// `"(rows, columns)"`, for messages.
  public var shape: String { "(\(rows), \(columns))" }

  /// Column `j` as an array.
  public func column(_ j: Int) -> [Double] { Array(elements[j * rows..<(j + 1) * rows]) }

  /// The elements in row-major order.
  public var rowMajor: [Double] { transposed.elements }
}
