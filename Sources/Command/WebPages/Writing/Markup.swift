/// Texts as XML and HTML both read them.
enum Markup {
  /// The text with what the languages reserve as entities, and what they forbid or readers cannot see (control
  /// characters, changes of direction) as U+FFFD. It fits between tags and into quotes.
  static func escaped(_ text: String) -> String {
    var result = ""
    result.reserveCapacity(text.utf8.count)
    for scalar in text.unicodeScalars {
      switch scalar {
      case "&": result += "&amp;"
      case "<": result += "&lt;"
      case ">": result += "&gt;"
      case "\"": result += "&quot;"
      case "'": result += "&#39;"
      case "\t", "\n", "\r", "\u{85}", "\u{2028}", "\u{2029}": result += " "
      case "\u{0}"..<" ", "\u{7F}"..<"\u{A0}", "\u{202A}"..."\u{202E}", "\u{2066}"..."\u{2069}",
        "\u{FFFE}", "\u{FFFF}":
        result += "\u{FFFD}"
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result
  }

  /// A fraction in few characters: three decimals, limited to 0…1; nil for what is not a number.
  static func fraction(_ value: Double?) -> String? {
    guard let value, !value.isNaN else { return nil }
    let thousandths = Int((1000 * min(max(value, 0), 1)).rounded())
    if thousandths % 1000 == 0 { return "\(thousandths / 1000)" }
    var digits = "\(1000 + thousandths)".dropFirst()
    while digits.hasSuffix("0") { digits.removeLast() }
    return "0." + digits
  }
}

/// Names of places of a page.
enum Anchor {
  /// What begins the names of the page's own places.
  static let reserved = "page-"

  /// A caller's name in letters, digits, `-`, `_` and `.`; each other character becomes its number between
  /// tildes, so that unlike names stay unlike, and unlike the page's own.
  static func id(_ name: String) -> String {
    var result = name.isEmpty ? "~" : ""
    for (k, scalar) in name.unicodeScalars.enumerated() {
      switch scalar {
      case _ where k == 0 && name.hasPrefix(reserved), "\u{0}"..."\u{7F}" where !isPlain(scalar),
        "\u{80}"...:
        result += "~" + String(scalar.value, radix: 16) + "~"
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result
  }

  private static func isPlain(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar {
    case "a"..."z", "A"..."Z", "0"..."9", "-", "_", ".": true
    default: false
    }
  }
}
