import Foundation

/// A table in a text file: records of fields, by RFC 4180 with comma, semicolon or tab between them.
///
/// Its bytes are kept as they are, with the places of its rows; numbers are read when they are asked
/// for, so that other columns may hold anything. Lines of nothing but space are passed over.
public struct TableFile: Sendable {
  /// What stands between two fields.
  public enum Separator: String, Sendable, CaseIterable {
    case tab, semicolon, comma

    var byte: UInt8 {
      switch self {
      case .tab: UInt8(ascii: "\t")
      case .semicolon: UInt8(ascii: ";")
      case .comma: UInt8(ascii: ",")
      }
    }
  }

  /// The name for messages.
  public let file: String
  /// What separates the fields.
  public let separator: Separator
  /// The column names; empty without a header line.
  public let header: [String]
  /// The number of fields of every row.
  public let columnCount: Int
  /// Whether the first column is the unnamed index that pandas writes.
  let hasIndexColumn: Bool
  let hasDecimalCommas: Bool
  let data: Data
  /// The places of the rows, the header aside.
  let rowStarts: [Int]

  /// The number of rows, the header aside.
  public var rowCount: Int { rowStarts.count }

  /// Reads the bytes of a table.
  ///
  /// The separator is the one by which all records have equally many fields, and most of them are
  /// numbers. The first record is a header if it names columns whose other fields are numbers, or
  /// counts them (0, 1, 2, …).
  ///
  /// Cost: two passes over the bytes, and 8 bytes a row.
  /// - Parameters:
  ///   - file: the name for messages.
  ///   - hasHeader: whether the first record is a header; nil to find out.
  /// - Throws: for records of different lengths, quotes that are not closed, a first record that may be
  ///   either, and what is no text.
  public init(_ data: Data, file: String, hasHeader: Bool? = nil) throws(ArrayFileError) {
    func fail(_ problem: String) -> ArrayFileError { ArrayFileError(file: file, problem: problem) }
    if let problem = Self.problem(of: data) { throw fail(problem) }
    let start = data.starts(with: [0xef, 0xbb, 0xbf]) ? 3 : 0
    let separator = Self.separator(of: data, from: start)
    var (starts, columnCount) = ([Int](), 0)
    try FieldScanner.scan(data, separator: separator.byte, from: start) {
      (scanner) throws(ArrayFileError) in
      while !scanner.isAtEnd {
        let place = scanner.place
        let (count, fault) = scanner.readRecord()
        if let fault {
          throw fail("line \(scanner.line(of: fault.place)): \(fault.problem)")
        }
        if count == 0 { continue }
        if starts.isEmpty { columnCount = count }
        guard count == columnCount else {
          let isTitle = starts.count == 1
          throw fail(
            "line \(scanner.line(of: place)) has \(count) \(count == 1 ? "field" : "fields"), line "
              + "\(scanner.line(of: starts[0])) has \(columnCount) (separator \(separator))"
              + (isTitle ? "; is line 1 a title? (tail -n +2 FILE, and - for the file)" : ""))
        }
        starts.append(place)
      }
    }
    guard !starts.isEmpty else { throw fail("holds no table: no fields") }
    if columnCount == 1, let found = Self.otherSeparator(data, starts) {
      throw fail("has fields separated by \(found), expected commas, semicolons or tabs")
    }
    let sample = TableSample(data, separator: separator, starts: starts)
    let header: [String]
    switch hasHeader.map({ $0 ? TableSample.FirstRecord.header : .row }) ?? sample.firstRecord {
    case .header: header = sample.names
    case .row: header = []
    case .unclear(let why):
      throw fail("line 1 may be a header or a row (\(why)): say --header yes or --header no")
    }
    if !header.isEmpty { starts.removeFirst() }
    guard !starts.isEmpty else {
      throw fail("no rows, only the header \(list(header))")
    }
    (self.file, self.separator, self.header, self.columnCount, self.data, rowStarts) =
      (file, separator, header, columnCount, data, starts)
    hasIndexColumn = !header.isEmpty && sample.hasIndexColumn
    hasDecimalCommas = sample.hasDecimalCommas
  }

  /// Why bytes are no text of ours.
  private static func problem(of data: Data) -> String? {
    if data.starts(with: [0xff, 0xfe]) || data.starts(with: [0xfe, 0xff]) {
      return "is UTF-16, expected UTF-8 (save the table as CSV UTF-8)"
    }
    if data.starts(with: Data("PK\u{3}\u{4}".utf8)) {
      return "is a zip archive or a spreadsheet, expected text (save the table as CSV)"
    }
    return data.prefix(4096).contains(0) ? "holds zero bytes, expected the text of a table" : nil
  }

  /// How the table was read, in a line.
  public var reading: String {
    var parts = [
      "\(rowCount) \(rowCount == 1 ? "row" : "rows") × \(columnCount) "
        + (columnCount == 1 ? "column" : "columns")
    ]
    if columnCount > 1 { parts.append("separator \(separator)") }
    if hasDecimalCommas { parts.append("decimal commas") }
    if header.isEmpty {
      parts.append("no header")
    } else {
      let names = header.prefix(6).map {
        $0.isEmpty || $0.contains(",") ? "\"\($0.printable)\"" : $0.printable
      }
      parts.append(
        "header " + names.joined(separator: ", ") + (header.count > 6 ? ", …" : ""))
    }
    if hasIndexColumn { parts.append("column #0 counts the rows (#1: leaves it out)") }
    return parts.joined(separator: ", ")
  }
}

extension TableFile {
  /// What stands between the numbers of lines without a separator that is known, where the first rows hold nothing else.
  private static func otherSeparator(_ data: Data, _ starts: [Int]) -> String? {
    let lines = starts.dropFirst(starts.count > 1 ? 1 : 0).prefix(2).map { start in
      String(
        decoding: data.dropFirst(start).prefix(10_000).prefix { $0 != 0x0A && $0 != 0x0D },
        as: UTF8.self)
    }
    func isSplit(by separator: Character) -> Bool {
      let rows = lines.map { $0.split(separator: separator) }
      return rows[0].count > 1
        && rows.allSatisfy { row in
          row.count == rows[0].count
            && row.allSatisfy { Double($0.trimmingCharacters(in: .whitespaces)) != nil }
        }
    }
    return isSplit(by: "|") ? "\"|\"" : isSplit(by: " ") ? "spaces" : nil
  }
}
