import ArrayFiles
import Foundation

/// The opening tags of an XML document one after the other, with their attributes: as much of XML as GraphML needs.
///
/// Comments, declarations, processing instructions, text and closing tags are passed over; the predefined entities and
/// numbered characters are resolved. Nothing is fetched and no entity is expanded that the document defines.
struct XMLTags {
  struct Tag {
    /// The name without a prefix.
    let name: String
    let attributes: [String: String]
  }

  private let bytes: [UInt8]
  private let file: String
  private var place = 0

  init(_ data: Data, file: String) { (bytes, self.file) = ([UInt8](data), file) }

  mutating func next() throws(ArrayFileError) -> Tag? {
    while let start = bytes[place...].firstIndex(of: UInt8(ascii: "<")) {
      place = start
      if starts(with: "<!--") {
        try skip(past: "-->")
      } else if starts(with: "<![CDATA[") {
        try skip(past: "]]>")
      } else if starts(with: "<!ENTITY") || starts(with: "<!DOCTYPE") {
        throw failure("a document type with declarations, expected plain GraphML")
      } else if starts(with: "<?") {
        try skip(past: "?>")
      } else if starts(with: "</") || starts(with: "<!") {
        try skip(past: ">")
      } else {
        place += 1
        return try tag()
      }
    }
    return nil
  }

  private func starts(with text: String) -> Bool { bytes[place...].starts(with: text.utf8) }

  private func failure(_ problem: String) -> ArrayFileError {
    ArrayFileError(file: file, problem: "byte \(place): \(problem)")
  }

  private mutating func skip(past end: String) throws(ArrayFileError) {
    let pattern = Array(end.utf8)
    while place + pattern.count <= bytes.count {
      if bytes[place..<place + pattern.count].elementsEqual(pattern) {
        place += pattern.count
        return
      }
      place += 1
    }
    throw failure("found the end, expected \(end)")
  }

  private mutating func tag() throws(ArrayFileError) -> Tag {
    let name = try word()
    var attributes: [String: String] = [:]
    while true {
      skipSpace()
      guard place < bytes.count else { throw failure("found the end within <\(name)>") }
      if bytes[place] == UInt8(ascii: ">") {
        place += 1
        break
      }
      if bytes[place] == UInt8(ascii: "/") {
        place += 1
        continue
      }
      let key = try word()
      skipSpace()
      guard place < bytes.count, bytes[place] == UInt8(ascii: "=") else {
        throw failure("attribute \(key) of <\(name)> without a value")
      }
      place += 1
      skipSpace()
      attributes[key] = try value()
    }
    return Tag(name: name, attributes: attributes)
  }

  private mutating func skipSpace() {
    while place < bytes.count, [0x20, 0x09, 0x0a, 0x0d].contains(bytes[place]) { place += 1 }
  }

  /// A name, without its prefix.
  private mutating func word() throws(ArrayFileError) -> String {
    let start = place
    while place < bytes.count, !Array(" \t\r\n=/>\"'<".utf8).contains(bytes[place]) { place += 1 }
    guard place > start else { throw failure("expected a name") }
    let name = String(decoding: bytes[start..<place], as: UTF8.self)
    return name.split(separator: ":").last.map(String.init) ?? name
  }

  private mutating func value() throws(ArrayFileError) -> String {
    guard place < bytes.count,
      bytes[place] == UInt8(ascii: "\"") || bytes[place] == UInt8(ascii: "'")
    else { throw failure("expected a value in quotes") }
    let quote = bytes[place]
    guard let end = bytes[(place + 1)...].firstIndex(of: quote) else {
      throw failure("found the end within a value")
    }
    defer { place = end + 1 }
    guard let text = String(validating: bytes[place + 1..<end], as: UTF8.self) else {
      throw failure("a value that is not UTF-8")
    }
    return try resolved(text)
  }

  private func resolved(_ text: String) throws(ArrayFileError) -> String {
    guard text.contains("&") else { return text }
    var result = ""
    var rest = text[...]
    while let start = rest.firstIndex(of: "&") {
      result += rest[..<start]
      guard let end = rest[start...].firstIndex(of: ";") else { throw failure("an & without ;") }
      let name = rest[rest.index(after: start)..<end]
      if let character = Self.entities[String(name)] {
        result += character
      } else if name.hasPrefix("#"), let code = Self.code(name.dropFirst()),
        let scalar = Unicode.Scalar(code)
      {
        result.unicodeScalars.append(scalar)
      } else {
        throw failure("the entity &\(String(name).printable);")
      }
      rest = rest[rest.index(after: end)...]
    }
    return result + rest
  }

  private static func code(_ digits: Substring) -> UInt32? {
    digits.hasPrefix("x") ? UInt32(digits.dropFirst(), radix: 16) : UInt32(digits)
  }

  private static let entities = ["lt": "<", "gt": ">", "amp": "&", "quot": "\"", "apos": "'"]
}
