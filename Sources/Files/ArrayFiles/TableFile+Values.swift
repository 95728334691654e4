import Foundation

/// Numbers and words of chosen columns.
extension TableFile {
  /// The numbers in chosen rows and columns, of shape (rows, columns).
  ///
  /// Cost: one pass over the rows.
  /// - Throws: naming line and column of the first field that is no finite number; missing values with
  ///   their count.
  public func numbers(
    rows: Range<Int>? = nil, columns: [Int]
  ) throws(ArrayFileError) -> NumericArray {
    let rows = rows ?? 0..<rowCount
    var places = [[Int]](repeating: [], count: (columns.max() ?? -1) + 1)
    for (k, c) in columns.enumerated() { places[c].append(k) }
    var elements = [Double](repeating: 0, count: rows.count * columns.count)
    var (missing, comma, point) = ([Place](), Place?.none, Place?.none)
    var missingCount = 0
    try FieldScanner.scan(data, separator: separator.byte) { (scanner) throws(ArrayFileError) in
      for (j, row) in rows.enumerated() {
        scanner.place = rowStarts[row]
        for c in places.indices {
          let field = scanner.next()
          if places[c].isEmpty { continue }
          let x: Double
          switch scanner.value(field) {
          case .number(let value):
            x = value
            if separator != .comma && point == nil && scanner.hasPoint(field) {
              point = Place(row: row, column: c, text: scanner.text(field))
            }
          case .commaNumber(let value):
            x = value
            comma = comma ?? Place(row: row, column: c, text: scanner.text(field))
          case .missing:
            if missing.isEmpty {
              missing.append(Place(row: row, column: c, text: scanner.text(field)))
            }
            missingCount += 1
            continue
          case .text:
            throw notANumber(Place(row: row, column: c, text: scanner.text(field)), of: columns)
          }
          guard x.isFinite else {
            throw fail(
              "\(name(of: Place(row: row, column: c, text: ""))): \(scanner.text(field).printable), "
                + "expected a finite number")
          }
          for k in places[c] { elements[j * columns.count + k] = x }
        }
      }
    }
    if let place = missing.first { throw self.missing(place, count: missingCount) }
    if let comma, let point {
      throw fail(
        "\(name(of: comma)): \"\(comma.text.printable)\" has a decimal comma and "
          + "\"\(point.text.printable)\" on line \(line(ofRow: point.row)) a decimal point, expected one of "
          + "them")
    }
    return NumericArray(shape: [rows.count, columns.count], elements: elements)
  }

  /// The fields of a column as they stand, without their quotes.
  ///
  /// - Throws: naming the first missing value, with their count.
  public func words(rows: Range<Int>? = nil, column: Int) throws(ArrayFileError) -> [String] {
    var (words, missing) = ([String](), [Place]())
    try FieldScanner.scan(data, separator: separator.byte) { (scanner) throws(ArrayFileError) in
      for row in rows ?? 0..<rowCount {
        scanner.place = rowStarts[row]
        for _ in 0..<column { _ = scanner.next() }
        let field = scanner.next()
        let text = scanner.text(field)
        if case .missing = scanner.value(field) {
          missing.append(Place(row: row, column: column, text: text))
        }
        words.append(text)
      }
    }
    if let place = missing.first { throw self.missing(place, count: missing.count) }
    return words
  }

  /// The line that a row begins on, from 1.
  public func line(ofRow row: Int) -> Int {
    let line = try? FieldScanner.scan(data, separator: separator.byte) { scanner in
      scanner.line(of: rowStarts[row])
    }
    return line ?? 0
  }

  /// A field, for messages.
  private struct Place {
    let row, column: Int
    let text: String
  }

  private func name(of place: Place) -> String {
    "line \(line(ofRow: place.row)), \(name(ofColumn: place.column))"
  }

  private func missing(_ place: Place, count: Int) -> ArrayFileError {
    fail(
      "\(name(of: place)): a missing value"
        + (place.text.isEmpty ? "" : " (\(place.text.printable))")
        + (count == 1 ? "" : ", the first of \(count) in the rows and columns chosen"))
  }

  private func notANumber(_ place: Place, of columns: [Int]) -> ArrayFileError {
    let hasSpaces = columnCount == 1 && place.text.contains(where: \.isWhitespace)
    let hint =
      hasSpaces
      ? "; fields are separated by commas, semicolons or tabs, not by spaces"
      : columns.count == columnCount && columnCount > 1 ? "; choose columns after #" : ""
    return fail("\(name(of: place)): \"\(place.text.printable)\" is not a number\(hint)")
  }
}
