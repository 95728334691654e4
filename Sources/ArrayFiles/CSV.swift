import Foundation

/// A table of numbers in comma-separated values, with or without a header line.
public struct CSV: Sendable {
  /// The column names; empty without a header line.
  public let header: [String]
  /// The rows, all of one length.
  public let rows: [[Double]]
  private let file: String

  /// Parses a table. The first line is a header if none of its fields is a number.
  ///
  /// - Parameter file: the name for messages.
  public init(_ text: String, file: String) throws(ArrayFileError) {
    var header: [String] = []
    var rows: [[Double]] = []
    var number = 0
    let text = text.hasPrefix("\u{FEFF}") ? String(text.dropFirst()) : text
    for line in text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline) {
      number += 1
      if line.allSatisfy(\.isWhitespace) { continue }
      let fields = line.split(separator: ",", omittingEmptySubsequences: false).map {
        $0.trimmingCharacters(in: CharacterSet(charactersIn: " \t\""))
      }
      var row: [Double] = []
      for (i, field) in fields.enumerated() {
        if let x = Double(field) {
          row.append(x)
        } else if rows.isEmpty && header.isEmpty && fields.allSatisfy({ Double($0) == nil }) {
          header = fields
          break
        } else {
          throw ArrayFileError(
            file: file,
            problem: "line \(number), column \(i): \"\(field.printable)\" is not a number")
        }
      }
      if !header.isEmpty && rows.isEmpty && row.count < fields.count { continue }
      let width = rows.first?.count ?? (header.isEmpty ? row.count : header.count)
      guard row.count == width else {
        throw ArrayFileError(
          file: file, problem: "line \(number) has \(row.count) columns, expected \(width)")
      }
      rows.append(row)
    }
    guard !rows.isEmpty else {
      throw ArrayFileError(file: file, problem: "no rows of numbers")
    }
    self.header = header
    self.rows = rows
    self.file = file
  }

  /// The columns chosen by a list of zero-based indices, half-open ranges `a:b` and header names,
  /// separated by commas; all columns for an empty list. Shape (rows, chosen).
  public func columns(_ selection: String) throws(ArrayFileError) -> NumericArray {
    let width = rows[0].count
    var chosen: [Int] = []
    for word in selection.split(separator: ",").map(String.init) {
      let ends = word.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
      if let i = header.firstIndex(of: word) {
        chosen.append(i)
      } else if let i = Int(word), (0..<width).contains(i) {
        chosen.append(i)
      } else if ends.count == 2,
        let a = ends[0].isEmpty ? 0 : Int(ends[0]), let b = ends[1].isEmpty ? width : Int(ends[1]),
        0 <= a, a < b, b <= width
      {
        chosen += a..<b
      } else {
        let names = header.isEmpty ? "" : " or a name of \(header.joined(separator: ", "))"
        throw ArrayFileError(
          file: file,
          problem: "no column \"\(word)\", expected an index or a range in 0:\(width)\(names)")
      }
    }
    if chosen.isEmpty { chosen = Array(0..<width) }
    return NumericArray(
      shape: [rows.count, chosen.count], elements: rows.flatMap { row in chosen.map { row[$0] } })
  }
}
