import Foundation

/// Walks over the fields of a table, byte by byte: RFC 4180 with any separator, lines that end in
/// LF, CR LF or CR, and spaces around fields, which are not part of them unless quoted.
struct FieldScanner {
  /// A field: the place of its bytes, without its quotes.
  struct Field {
    var start: Int
    var end: Int
    var isQuoted = false
    /// Whether it is the last of its record.
    var isLast = false
    var fault: Fault?
  }

  /// What is wrong with a quoted field.
  enum Fault: String {
    case unclosed = "a quote is not closed"
    case textAfterQuote = "text after a closing quote (a quote within quotes is written twice)"
  }

  let bytes: UnsafeRawBufferPointer
  let separator: UInt8
  /// Where the next field starts.
  var place: Int

  /// Calls `body` with a scanner of a table's bytes.
  static func scan<T>(
    _ data: Data, separator: UInt8, from place: Int = 0,
    _ body: (inout FieldScanner) throws(ArrayFileError) -> T
  ) throws(ArrayFileError) -> T {
    let result = data.withUnsafeBytes { bytes -> Result<T, ArrayFileError> in
      var scanner = FieldScanner(bytes: bytes, separator: separator, place: place)
      do throws(ArrayFileError) { return .success(try body(&scanner)) } catch {
        return .failure(error)
      }
    }
    return try result.get()
  }

  var isAtEnd: Bool { place >= bytes.count }

  private static let (lineFeed, carriageReturn) = (UInt8(ascii: "\n"), UInt8(ascii: "\r"))
  private static let (quote, space, tab) = (
    UInt8(ascii: "\""), UInt8(ascii: " "), UInt8(ascii: "\t")
  )

  @inline(__always)
  private func isSpace(_ byte: UInt8) -> Bool {
    byte == Self.space || byte == Self.tab && separator != Self.tab
  }

  @inline(__always)
  private func isEnd(_ byte: UInt8) -> Bool {
    byte == separator || byte == Self.lineFeed || byte == Self.carriageReturn
  }

  /// The next field.
  @inline(__always)
  mutating func next() -> Field {
    let n = bytes.count
    var i = place
    while i < n && isSpace(bytes[i]) { i += 1 }
    if i < n && bytes[i] == Self.quote { return quoted(from: i + 1) }
    let start = i
    while i < n && !isEnd(bytes[i]) { i += 1 }
    var end = i
    while end > start && isSpace(bytes[end - 1]) { end -= 1 }
    return finish(Field(start: start, end: end), at: i)
  }

  private mutating func quoted(from start: Int) -> Field {
    let n = bytes.count
    var i = start
    while true {
      while i < n && bytes[i] != Self.quote { i += 1 }
      guard i < n else {
        place = n
        return Field(start: start, end: n, isQuoted: true, isLast: true, fault: .unclosed)
      }
      guard i + 1 < n && bytes[i + 1] == Self.quote else { break }
      i += 2
    }
    var field = Field(start: start, end: i, isQuoted: true)
    i += 1
    while i < n && isSpace(bytes[i]) { i += 1 }
    if i < n && !isEnd(bytes[i]) {
      field.fault = .textAfterQuote
      while i < n && !isEnd(bytes[i]) { i += 1 }
    }
    return finish(field, at: i)
  }

  /// Passes the separator or the end of the line.
  @inline(__always)
  private mutating func finish(_ field: Field, at i: Int) -> Field {
    var field = field
    guard i < bytes.count && bytes[i] == separator else {
      field.isLast = true
      place = i + 1
      if i + 1 < bytes.count && bytes[i] == Self.carriageReturn && bytes[i + 1] == Self.lineFeed {
        place = i + 2
      }
      return field
    }
    place = i + 1
    return field
  }

  /// Passes a record: how many fields it has, 0 for a line of nothing but space, and the first of them
  /// that is at fault.
  mutating func readRecord() -> (count: Int, fault: (place: Int, problem: String)?) {
    let first = next()
    if first.isLast && first.start == first.end && !first.isQuoted { return (0, nil) }
    var (field, count) = (first, 1)
    var fault: (Int, String)?
    while true {
      if let found = field.fault, fault == nil { fault = (field.start - 1, found.rawValue) }
      if field.isLast { return (count, fault) }
      field = next()
      count += 1
    }
  }

  /// The text of a field, doubled quotes as one. What is not UTF-8 is replaced.
  func text(_ field: Field) -> String {
    let text = String(decoding: bytes[field.start..<field.end], as: UTF8.self)
    return field.isQuoted && text.utf8.contains(Self.quote)
      ? text.replacingOccurrences(of: "\"\"", with: "\"") : text
  }

  /// The line that a place is on, from 1.
  func line(of place: Int) -> Int {
    var (line, i) = (1, 0)
    while i < place {
      if bytes[i] == Self.lineFeed {
        line += 1
      } else if bytes[i] == Self.carriageReturn
        && (i + 1 >= bytes.count || bytes[i + 1] != Self.lineFeed)
      {
        line += 1
      }
      i += 1
    }
    return line
  }
}
