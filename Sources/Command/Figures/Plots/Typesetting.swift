/// Widths of texts in DejaVu Sans, estimated by classes of letters, and texts that fit.
enum Typesetting {
  /// Of the heading of a figure, in points.
  static let heading = 9.0
  /// Of labels of axes and headings of panels.
  static let label = 8.0
  /// Of numbers, legends and notes.
  static let small = 7.0

  /// In points.
  static func width(_ text: String, _ size: Double) -> Double {
    size * text.reduce(0) { $0 + width($1) }
  }

  /// In ems.
  private static func width(_ letter: Character) -> Double {
    guard let scalar = letter.unicodeScalars.first else { return 0 }
    switch scalar {
    case "i", "l", "j", "I", "|", "'", ".", ",", ":", ";", "!", " ", "·": return 0.34
    case "f", "t", "r", "(", ")", "[", "]", "-", "/", "\"": return 0.41
    case "m", "w", "M", "W", "%", "@", "…": return 0.97
    case "⁰"..."₎", "¹", "²", "³": return 0.42
    case "=", "+", "−", "<", ">", "~", "±", "×", "≤", "≥": return 0.84
    case "A"..."Z", "Α"..."Ω": return 0.71
    case "\u{1100}"..."\u{115F}", "\u{2E80}"..."\u{FFDC}", "\u{1F000}"...: return 1.05
    default: return 0.62
    }
  }

  /// A line of text without control characters, its middle left out where it is wider than so many points.
  static func fitted(_ text: String, width limit: Double, _ size: Double) -> String {
    let line = self.line(text)
    guard width(line, size) > limit else { return line }
    var kept = line.count - 1
    while kept > 1 {
      let short = line.prefix((kept + 1) / 2) + "…" + line.suffix(kept / 2)
      if width(String(short), size) <= limit { return String(short) }
      kept -= max(1, (kept - 200) / 2)
    }
    return String(line.prefix(1))
  }

  /// The text in one line, with what XML forbids replaced.
  static func line(_ text: String) -> String {
    var result = ""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\t", "\n", "\r", "\u{85}", "\u{2028}", "\u{2029}": result += " "
      case "\u{0}"..<" ", "\u{7F}"..<"\u{A0}", "\u{FFFE}", "\u{FFFF}", "\u{202A}"..."\u{202E}":
        result += "\u{FFFD}"
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result
  }

  /// The text as a string of gnuplot. Single quotes would be taken for their end at times (gnuplot 5.4 misreads
  /// `'''`), so what could have a meaning becomes its octal number: quotes, backslashes, backquotes, `@`, `$`.
  static func quoted(_ text: String) -> String {
    var result = "\""
    var afterNumber = false
    for scalar in line(text).unicodeScalars {
      switch scalar {
      case "a"..."z", "A"..."Z", " ", "\u{A0}"..., ".", ",", ":", "(", ")", "=", "-", "+", "/":
        result.unicodeScalars.append(scalar)
        afterNumber = false
      // A digit after a number would belong to it.
      case "0"..."9" where !afterNumber: result.unicodeScalars.append(scalar)
      default:
        afterNumber = true
        let octal = String(scalar.value, radix: 8)
        result += "\\" + String(repeating: "0", count: 3 - octal.count) + octal
      }
    }
    return result + "\""
  }
}
