/// What a document of SVG is made of. Values and texts stay as they are written, entities and all.
enum SVGToken: Equatable {
  case open(name: String, attributes: [Attribute], isEmpty: Bool)
  case close(name: String)
  case text(String)

  struct Attribute: Equatable {
    var name: String
    var value: String
  }
}

/// Reads tags and texts; prolog, type, comments and instructions are passed over. Whatever the text, it ends and
/// fails nowhere: what is no tag is text.
struct SVGScanner {
  private let bytes: [UInt8]
  private var place = 0

  private init(_ text: String) { bytes = Array(text.utf8) }

  /// The pieces of a document.
  static func tokens(_ text: String) -> [SVGToken] {
    var scanner = SVGScanner(text)
    var tokens: [SVGToken] = []
    while scanner.place < scanner.bytes.count {
      if let token = scanner.next() { tokens.append(token) }
    }
    return tokens
  }

  private mutating func next() -> SVGToken? {
    guard bytes[place] == UInt8(ascii: "<") else { return text() }
    if skip("<!--", to: "-->") || skip("<?", to: "?>") { return nil }
    if starts("<![CDATA[") { return characterData() }
    if skip("<!", to: ">") { return nil }
    if starts("</") {
      place += 2
      let name = word()
      advance(past: ">")
      return .close(name: name)
    }
    return tag()
  }

  private mutating func text() -> SVGToken {
    let start = place
    while place < bytes.count, bytes[place] != UInt8(ascii: "<") { place += 1 }
    return .text(SVGScanner.repaired(string(start..<place)))
  }

  private mutating func characterData() -> SVGToken {
    place += "<![CDATA[".utf8.count
    let start = place
    while place < bytes.count, !starts("]]>") { place += 1 }
    let content = Markup.escaped(string(start..<place))
    place = min(place + 3, bytes.count)
    return .text(content)
  }

  private mutating func tag() -> SVGToken {
    place += 1
    let name = word()
    guard !name.isEmpty else { return .text("&lt;") }
    var attributes: [SVGToken.Attribute] = []
    while place < bytes.count {
      skipSpace()
      if starts("/>") {
        place += 2
        return .open(name: name, attributes: attributes, isEmpty: true)
      }
      if starts(">") {
        place += 1
        break
      }
      let key = word()
      skipSpace()
      guard !key.isEmpty, starts("=") else {
        place += key.isEmpty ? 1 : 0
        continue
      }
      place += 1
      skipSpace()
      let value = SVGScanner.repaired(quoted()).replacing("\"", with: "&quot;")
      if !attributes.contains(where: { $0.name == key }) {
        attributes.append(SVGToken.Attribute(name: key, value: value))
      }
    }
    return .open(name: name, attributes: attributes, isEmpty: false)
  }

  private mutating func quoted() -> String {
    guard starts("\"") || starts("'") else { return word() }
    let quote = bytes[place]
    place += 1
    let start = place
    while place < bytes.count, bytes[place] != quote { place += 1 }
    defer { place = min(place + 1, bytes.count) }
    return string(start..<place)
  }

  /// A name: up to a space, a sign of equality, a quote, a slash or the end of the tag.
  private mutating func word() -> String {
    let start = place
    while place < bytes.count, bytes[place] > 32, !Array("=/>\"'<".utf8).contains(bytes[place]) {
      place += 1
    }
    return string(start..<place)
  }

  private mutating func skipSpace() {
    while place < bytes.count, bytes[place] <= 32 { place += 1 }
  }

  private func starts(_ text: String) -> Bool { bytes[place...].starts(with: text.utf8) }

  private mutating func skip(_ start: String, to end: String) -> Bool {
    guard starts(start) else { return false }
    place += start.utf8.count
    advance(past: end)
    return true
  }

  private mutating func advance(past end: String) {
    while place < bytes.count, !starts(end) { place += 1 }
    place = min(place + end.utf8.count, bytes.count)
  }

  private func string(_ range: Range<Int>) -> String {
    String(decoding: bytes[range], as: UTF8.self)
  }

  /// A text whose entities are XML's five or numbers; other ampersands and what XML forbids are replaced.
  static func repaired(_ text: String) -> String {
    var result = ""
    var rest = Substring(text)
    while let start = rest.firstIndex(of: "&") {
      result += cleaned(rest[..<start])
      let tail = rest[rest.index(after: start)...]
      if let end = tail.firstIndex(of: ";"), isEntity(tail[..<end]) {
        result += "&\(tail[..<end]);"
        rest = tail[tail.index(after: end)...]
      } else {
        result += "&amp;"
        rest = tail
      }
    }
    return result + cleaned(rest)
  }

  private static func cleaned(_ text: Substring) -> String {
    var result = ""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "<": result += "&lt;"
      case "\t", "\n", "\r": result.unicodeScalars.append(scalar)
      case "\u{0}"..<" ", "\u{7F}"..<"\u{A0}", "\u{FFFE}", "\u{FFFF}": result += "\u{FFFD}"
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result
  }

  /// Whether a name between `&` and `;` can be read, and is of a character that XML allows.
  private static func isEntity(_ name: Substring) -> Bool {
    if ["amp", "lt", "gt", "quot", "apos"].contains(name) { return true }
    guard name.hasPrefix("#") else { return false }
    let digits = name.dropFirst()
    let number = digits.hasPrefix("x") ? UInt32(digits.dropFirst(), radix: 16) : UInt32(digits)
    guard let number, let scalar = Unicode.Scalar(number) else { return false }
    return scalar == "\t" || scalar == "\n" || scalar >= " " && number < 0xFFFE || number > 0xFFFF
  }
}
