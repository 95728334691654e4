import LinearAlgebra

/// A matrix with exact entries in compressed columns: column j has `values[k]` in row `rowIndices[k]`
/// for k in `columnStarts[j]..<columnStarts[j + 1]`. No entry is 0.
public struct SparseColumns<Element: Sendable & Equatable>: Sendable, Equatable {
  /// The number of rows.
  public let rows: Int
  /// Where each column begins, and at last where the last one ends.
  public package(set) var columnStarts: [Int]
  /// The row of each entry.
  public package(set) var rowIndices: [Int32]
  /// The entries.
  public package(set) var values: [Element]

  /// A matrix without columns; `append` adds them.
  public init(rows: Int) {
    precondition((0...Int(Int32.max)).contains(rows), "\(rows) rows")
    (self.rows, columnStarts, rowIndices, values) = (rows, [0], [], [])
  }

  /// The number of columns.
  public var columns: Int { columnStarts.count - 1 }

  /// Adds a column on the right, its entries in any order, none of them 0, at most one in a row.
  public mutating func append(_ entries: some Sequence<(row: Int, value: Element)>) {
    for (row, value) in entries {
      precondition((0..<rows).contains(row), "an entry in row \(row) of \(rows)")
      rowIndices.append(Int32(row))
      values.append(value)
    }
    columnStarts.append(rowIndices.count)
  }

  /// The entries of column `j`.
  public func column(_ j: Int) -> some Sequence<(row: Int, value: Element)> {
    (columnStarts[j]..<columnStarts[j + 1]).lazy.map { (Int(rowIndices[$0]), values[$0]) }
  }

  /// The transpose, rows ascending in each column. Cost: proportional to entries and rows.
  public var transposed: SparseColumns {
    var turned = SparseColumns(rows: columns)
    turned.columnStarts = [Int](repeating: 0, count: rows + 1)
    for i in rowIndices { turned.columnStarts[Int(i) + 1] += 1 }
    for i in 0..<rows { turned.columnStarts[i + 1] += turned.columnStarts[i] }
    var place = turned.columnStarts
    turned.rowIndices = [Int32](repeating: 0, count: values.count)
    turned.values = values
    for j in 0..<columns {
      for k in columnStarts[j]..<columnStarts[j + 1] {
        let i = Int(rowIndices[k])
        turned.rowIndices[place[i]] = Int32(truncatingIfNeeded: j)
        turned.values[place[i]] = values[k]
        place[i] += 1
      }
    }
    return turned
  }

  /// The same shape without the entries of the rows that are marked.
  func clearing(rows cleared: [Bool]) -> SparseColumns {
    var result = SparseColumns(rows: rows)
    for j in 0..<columns {
      for k in columnStarts[j]..<columnStarts[j + 1] where !cleared[Int(rowIndices[k])] {
        result.rowIndices.append(rowIndices[k])
        result.values.append(values[k])
      }
      result.columnStarts.append(result.rowIndices.count)
    }
    return result
  }

  /// The image under a map of the entries; those sent to `zero` are left out.
  func mapValues<Image>(droppingZero zero: Image, _ map: (Element) -> Image) -> SparseColumns<Image>
  {
    var result = SparseColumns<Image>(rows: rows)
    for j in 0..<columns {
      for k in columnStarts[j]..<columnStarts[j + 1] {
        let image = map(values[k])
        if image == zero { continue }
        result.rowIndices.append(rowIndices[k])
        result.values.append(image)
      }
      result.columnStarts.append(result.rowIndices.count)
    }
    return result
  }
}

extension SparseColumns {
  /// The image of a matrix of numbers in a ring. Cost: proportional to its entries.
  ///
  /// A number counts as the dyadic rational that it is: 0.5 is the inverse of 2 in GF(p), p odd.
  ///
  /// - Throws: `UnreadableEntry`, if a number has no image in the ring or none that fits its elements.
  public init<Ring: CoefficientRing>(
    _ matrix: SparseMatrix, over ring: Ring
  ) throws(UnreadableEntry) where Ring.Element == Element {
    try self.init(matrix, ring: ring.name, zero: ring.zero) {
      value throws(ArithmeticOverflow) in try ring.element(value)
    }
  }

  /// A multiple of a matrix of numbers by the least power 2^e, e ≥ 0, that makes it one of integers.
  ///
  /// Its rank over ℚ and its kernel are those of the matrix. Cost: proportional to the entries.
  ///
  /// - Throws: `UnreadableEntry`, if a number is not finite or a multiple does not fit the elements.
  public init<Ring: IntegerRing>(
    clearingDenominatorsOf matrix: SparseMatrix, over ring: Ring
  ) throws(UnreadableEntry) where Ring.Element == Element {
    let least = matrix.values.reduce(0) { min($0, Dyadic($1)?.exponent ?? 0) }
    try self.init(matrix, ring: "the rational numbers", zero: ring.zero) {
      value throws(ArithmeticOverflow) in
      if value == 0 { return ring.zero }
      guard let dyadic = Dyadic(value) else { return nil }
      return try ring.shifted(dyadic.significand, by: dyadic.exponent - least)
    }
  }

  private init(
    _ matrix: SparseMatrix, ring: String, zero: Element,
    reading read: (Double) throws(ArithmeticOverflow) -> Element?
  ) throws(UnreadableEntry) {
    self.init(rows: matrix.rows)
    for j in 0..<matrix.columns {
      for k in matrix.columnStarts[j]..<matrix.columnStarts[j + 1] {
        let value = matrix.values[k]
        var (image, overflows): (Element?, Bool) = (nil, false)
        do {
          image = try read(value)
        } catch {
          overflows = true
        }
        guard let image else {
          throw UnreadableEntry(
            row: Int(matrix.rowIndices[k]), column: j, value: value, ring: ring,
            overflows: overflows)
        }
        if image == zero { continue }
        rowIndices.append(matrix.rowIndices[k])
        values.append(image)
      }
      columnStarts.append(rowIndices.count)
    }
  }
}

/// An entry of a matrix that a ring cannot take.
public struct UnreadableEntry: Error, Equatable, CustomStringConvertible {
  public let row: Int
  public let column: Int
  public let value: Double
  /// The name of the ring.
  public let ring: String
  /// Whether the entry has an image and only the elements' type is too small.
  public let overflows: Bool

  public var description: String {
    let entry = "the entry \(value) in row \(row), column \(column)"
    return overflows ? "\(entry) needs more than 64 bits" : "\(entry) has no image in \(ring)"
  }
}
