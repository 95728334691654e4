import Foundation

/// A strict reader of JSON whose form is known beforehand: objects and arrays of strings and numbers. It never
/// recurses and keeps nothing but its place.
package struct JSONScanner {
  private let bytes: [UInt8]
  private let file: String
  private let whole: String
  private var place = 0
  /// The names that lead to what is being read, for messages; none at the top.
  package var path: [String] = []

  /// - Parameters:
  ///   - file: the name for messages.
  ///   - whole: what the bytes are, for messages about the top.
  package init(_ bytes: Data, file: String, whole: String = "the header") {
    self.bytes = [UInt8](bytes)
    (self.file, self.whole) = (file, whole)
  }

  /// An error about what is being read.
  package func failure(_ problem: String) -> ArrayFileError {
    let names = path.map { "\"\($0.printable)\"" }.joined(separator: ", ")
    return ArrayFileError(
      file: file, problem: "\(names.isEmpty ? whole : names): \(problem)")
  }

  package func unexpected(_ expected: String) -> ArrayFileError {
    let found = peek.map { "\"\(String(decoding: [$0], as: UTF8.self).printable)\"" }
    return failure("found \(found ?? "the end") at byte \(place), expected \(expected)")
  }

  private var peek: UInt8? { place < bytes.count ? bytes[place] : nil }

  private mutating func skipSpace() {
    while let byte = peek, byte == 0x20 || byte == 0x0a || byte == 0x0d || byte == 0x09 {
      place += 1
    }
  }

  /// Takes one character of punctuation.
  package mutating func take(_ character: Unicode.Scalar) throws(ArrayFileError) {
    skipSpace()
    guard let byte = peek, UInt32(byte) == character.value else {
      throw unexpected("JSON's \"\(character)\"")
    }
    place += 1
  }

  /// Whether an object or array that ends with `end` goes on after `count` members; takes the comma
  /// or the end.
  package mutating func hasNext(
    before end: Unicode.Scalar, after count: Int
  ) throws(ArrayFileError) -> Bool {
    skipSpace()
    if let byte = peek, UInt32(byte) == end.value {
      place += 1
      return false
    }
    if count > 0 { try take(",") }
    return true
  }

  /// Nothing but space is left.
  package mutating func finish() throws(ArrayFileError) {
    skipSpace()
    guard peek == nil else { throw unexpected("the end") }
  }

  /// A list of whole numbers from 0.
  package mutating func wholeNumbers() throws(ArrayFileError) -> [Int] {
    var numbers: [Int] = []
    try take("[")
    while try hasNext(before: "]", after: numbers.count) { numbers.append(try wholeNumber()) }
    return numbers
  }

  package mutating func wholeNumber() throws(ArrayFileError) -> Int {
    skipSpace()
    let start = place
    while let byte = peek, Self.numeric.contains(byte) { place += 1 }
    guard start < place else { throw unexpected("a number") }
    let word = String(decoding: bytes[start..<place], as: UTF8.self)
    guard word == "0" || !"-+0".contains(word.first!), let n = Int(word) else {
      throw failure("\(word.printable), expected a whole number from 0 to \(Int.max)")
    }
    return n
  }

  /// What a value is, by its first character.
  package enum Kind { case object, array, string, number, other }

  /// What comes next.
  package mutating func nextKind() -> Kind {
    skipSpace()
    switch peek ?? 0 {
    case UInt8(ascii: "{"): return .object
    case UInt8(ascii: "["): return .array
    case UInt8(ascii: "\""): return .string
    case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return .number
    default: return .other
    }
  }

  /// A finite number.
  package mutating func number() throws(ArrayFileError) -> Double {
    skipSpace()
    let start = place
    while let byte = peek, Self.numeric.contains(byte) { place += 1 }
    guard start < place else { throw unexpected("a number") }
    // One digit, as most are.
    if place == start + 1, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(bytes[start]) {
      return Double(bytes[start] - UInt8(ascii: "0"))
    }
    let word = String(decoding: bytes[start..<place], as: UTF8.self)
    guard word.first != "+", let x = Double(word), x.isFinite else {
      throw failure("\(word.printable), expected a finite number")
    }
    return x
  }

  private static let numeric = Array("+-.0123456789Ee".utf8)

  /// A string, its escapes resolved.
  package mutating func string() throws(ArrayFileError) -> String {
    try takeQuote()
    var result: [UInt8] = []
    while let byte = peek, byte != UInt8(ascii: "\"") {
      guard byte >= 0x20 else { throw unexpected("the control character escaped") }
      place += 1
      if byte == UInt8(ascii: "\\") {
        result += try escape().utf8
      } else {
        result.append(byte)
      }
    }
    try takeQuote()
    guard let text = String(validating: result, as: UTF8.self) else {
      throw failure("a string that ends at byte \(place) is not UTF-8")
    }
    return text
  }

  private mutating func takeQuote() throws(ArrayFileError) {
    skipSpace()
    guard peek == UInt8(ascii: "\"") else { throw unexpected("a string in quotes") }
    place += 1
  }

  private mutating func escape() throws(ArrayFileError) -> String {
    let letter = peek ?? 0
    if letter != UInt8(ascii: "u") {
      guard let character = Self.escapes[letter] else { throw unexpected("an escape of JSON") }
      place += 1
      return character
    }
    var units = [try escapedUnit()]
    if UTF16.isLeadSurrogate(units[0]), peek == UInt8(ascii: "\\") {
      place += 1
      units.append(try escapedUnit())
    }
    guard let text = String(validating: units, as: UTF16.self) else {
      throw unexpected("the other half of a surrogate pair")
    }
    return text
  }

  private static let escapes: [UInt8: String] = [
    UInt8(ascii: "\""): "\"", UInt8(ascii: "\\"): "\\", UInt8(ascii: "/"): "/",
    UInt8(ascii: "b"): "\u{8}", UInt8(ascii: "f"): "\u{c}", UInt8(ascii: "n"): "\n",
    UInt8(ascii: "r"): "\r", UInt8(ascii: "t"): "\t",
  ]

  /// The code unit of uXXXX.
  private mutating func escapedUnit() throws(ArrayFileError) -> UInt16 {
    guard peek == UInt8(ascii: "u") else { throw unexpected("u") }
    place += 1
    var unit: UInt16 = 0
    for _ in 0..<4 {
      guard let byte = peek, let digit = Character(Unicode.Scalar(byte)).hexDigitValue else {
        throw unexpected("a hexadecimal digit")
      }
      unit = unit << 4 | UInt16(digit)
      place += 1
    }
    return unit
  }
}

extension String {
  /// The string as JSON, in quotes.
  package var jsonLiteral: String {
    var result = "\""
    for scalar in unicodeScalars {
      switch scalar {
      case "\"", "\\": result += "\\\(scalar)"
      case "\0"..<" ":
        let digits = String(scalar.value, radix: 16)
        result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result + "\""
  }
}
