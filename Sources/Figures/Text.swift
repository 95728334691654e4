/// Text in SVG: its estimated width, shortening and escaping.
enum Text {
  /// A width in the unit of `size` that the text hardly exceeds in DejaVu Sans, the widest of the
  /// fonts asked for.
  static func width(_ text: String, size: Double, isBold: Bool = false) -> Double {
    text.reduce(0) { $0 + width(of: $1, isBold: isBold) } * size
  }

  /// The text, with the middle replaced by “…” where it is wider than `width`.
  static func shortened(
    _ text: String, to width: Double, size: Double, isBold: Bool = false
  ) -> String {
    let characters = Array(text)
    let widths = characters.map { Self.width(of: $0, isBold: isBold) * size }
    if widths.reduce(0, +) <= width { return text }
    var room = width - Self.width(of: "…", isBold: isBold) * size
    var (head, tail) = (0, characters.count)
    while head < tail {
      let next = head <= characters.count - tail ? head : tail - 1
      room -= widths[next]
      if room < 0 { break }
      if next == head { head += 1 } else { tail -= 1 }
    }
    return String(characters[..<head]) + "…" + String(characters[tail...])
  }

  /// The text with the characters that XML reserves as entities and those it forbids replaced.
  static func escaped(_ text: String) -> String {
    var result = ""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "&": result += "&amp;"
      case "<": result += "&lt;"
      case ">": result += "&gt;"
      case "\"": result += "&quot;"
      case "\t", "\n", "\r": result += " "
      case "\u{0}"..<" ", "\u{FFFE}", "\u{FFFF}": result += "\u{FFFD}"
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result
  }

  /// A number with one decimal at most.
  static func number(_ x: Double) -> String {
    let tenths = Int((x * 10).rounded())
    let sign = tenths < 0 ? "-" : ""
    let (whole, part) = abs(tenths).quotientAndRemainder(dividingBy: 10)
    return part == 0 ? "\(sign)\(whole)" : "\(sign)\(whole).\(part)"
  }

  private static func width(of character: Character, isBold: Bool) -> Double {
    let regular =
      switch character {
      case "i", "j", "l", "I", ".", ",", ":", ";", "'", "|", "!", " ": 0.36
      case "f", "r", "t", "(", ")", "[", "]", "/", "-": 0.42
      case "a"..."l", "n"..."v", "x"..."z", "0"..."9", "_": 0.64
      case "m", "w", "M", "W", "@", "%", "…", "—": 1.0
      case "A"..."Z": 0.79
      default: character.unicodeScalars.first!.value < 0x1100 ? 0.84 : 1.25
      }
    return isBold ? 1.12 * regular : regular
  }
}
